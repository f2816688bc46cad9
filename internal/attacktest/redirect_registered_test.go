package attacktest

import (
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRedirectURIRegistered tries to register invalid redirect URIs, and then to use
// them from rows written past the library.
func TestRedirectURIRegistered(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "R-05 fragment, also an empty one", Test: func(t *testing.T, s *fixture.Server) {
			refuse(s, s.Web, "https://rp.test/cb#x", "https://rp.test/cb#", "https://rp.test/cb%23x")
			unregistrable(t, s, "https://rp.test/cb#x", "https://rp.test/cb#")
		}},
		{Name: "R-15 names that look alike", Test: func(t *testing.T, s *fixture.Server) {
			unregistrable(t, s, "https://ex\u0430mple.test/cb", "https://rp\u3002test/cb", "https://\uff52p.test/cb")
		}},
		{Name: "R-16 wildcards", Test: func(t *testing.T, s *fixture.Server) {
			unregistrable(t, s, "https://*.rp.test/cb", "https://rp.test/*", "https://rp.test/cb?*", "*")
			planted := plant(s, "https://*.rp.test/cb", "https://rp.test/*")
			refuse(s, planted, "https://x.rp.test/cb", "https://rp.test/cb", "https://rp.test/")
		}},
		{Name: "R-17 plain http", Test: func(t *testing.T, s *fixture.Server) {
			refuse(s, s.Web, "http://rp.test/cb")
			unregistrable(t, s, "http://rp.test/cb", "http://127.0.0.1.evil.test/cb", "http://10.0.0.1/cb")
		}},
		{Name: "R-22 localhost is not a loopback address", Test: localhost},
		{Name: "R-23 private-use schemes have one spelling", Test: func(t *testing.T, s *fixture.Server) {
			refuse(s, s.CLI, "com.example.cli://cb", "com.example.cli:cb", "com.example.cli:///cb", "COM.example.cli:/cb", "com.example.cli:/cb/", "com.example.cli://x/cb")
			unregistrable(t, s, "com.example.cli:cb", "com.example.cli:///cb", "com.example.cli://cb", "cli:/cb", "COM.example.cli:/cb")
			s.Browser("alice").Approve(s.CLI.AuthorizeRequest("redirect_uri=com.example.cli:/cb")).Code()
		}},
		{Name: "R-24 schemes that execute or embed content", Test: func(t *testing.T, s *fixture.Server) {
			unregistrable(t, s, "javascript:alert(1)", "JaVaScRiPt://rp.test/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///x", "blob:x",
				"about:blank", "mailto:a@b", "ftp://x/", "java%09script:x", "java\tscript:x", "urn:ietf:wg:oauth:2.0:oob", "view-source:https://rp.test/")
		}},
		{Name: "R-30 response parameters in a registered query", Test: responseParameters},
		{Name: "R-35 the provider's own origin is allowed", Test: ownOrigin},
	})
}

// unregistrable expects each URI to be refused by registration, and by the
// authorization endpoint if it is stored.
func unregistrable(t *testing.T, s *fixture.Server, uris ...string) {
	t.Helper()
	for _, uri := range uris {
		app := &oauthkit.AbstractApplication{
			ClientID: oauthkit.NewClientID(), ClientType: oauthkit.Public,
			GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, RedirectURIs: oauthkit.URIs{uri},
		}
		if _, err := s.Register(app); err == nil {
			t.Errorf("%q: got no error from registration, want one", uri)
		}
		refuse(s, plant(s, uri), uri)
	}
}

// plant adds an application with redirect URIs that registration would refuse.
func plant(s *fixture.Server, uris ...string) *fixture.Client {
	return s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: oauthkit.NewClientID(), ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: uris, Scopes: oauthkit.Scopes{"openid", "api:read"},
	})
}

// register adds an application for the authorization code grant with the scopes of
// AuthorizeRequest.
func register(t *testing.T, s *fixture.Server, app *oauthkit.AbstractApplication) *fixture.Client {
	t.Helper()
	app.ClientID = oauthkit.NewClientID()
	app.Scopes = oauthkit.Scopes{"openid", "api:read"}
	if app.GrantTypes == nil {
		app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
	}
	client, err := s.Register(app)
	if err != nil {
		t.Fatalf("registering %v: %v", app.RedirectURIs, err)
	}
	return client
}

func localhost(t *testing.T, s *fixture.Server) {
	client := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"http://localhost/cb"}})
	refuse(s, client, "http://localhost:5000/cb", "http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", "http://[::1]/cb")
	refuse(s, s.CLI, "http://localhost/cb")
	s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
}

func responseParameters(t *testing.T, s *fixture.Server) {
	const uri = "https://rp.test/cb?x=1"
	client := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{uri}})
	s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
	s.Browser("alice").Authorize(client.AuthorizeRequest("scope=nonsense")).Refused("invalid_scope")
	unregistrable(t, s, "https://rp.test/cb?code=1", "https://rp.test/cb?a=1&state=2", "https://rp.test/cb?error", "https://rp.test/cb?iss=x", "https://rp.test/cb?%63ode=1")
}

// ownOrigin tests a design decision: an embedded provider shares its origin with the
// host's other programs, so redirect URIs may have it.
func ownOrigin(t *testing.T, s *fixture.Server) {
	client := register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{fixture.Origin + "/anything"},
	})
	s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
}
