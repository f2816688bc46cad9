package oauthkit

import (
	"net/http"
	"testing"
	"time"
)

// TestRetryAfter shows the forms of Retry-After (RFC 9110 §10.2.3).
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"120", 2 * time.Minute},
		{"0", time.Second},
		{"4294967295", 24 * time.Hour},
		{"99999999999999999999", 0},
		{"-5", 0},
		{"soon", 0},
		{"Sun, 01 Mar 2026 12:05:00 GMT", 5 * time.Minute},
		{"Sun, 01 Mar 2026 11:00:00 GMT", time.Second},
		{"Mon, 01 Mar 2027 12:00:00 GMT", 24 * time.Hour},
	}
	for _, test := range tests {
		response := &FetchResponse{Header: http.Header{"Retry-After": {test.value}}}
		if got := response.RetryAfter(now); got != test.want {
			t.Errorf("%q: got %s, want %s", test.value, got, test.want)
		}
	}
}
