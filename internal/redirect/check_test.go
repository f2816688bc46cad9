package redirect

import (
	"net/url"
	"strings"
	"testing"
)

func allowedURIs() []string {
	return []string{
		"https://rp.test",
		"https://rp.test/",
		"https://rp.test/cb",
		"https://rp.test:8443/cb",
		"https://rp.test/a//b;v=1/%20x/...",
		"https://rp.test/cb?x=1",
		"https://rp.test/cb?",
		"https://rp.test/cb?next=/x?state=1",
		"https://rp.test/cb%23x",
		"https://user.rp.test/@alice:1/cb",
		"https://intranet/cb",
		"https://3scale/cb",
		"https://xn--exmple-4nf.test/cb",
		"https://192.0.2.1/cb",
		"https://[2001:db8::1]:8443/cb",
		"http://127.0.0.1/cb",
		"http://127.0.0.1:3000/cb",
		"http://[::1]/cb",
		"http://[::1]:65535/cb",
		"http://localhost:8080/cb",
		"com.example.cli:/cb",
		"com.example.cli:/oauth2redirect/example-provider?x=1",
		"com.example-app.client1234:/",
	}
}

// refusal is a row of attacks.md §1.1 or an edge case of a rule, with a word of the
// error that a user sees.
type refusal struct{ name, uri, says string }

