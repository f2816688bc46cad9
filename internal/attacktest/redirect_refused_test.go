package attacktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRedirectURIRefused sends URIs that resemble a redirect URI of the application.
// The user is signed in and would approve (RFC 9700 §4.1.3: exact comparison).
func TestRedirectURIRefused(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		refused("R-01 unregistered URI", web, "https://evil.test/cb"),
		refused("R-02 host with our host at its end", web, "https://evilrp.test/cb"),
		refused("R-03 subdomain, and our host as a subdomain", web, "https://x.rp.test/cb", "https://rp.test.evil.test/cb"),
		refused("R-04 userinfo", web,
			"https://rp.test@evil.test/cb", "https://a@rp.test/cb", "https://@rp.test/cb", "https://a@b@rp.test/cb", "https://a:b@rp.test/cb"),
		refused("R-06 query added", web, "https://rp.test/cb?x=1", "https://rp.test/cb?"),
		refused("R-08 path parameters", web, "https://rp.test/cb;x=1", "https://rp.test/cb;", "https://rp.test;/cb"),
		refused("R-09 dot segments", web, "https://rp.test/cb/../evil", "https://rp.test/cb/%2e%2e/evil", "https://rp.test/cb/..;/evil",
			"https://rp.test/a/../cb", "https://rp.test/./cb", "https://rp.test//cb", "https://rp.test/cb/."),
		refused("R-10 equal after decoding", web, "https://rp.test/c%62", "https://rp.test/%63b", "https://rp.test/cb%2f", "https://rp.test%2fcb",
			"https://rp.test/cb%00", "https://rp.test/cb\x00", "https://rp.test/cb%0d%0aX:1", "https://rp.test/cb\r\nX: 1"),
		refused("R-11 encoded twice", web, "https%3A%2F%2Frp.test%2Fcb", "https%253A%252F%252Frp.test%252Fcb"),
		refused("R-12 letter case", web, "HTTPS://rp.test/cb", "https://RP.TEST/cb", "https://rp.test/CB", "Https://rp.test/cb"),
		refused("R-13 default port, dot, slash", web, "https://rp.test:443/cb", "https://rp.test:/cb", "https://rp.test./cb", "https://rp.test/cb/"),
		refused("R-14 backslash, blanks, control characters", web, `https://rp.test\@evil.test/cb`, `https:\\rp.test\cb`, " https://rp.test/cb",
			"https://rp.test/cb ", "https://rp.test/cb\t", "https://rp.test/cb\n", "\thttps://rp.test/cb", "https://rp.test/cb%09", "https://rp.test/cb%0a"),
		refused("R-18 is for public applications with loopback URIs only", web, "http://127.0.0.1:51004/cb"),
		refused("R-19 loopback relaxes the port and nothing else", cli,
			"http://127.0.0.1:1/cb2", "http://127.0.0.1:1/c%62", "http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:1/cb#", "http://u:p@127.0.0.1:1/cb",
			"http://127.0.0.2:1/cb", "http://localhost:1/cb", "https://127.0.0.1:1/cb", "http://127.1:1/cb", "http://0x7f000001:1/cb",
			"http://2130706433:1/cb", "http://[::ffff:127.0.0.1]:1/cb", "http://127.0.0.1.evil.test/cb", "http://127.0.0.1:1.evil.test/cb",
			"http://127.0.0.1:0/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:a/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:-1/cb",
			"http://127.0.0.1:1@evil.test/cb", `http://127.0.0.1:1\@evil.test/cb`, "HTTP://127.0.0.1:1/cb", "http://[::1]:1/", "http://[::1%25lo]:1/cb"),
		refused("R-28 relative and opaque", web, "//evil.test/cb", "//rp.test/cb", "/cb", "cb", "https:evil.test", "https:/evil.test", "https:///evil.test",
			"https:rp.test/cb", "https:/rp.test/cb", "https:///rp.test/cb"),
		refused("R-33 another application's URI", web, "https://evil.test/cb", "https://rpp.test/cb", "http://127.0.0.1/cb"),
		{Name: "R-20 https at a loopback address", Test: httpsLoopback},
		{Name: "R-21 another loopback port for a confidential application", Test: confidentialLoopback},
		{Name: "R-25 repeated redirect_uri", Test: repeatedRedirectURI},
		{Name: "R-26 no redirect_uri", Test: missingRedirectURI},
		{Name: "R-27 application without redirect URIs", Test: noRedirectURIs},
		{Name: "R-29 too long or not text", Test: oversizedRedirectURI},
	})
}

