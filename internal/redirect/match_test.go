package redirect

import (
	"strings"
	"testing"
)

// matchCase is a row of attacks.md §1.1: the registered URI, the requested one, and
// whether they match for a web application and for a native one.
type matchCase struct {
	name                  string
	registered, requested string
	web, native           bool
}

func matchCases() []matchCase {
	cases := []matchCase{
		{"identical", "https://rp.test/cb", "https://rp.test/cb", true, true},
		{"both empty", "", "", false, false},
		{"R-07 identical query", "https://rp.test/cb?a=1&b=2", "https://rp.test/cb?a=1&b=2", true, true},
		{"R-16 literal star", "https://*.rp.test/cb", "https://a.rp.test/cb", false, false},
		{"R-16 star alone", "*", "https://rp.test/cb", false, false},
		{"R-18 port added", "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", false, true},
		{"R-18 port removed", "http://127.0.0.1:3000/cb", "http://127.0.0.1/cb", false, true},
		{"R-18 port changed", "http://127.0.0.1:3000/cb?x=1", "http://127.0.0.1:65535/cb?x=1", false, true},
		{"R-18 IPv6", "http://[::1]/cb", "http://[::1]:9/cb", false, true},
		{"R-18 without a path", "http://127.0.0.1", "http://127.0.0.1:1", false, true},
		{"R-18 same", "http://127.0.0.1/cb", "http://127.0.0.1/cb", true, true},
		{"R-19 the other literal", "http://127.0.0.1/cb", "http://[::1]:1/cb", false, false},
		{"R-19 registered port invalid", "http://127.0.0.1:0/cb", "http://127.0.0.1:1/cb", false, false},
		{"R-19 registered fragment", "http://127.0.0.1/cb#x", "http://127.0.0.1:1/cb#x", false, false},
		{"R-19 registered userinfo", "http://u@127.0.0.1/cb", "http://u@127.0.0.1:1/cb", false, false},
		{"R-19 case of the scheme", "http://127.0.0.1/cb", "HTTP://127.0.0.1:1/cb", false, false},
		{"R-20 https loopback, http requested", "https://127.0.0.1/cb", "http://127.0.0.1:99/cb", false, false},
		{"R-20 https loopback, other port", "https://127.0.0.1/cb", "https://127.0.0.1:99/cb", false, false},
		{"R-21 web application, other port", "http://127.0.0.1:3000/cb", "http://127.0.0.1:3001/cb", false, true},
		{"R-22 localhost port", "http://localhost/cb", "http://localhost:5000/cb", false, false},
		{"R-22 localhost is not 127.0.0.1", "http://localhost/cb", "http://127.0.0.1/cb", false, false},
		{"R-23 identical", "com.example.cli:/cb", "com.example.cli:/cb", true, true},
		{"R-33 URI of another application", "https://rp.test/cb", "https://evil.test/cb", false, false},
	}
	refuse := func(name, registered string, requested ...string) {
		for _, r := range requested {
			cases = append(cases, matchCase{name + " " + r, registered, r, false, false})
		}
	}
	const web = "https://rp.test/cb"
	refuse("R-01", web, "https://evil.test/cb")
	refuse("R-02", web, "https://evilrp.test/cb")
	refuse("R-03", web, "https://x.rp.test/cb", "https://rp.test.evil.test/cb")
	refuse("R-04", web, "https://rp.test@evil.test/cb", "https://a@rp.test/cb", "https://@rp.test/cb", "https://a@b@rp.test/cb")
	refuse("R-05", web, "https://rp.test/cb#x", "https://rp.test/cb#", "https://rp.test/cb%23x")
	refuse("R-06", web, "https://rp.test/cb?x=1", "https://rp.test/cb?")
	refuse("R-07", "https://rp.test/cb?a=1&b=2", "https://rp.test/cb?b=2&a=1", "https://rp.test/cb?a=1",
		"https://rp.test/cb?a=1&b=2&a=1", "https://rp.test/cb?a=1&b=2&")
	refuse("R-08", web, "https://rp.test/cb;x=1")
	refuse("R-09", web, "https://rp.test/cb/../evil", "https://rp.test/cb/%2e%2e/evil", "https://rp.test/cb/..;/evil",
		"https://rp.test/a/../cb", "https://rp.test/./cb", "https://rp.test//cb")
	refuse("R-10", web, "https://rp.test/c%62", "https://rp.test/%63b", "https://rp.test/cb%2f", "https://rp.test/cb%00",
		"https://rp.test/cb%0d%0aX:1")
	refuse("R-11", web, "https%3A%2F%2Frp.test%2Fcb", "https%253A%252F%252Frp.test%252Fcb")
	refuse("R-12", web, "HTTPS://rp.test/cb", "https://RP.TEST/cb", "https://rp.test/CB")
	refuse("R-13", web, "https://rp.test:443/cb", "https://rp.test:/cb", "https://rp.test./cb", "https://rp.test/cb/")
	refuse("R-14", web, `https://rp.test\@evil.test/cb`, " https://rp.test/cb", "https://rp.test/cb ", "https://rp.test/cb\t",
		"https://rp.test/cb\n", "https://rp.test/cb%09", "https://rp.test/cb%0a")
	refuse("R-15", web, "https://rp。test/cb")
	refuse("R-15", "https://example.test/cb", "https://exаmple.test/cb")
	refuse("R-17", web, "http://rp.test/cb")
	refuse("R-19", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb2", "http://127.0.0.1:1/c%62", "http://127.0.0.1:1/cb?x=1",
		"http://127.0.0.1:1/cb#", "http://u:p@127.0.0.1:1/cb", "http://127.0.0.1:1@evil.test/cb", "http://127.0.0.2:1/cb",
		"http://localhost:1/cb", "https://127.0.0.1:1/cb", "http://127.1:1/cb", "http://0x7f000001:1/cb",
		"http://2130706433:1/cb", "http://[::ffff:127.0.0.1]:1/cb", "http://127.0.0.1.evil.test/cb", "http://127.0.0.1.:1/cb",
		"http://127.0.0.1:0/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:a/cb", "http://127.0.0.1:/cb",
		"http://127.0.0.1:01/cb", "http://127.0.0.1:+1/cb", "http://127.0.0.1:-1/cb", "http://127.0.0.1:1:2/cb",
		"http://127.0.0.1:111111111111111111111/cb", "http://127.0.0.1:１/cb", `http://127.0.0.1:1\@evil.test/cb`,
		"http:/127.0.0.1:1/cb", "http:127.0.0.1:1/cb", "http:///127.0.0.1:1/cb", "//127.0.0.1:1/cb")
	refuse("R-19", "http://[::1]/cb", "http://[::1]1/cb", "http://[::1/cb", "http://::1:1/cb", "http://[::1]]:1/cb",
		"http://[0:0:0:0:0:0:0:1]:1/cb", "http://[::1%25lo]:1/cb", "http://[::1].evil.test:1/cb")
	refuse("R-23", "com.example.cli:/cb", "com.example.cli://cb", "com.example.cli:cb", "com.example.cli:///cb", "COM.example.cli:/cb")
	refuse("R-28", web, "//evil.test/cb", "/cb", "https:evil.test", "https:/evil.test", "https:///evil.test")
	refuse("R-29", web, "https://rp.test/cb"+strings.Repeat("a", 9000), "https://rp.test/cb\x00", "https://rp.test/cb\xff")
	return cases
}