func refusedURIs() []refusal {
	rows := []refusal{
		{"empty", "", "empty"},
		{"R-05 fragment", "https://rp.test/cb#x", "fragment"},
		{"R-05 empty fragment", "https://rp.test/cb#", "fragment"},
		{"R-15 Cyrillic host", "https://exаmple.test/cb", "xn--"},
		{"R-15 ideographic full stop", "https://rp。test/cb", "xn--"},
		{"R-17 http", "http://rp.test/cb", "https"},
		{"R-17 http, looks like loopback", "http://127.0.0.1.evil.test/cb", "https"},
		{"R-17 http, another loopback address", "http://127.0.0.2/cb", "https"},
		{"R-17 http, localhost as a suffix", "http://evil.localhost/cb", "https"},
		{"R-23 rootless", "com.example.cli:cb", "one slash"},
		{"R-23 nothing after the scheme", "com.example.cli:", "one slash"},
		{"R-23 authority", "com.example.cli://cb", "one slash"},
		{"R-23 empty authority", "com.example.cli:///cb", "one slash"},
		{"R-23 upper case", "COM.example.cli:/cb", "lower case"},
		{"R-23 no dot", "myapp:/cb", "domain name"},
		{"R-23 empty label", "com..cli:/cb", "domain name"},
		{"R-23 final dot", "com.example.:/cb", "domain name"},
		{"R-23 begins with a digit", "1com.example:/cb", "domain name"},
		{"R-23 plus sign", "com.example+cli:/cb", "domain name"},
		{"R-29 9000 bytes", "https://rp.test/" + strings.Repeat("a", 9000), "2048"},
		{"R-29 one byte too long", "https://rp.test/" + strings.Repeat("a", 2048-len("https://rp.test/")+1), "2048"},
		{"R-29 NUL", "https://rp.test/cb\x00", "control"},
		{"R-29 invalid UTF-8", "https://rp.test/cb\xff", "ASCII"},
		{"host in upper case", "https://RP.test/cb", "lower case"},
		{"scheme in upper case", "HTTPS://rp.test/cb", "lower case"},
		{"brackets in the query", "https://rp.test/cb?a[]=1", "%5B"},
		{"brackets in the path", "https://rp.test/[::1]", "%5B"},
	}
	refuse := func(id, says string, uris ...string) {
		for _, uri := range uris {
			rows = append(rows, refusal{id + " " + uri, uri, says})
		}
	}
	refuse("R-04", "user name", "https://rp.test@evil.test/cb", "https://a@rp.test/cb", "https://@rp.test/cb",
		"https://a@b@rp.test/cb", "http://u:p@127.0.0.1:1/cb")
	refuse("R-09", "segments", "https://rp.test/cb/../evil", "https://rp.test/cb/%2e%2E/evil", "https://rp.test/cb/..;/evil",
		"https://rp.test/./cb", "https://rp.test/cb/..", "https://rp.test/.%2e", "com.example.cli:/../cb")
	refuse("R-13", "valid host", "https://rp.test./cb", "https://rp..test/cb", "https://.rp.test/cb", "https://-rp.test/cb",
		"https://rp-.test/cb", "https://rp%2etest/cb", "https://rp_a.test/cb", "https://rp,test/cb",
		"https://"+strings.Repeat("a", 64)+".test/cb", "https://"+strings.Repeat("a.", 127)+"test/cb")
	refuse("R-13", "port", "https://rp.test:/cb", "https://rp.test:0/cb", "https://rp.test:65536/cb", "https://rp.test:0443/cb",
		"https://rp.test:a/cb", "https://rp.test:443443/cb", "http://127.0.0.1:/cb")
	refuse("R-14", "", `https://rp.test\@evil.test/cb`, `https://rp.test/c\b`, " https://rp.test/cb", "https://rp.test/cb ",
		"https://rp.test/c b", "https://rp.test/cb\t", "https://rp.test/cb\r\n", "https://rp.test/cb\x7f", "https://rp.test/cb%09",
		"https://rp.test/cb%0a", "https://rp.test/cb%00", "https://rp.test/cb%7F", "https://rp.test/cb?x=%0d%0a")
	refuse("R-14", "character", `https://rp.test/"`, "https://rp.test/<b>", "https://rp.test/`", "https://rp.test/^",
		"https://rp.test/{a}", "https://rp.test/a|b")
	refuse("R-14", "escape", "https://rp.test/%", "https://rp.test/%4", "https://rp.test/%4g", "https://rp.test/%g4", "https://rp.test/?%",
		"https://rp.test/?%zz=1")
	refuse("R-16", "wildcard", "https://*.rp.test/cb", "https://rp.test/*", "https://rp.test/cb?*", "*", "com.example.cli:/*")
	refuse("R-19", "valid host", "https://127.1/cb", "https://0x7f000001/cb", "https://0x7f.1/cb", "https://2130706433/cb", "https://0177.0.0.1/cb",
		"https://127.0.0.01/cb", "https://127.0.0.256/cb", "https://rp.1/cb", "https://[::1/cb", "https://::1/cb", "https://[::1]]/cb",
		"https://[0::1]/cb", "https://[::1%25lo]/cb", "https://[fe80::1%25lo]/cb", "https://[127.0.0.1]/cb", "https://[v1.a]/cb", "https://a[::1]/cb")
	refuse("R-24", "", "javascript:alert(1)", "JaVaScRiPt://rp.test/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///x",
		"blob:x", "about:blank", "mailto:a@b", "ftp://x/", "java%09script:x", "java\tscript:x", "urn:ietf:wg:oauth:2.0:oob",
		"javascript:/x.y", "data:/a.b", "intent:/x", "ws://rp.test/", "javascript://rp.test/x")
	refuse("R-28", "absolute", "//evil.test/cb", "/cb", "cb", "?x", ":", "://rp.test/cb", "rp.test/cb")
	refuse("R-28", "host", "https:evil.test", "https:/evil.test", "https:///evil.test", "https://", "https:", "https://:443/cb", "http:/127.0.0.1/cb")
	refuse("R-30", "query parameter", "https://rp.test/cb?code=1", "https://rp.test/cb?a=1&state=", "https://rp.test/cb?iss",
		"https://rp.test/cb?error=x", "https://rp.test/cb?error_description=x", "https://rp.test/cb?error_uri=x",
		"https://rp.test/cb?access_token=x", "https://rp.test/cb?id_token=x", "https://rp.test/cb?c%6fde=1",
		"https://rp.test/cb?Code=1", "https://rp.test/cb?a;code=1", "https://rp.test/cb?&&code", "https://rp.test/cb?response=x",
		"com.example.cli:/cb?code=1")
	return rows
}