func web(s *fixture.Server) *fixture.Client { return s.Web }
func cli(s *fixture.Server) *fixture.Client { return s.CLI }

// refused returns a case in which each redirect URI leads to an error page.
func refused(name string, client func(*fixture.Server) *fixture.Client, uris ...string) fixture.Case {
	return fixture.Case{Name: name, Test: func(_ *testing.T, s *fixture.Server) { refuse(s, client(s), uris...) }}
}

func refuse(s *fixture.Server, client *fixture.Client, uris ...string) {
	alice := s.Browser("alice")
	for _, uri := range uris {
		alice.Authorize(client.AuthorizeRequest("redirect_uri=" + uri)).ErrorPage(400)
	}
}

func httpsLoopback(t *testing.T, s *fixture.Server) {
	client := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://127.0.0.1/cb"}})
	refuse(s, client, "http://127.0.0.1:99/cb", "http://127.0.0.1/cb", "https://127.0.0.1:99/cb")
	s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
}

func confidentialLoopback(t *testing.T, s *fixture.Server) {
	client := register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"http://127.0.0.1:3000/cb"},
	})
	refuse(s, client, "http://127.0.0.1:3001/cb", "http://127.0.0.1/cb")
	s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
}

func repeatedRedirectURI(_ *testing.T, s *fixture.Server) {
	const good, evil = "https://rp.test/cb", "https://evil.test/cb"
	for _, uris := range [][2]string{{good, evil}, {evil, good}, {good, good}} {
		s.Browser("alice").Authorize(s.Web.AuthorizeRequest("redirect_uri="+uris[0], "+redirect_uri="+uris[1])).ErrorPage(400)
	}
	posted := s.Web.AuthorizeRequest()
	s.Browser("alice").Post("/o/authorize?redirect_uri=https://evil.test/cb", posted).ErrorPage(400)
}

func missingRedirectURI(t *testing.T, s *fixture.Server) {
	two := register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://two.test/a", "https://two.test/b"},
	})
	for _, client := range []*fixture.Client{s.Web, two} {
		s.Browser("alice").Authorize(client.AuthorizeRequest("redirect_uri")).ErrorPage(400)
		s.Browser("alice").Authorize(client.AuthorizeRequest("redirect_uri=")).ErrorPage(400)
	}
}

func noRedirectURIs(_ *testing.T, s *fixture.Server) {
	refuse(s, s.Service, "", "https://rp.test/cb", "https://no-redirect-uri.invalid")
	s.Browser("alice").Authorize(s.Service.AuthorizeRequest("redirect_uri")).ErrorPage(400)
}

func oversizedRedirectURI(t *testing.T, s *fixture.Server) {
	for _, uri := range []string{
		"https://rp.test/cb?" + strings.Repeat("a", 9000), "https://rp.test/cb\x00", "https://rp.test/cb\xff\xfe", "https://rp.test/\xed\xa0\x80",
	} {
		s.Store.ClearCalls()
		s.Browser("alice").Authorize(s.Web.AuthorizeRequest("redirect_uri=" + uri)).ErrorPage(400)
		if calls := s.Store.Calls(); !slices.Equal(calls, []string{"Application"}) {
			t.Errorf("%.40q: got store calls %v, want only that for the application", uri, calls)
		}
	}
}