func TestMatch(t *testing.T) {
	for _, c := range matchCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := Match(c.registered, c.requested, false); got != c.web {
				t.Errorf("Match(%q, %q, false) = %v, want %v", c.registered, c.requested, got, c.web)
			}
			if got := Match(c.registered, c.requested, true); got != c.native {
				t.Errorf("Match(%q, %q, true) = %v, want %v", c.registered, c.requested, got, c.native)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	for _, c := range []struct{ registered, requested, want string }{
		{"https://rp.test/cb", "https://rp.test/cb", ""},
		{"https://rp.test/cb", "http://rp.test/cb", "scheme"},
		{"https://rp.test/cb", "//rp.test/cb", "scheme"},
		{"https://rp.test/cb", "https://rp.test@evil.test/cb", "userinfo"},
		{"https://rp.test/cb", "https://@rp.test/cb", "userinfo"},
		{"https://rp.test/cb", "https://evil.test:444/cb", "host"},
		{"https://rp.test/cb", "https:/rp.test/cb", "host"},
		{"com.example.cli:/cb", "com.example.cli:///cb", "host"},
		{"https://rp.test/cb", "https://rp.test:/cb", "port"},
		{"http://[::1]/cb", "http://[::1]:9/cb", "port"},
		{"https://rp.test/cb", "https://rp.test/cb/", "path"},
		{"https://rp.test/cb", "https://rp.test/cb?", "query"},
		{"https://rp.test/cb?a=1", "https://rp.test/cb?a=2#x", "query"},
		{"https://rp.test/cb", "https://rp.test/cb#", "fragment"},
	} {
		if got := Difference(c.registered, c.requested); got != c.want {
			t.Errorf("Difference(%q, %q) = %q, want %q", c.registered, c.requested, got, c.want)
		}
	}
}

// FuzzMatch checks that a match is byte-equal, or a loopback URI of which only the port
// differs. The oracle does not use the code under test.
func FuzzMatch(f *testing.F) {
	for _, c := range matchCases() {
		f.Add(c.registered, c.requested)
	}
	f.Fuzz(func(t *testing.T, registered, requested string) {
		equal := registered == requested && requested != ""
		if got := Match(registered, requested, false); got != equal {
			t.Errorf("Match(%q, %q, false) = %v, want %v", registered, requested, got, equal)
		}
		if Match(registered, requested, true) && !equal {
			a, aok := withoutLoopbackPort(registered)
			b, bok := withoutLoopbackPort(requested)
			if !aok || !bok || a != b {
				t.Errorf("Match(%q, %q, true) = true, but more than a loopback port differs", registered, requested)
			}
		}
		if got := Difference(registered, requested); (got == "") != (registered == requested) {
			t.Errorf("Difference(%q, %q) = %q", registered, requested, got)
		}
	})
}

// withoutLoopbackPort removes the port from a loopback URI and reports whether uri is
// one.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if digits, ok := strings.CutPrefix(rest, ":"); ok {
			rest = strings.TrimLeft(digits, "0123456789")
			if rest == digits {
				return "", false
			}
		}
		ends := rest == "" || rest[0] == '/' || rest[0] == '?'
		return host + rest, ends && !strings.Contains(rest, "#")
	}
	return "", false
}