func TestCheck(t *testing.T) {
	for _, uri := range append(allowedURIs(), "https://rp.test/"+strings.Repeat("a", 2048-len("https://rp.test/"))) {
		if err := Check(uri); err != nil {
			t.Errorf("Check(%q) = %q, want nil", uri, err)
		}
	}
	for _, c := range refusedURIs() {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.uri)
			if err == nil {
				t.Fatalf("Check(%q) = nil, want an error with %q", c.uri, c.says)
			}
			if !strings.HasPrefix(err.Error(), "must ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Check(%q) = %q, want \"must ...\" with %q", c.uri, err, c.says)
			}
		})
	}
}

func TestCheckOrigin(t *testing.T) {
	for _, c := range []struct{ origin, says string }{
		{"https://spa.test", ""},
		{"https://spa.test:8443", ""},
		{"https://192.0.2.1", ""},
		{"http://localhost:3000", ""},
		{"http://127.0.0.1", ""},
		{"http://[::1]:3000", ""},
		{"", "empty"},
		{"*", "wildcard"},
		{"https://*.spa.test", "wildcard"},
		{"null", "https://"},
		{"file://", "https://"},
		{"chrome-extension://abc", "https://"},
		{"com.example.cli:/", "https://"},
		{"spa.test", "https://"},
		{"//spa.test", "https://"},
		{"https://spa.test/", "slash"},
		{"https://spa.test/a", "slash"},
		{"https://spa.test?", "slash"},
		{"https://spa.test#", "slash"},
		{"https:", "host"},
		{"https://", "host"},
		{"https://a@spa.test", "user name"},
		{"https://SPA.test", "lower case"},
		{"HTTPS://spa.test", "https://"},
		{"http://spa.test", "https"},
		{"https://spa.test:", "port"},
		{"https://spa.test:0", "port"},
		{"https://spa.test:443", "default port"},
		{"http://localhost:80", "default port"},
		{"https://spа.test", "ASCII"},
		{"https://spa.test https://b.test", "spaces"},
	} {
		err := CheckOrigin(c.origin)
		if c.says == "" {
			if err != nil {
				t.Errorf("CheckOrigin(%q) = %q, want nil", c.origin, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("CheckOrigin(%q) = %v, want an error with %q", c.origin, err, c.says)
		}
	}
}

// FuzzCheck compares Check with the other parser that sees a redirect URI: a URI that
// passes has the same meaning to net/url and is unchanged by it.
func FuzzCheck(f *testing.F) {
	for _, uri := range allowedURIs() {
		f.Add(uri)
	}
	for _, c := range refusedURIs() {
		f.Add(c.uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if Check(uri) != nil {
			return
		}
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatalf("Check(%q) = nil, but url.Parse: %v", uri, err)
		}
		if got := u.String(); got != uri {
			t.Errorf("Check(%q) = nil, but url.Parse turns it into %q", uri, got)
		}
		if strings.Contains(uri, "#") || u.User != nil {
			t.Errorf("Check(%q) = nil, but it has a fragment or userinfo", uri)
		}
		switch {
		case u.Scheme == "https" && u.Hostname() != "":
		case u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"):
		case strings.Contains(u.Scheme, ".") && u.Host == "" && u.Opaque == "" && strings.HasPrefix(u.Path, "/"):
		default:
			t.Errorf("Check(%q) = nil, but url.Parse sees scheme %q and host %q", uri, u.Scheme, u.Host)
		}
		for name := range u.Query() {
			if isResponseParameter(name) {
				t.Errorf("Check(%q) = nil, but it has the response parameter %q", uri, name)
			}
		}
	})
}
