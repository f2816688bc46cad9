package redirect

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzRegistered checks Check and Match together: if a URI may be registered, every URI
// that matches it may be registered as well, and another parser sends both to the same
// place, except for loopback ports.
func FuzzRegistered(f *testing.F) {
	for _, c := range matchCases() {
		f.Add(c.registered, c.requested, true)
	}
	for _, uri := range allowedURIs() {
		f.Add(uri, uri, false)
	}
	f.Fuzz(func(t *testing.T, registered, requested string, native bool) {
		if Check(registered) != nil || !Match(registered, requested, native) {
			return
		}
		if err := Check(requested); err != nil {
			t.Fatalf("%q matches %q, which %v", registered, requested, err)
		}
		a, err := url.Parse(registered)
		if err != nil {
			t.Fatal(err)
		}
		b, err := url.Parse(requested)
		if err != nil {
			t.Fatal(err)
		}
		if a.Scheme != b.Scheme || a.Hostname() != b.Hostname() || a.EscapedPath() != b.EscapedPath() || a.RawQuery != b.RawQuery {
			t.Errorf("%q matches %q, which is another place", registered, requested)
		}
		if loopback := a.Hostname() == "127.0.0.1" || a.Hostname() == "::1"; a.Port() != b.Port() && (!native || !loopback) {
			t.Errorf("%q matches %q, which has another port", registered, requested)
		}
	})
}

// FuzzSplit checks that split loses and adds nothing.
func FuzzSplit(f *testing.F) {
	for _, c := range refusedURIs() {
		f.Add(c.uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		p := split(uri)
		if got := p.scheme + p.slashes + p.userinfo + p.host + p.port + p.path + p.query + p.fragment; got != uri {
			t.Errorf("split(%q) joins to %q", uri, got)
		}
	})
}

// FuzzCheckOrigin checks that an allowed origin equals one that a browser sends, a
// scheme, a host and an optional port, and that it can begin a redirect URI.
func FuzzCheckOrigin(f *testing.F) {
	for _, uri := range allowedURIs() {
		f.Add(uri)
		f.Add(strings.TrimSuffix(uri, "/cb"))
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if CheckOrigin(origin) != nil {
			return
		}
		u, err := url.Parse(origin)
		if err != nil {
			t.Fatalf("CheckOrigin(%q) = nil, but url.Parse: %v", origin, err)
		}
		if got := u.Scheme + "://" + u.Host; got != origin || u.Hostname() == "" {
			t.Errorf("CheckOrigin(%q) = nil, but a browser sends %q", origin, got)
		}
		if err := Check(origin + "/"); err != nil {
			t.Errorf("CheckOrigin(%q) = nil, but as a redirect URI it %v", origin, err)
		}
	})
}
