package oauthkit

import (
	"testing"
	"time"
)

// TestAuthorizationValid checks how expiry and revocation affect an Authorization.
func TestAuthorizationValid(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		expiresAt, revokedAt time.Time
		want                 bool
	}{
		"valid":          {now.Add(time.Microsecond), time.Time{}, true},
		"expires now":    {now, time.Time{}, false},
		"without expiry": {time.Time{}, time.Time{}, false},
		"revoked":        {now.Add(time.Hour), now, false},
		"revoked later":  {now.Add(time.Hour), now.Add(time.Minute), false}, // by an instance whose clock is ahead
	} {
		authorization := &Authorization{ExpiresAt: test.expiresAt, RevokedAt: test.revokedAt}
		if got := authorization.Valid(now); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}
