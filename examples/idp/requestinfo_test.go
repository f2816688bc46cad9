package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestB34_ForwardedFor checks that only entries of X-Forwarded-For that trusted proxies
// wrote count. Otherwise anyone could have a new budget with each request, or use up
// another client's.
func TestB34_ForwardedFor(t *testing.T) {
	trusted, err := parseProxies("10.0.0.0/8,2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		proxies   proxies
		remote    string
		forwarded []string
		want      string
	}{
		{"no header", nil, "192.0.2.1:1000", nil, "192.0.2.1"},
		{"no trusted proxy", nil, "10.0.0.1:1000", []string{"198.51.100.1"}, "10.0.0.1"},
		{"set by a client", trusted, "192.0.2.1:1000", []string{"198.51.100.1"}, "192.0.2.1"},
		{"set by the proxy", trusted, "10.0.0.1:1000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"set by the proxy over IPv6", trusted, "[2001:db8::1]:1000", []string{"2001:db8:1::2"}, "2001:db8:1::2"},
		{"the proxy over IPv4 in IPv6", trusted, "[::ffff:10.0.0.1]:1000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"two proxies", trusted, "10.0.0.1:1000", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"forged by a client", trusted, "10.0.0.1:1000", []string{"203.0.113.1, 198.51.100.1"}, "198.51.100.1"},
		{"forged in a separate header", trusted, "10.0.0.1:1000", []string{"203.0.113.1", "198.51.100.1"}, "198.51.100.1"},
		{"no address", trusted, "10.0.0.1:1000", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"proxies only", trusted, "10.0.0.1:1000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a Unix socket", trusted, "@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.RemoteAddr = test.remote
		request.Header["X-Forwarded-For"] = test.forwarded
		if got := test.proxies.client(request).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	for _, wrong := range []string{"", "proxy.example", "10.0.0.0/33", "10.0.0.1,"} {
		if got, err := parseProxies(wrong); err == nil {
			t.Errorf("%q: got %v, want an error", wrong, got)
		}
	}
}
