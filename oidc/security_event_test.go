package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/oidc"
)

// TestSignSecurityEvent shows a security event token (RFC 8417 §2), and which contents
// are refused.
func TestSignSecurityEvent(t *testing.T) {
	s := newSite(t, oidc.Config{})
	valid := func() oidc.SecurityEvent {
		return oidc.SecurityEvent{
			ID: "e1", Audience: "https://audit.test", IssuedAt: time.Unix(1772366400, 0), Subject: map[string]any{"format": "opaque", "id": "x"},
			Events: map[string]map[string]any{"https://events.test/ended": {"a": "b"}},
		}
	}
	tests := []struct {
		name   string
		change func(*oidc.SecurityEvent)
		want   string // part of the error; empty: signed
	}{
		{"valid", func(*oidc.SecurityEvent) {}, ""},
		{"no id", func(e *oidc.SecurityEvent) { e.ID = "" }, "required"},
		{"no audience", func(e *oidc.SecurityEvent) { e.Audience = "" }, "required"},
		{"no time", func(e *oidc.SecurityEvent) { e.IssuedAt = time.Time{} }, "required"},
		{"no subject", func(e *oidc.SecurityEvent) { e.Subject = nil }, "required"},
		{"no events", func(e *oidc.SecurityEvent) { e.Events = nil }, "required"},
		{"relative type", func(e *oidc.SecurityEvent) { e.Events = map[string]map[string]any{"ended": {}} }, "absolute URI"},
		{"logout", func(e *oidc.SecurityEvent) {
			e.Events = map[string]map[string]any{"http://schemas.openid.net/event/backchannel-logout": {}}
		}, "logout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			event := valid()
			test.change(&event)
			token, err := s.extension.SignSecurityEvent(t.Context(), "ES256", event)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want an error with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			signed := header(t, token)
			expect(t, signed, map[string]any{"typ": "secevent+jwt", "alg": "ES256", "kid": signed["kid"]})
			if _, err := s.authorize(map[string][]string{"id_token_hint": {token}}); err == nil {
				t.Error("got no error for a security event as id_token_hint")
			}
		})
	}
	if _, err := s.extension.SignSecurityEvent(t.Context(), "none", valid()); err == nil {
		t.Error("algorithm none: got no error")
	}
	if _, err := oidc.New(oidc.Config{}).SignSecurityEvent(t.Context(), "", valid()); err == nil {
		t.Error("extension without provider: got no error")
	}
}
