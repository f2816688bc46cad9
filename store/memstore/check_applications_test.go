package memstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

func applicationChecks() []checkTest {
	return []checkTest{
		{
			"oauthkit.W101",
			func(s *checkScene) { s.add("weak", withHTTPRedirect) },
			func(s *checkScene) {
				s.add("off", func(app *oauthkit.AbstractApplication) { withHTTPRedirect(app); app.Disabled = true })
			},
		},
		{
			"oauthkit.W102",
			func(s *checkScene) { s.store.Rules = permissive(); s.add("weak", withHTTPRedirect) },
			func(s *checkScene) { s.store.Rules = permissive(); s.add("fine", nil) },
		},
		{ // T-19
			"oauthkit.W103",
			func(s *checkScene) {
				s.add("empty", func(app *oauthkit.AbstractApplication) { app.ClientSecret = "" })
			},
			func(s *checkScene) {
				s.add("public", func(app *oauthkit.AbstractApplication) { app.ClientSecret, app.ClientType = "", oauthkit.Public })
			},
		},
		{
			"oauthkit.W103",
			func(s *checkScene) {
				s.add("clear", func(app *oauthkit.AbstractApplication) { app.ClientSecret = "password" })
			},
			func(s *checkScene) {
				s.add("imported", func(app *oauthkit.AbstractApplication) { app.ImportSecret("password") })
			},
		},
		{
			"oauthkit.W104",
			func(s *checkScene) { s.addTokenApplication(time.Hour + time.Second) },
			func(s *checkScene) { s.addTokenApplication(time.Hour) },
		},
		{
			"oauthkit.W105",
			func(s *checkScene) { s.addWithScopes("read", "raed") },
			func(s *checkScene) { s.addWithScopes("read", "openid", "introspection") },
		},
		{
			"oauthkit.W106",
			func(s *checkScene) { s.addWithMethod(oauthkit.AuthMethodPrivateKeyJWT) },
			func(s *checkScene) { s.addWithMethod(oauthkit.AuthMethodSecretPost) },
		},
		{
			"oauthkit.W106",
			func(s *checkScene) {
				s.config.ClientAuthenticators = []oauthkit.ClientAuthenticator{oauthkit.ClientNone()}
				s.addWithMethod("")
			},
			func(s *checkScene) {
				s.config.ClientAuthenticators = []oauthkit.ClientAuthenticator{oauthkit.ClientSecretPost()}
				s.addWithMethod("")
			},
		},
		{
			"oauthkit.W107",
			func(s *checkScene) { s.addWithResponseTypes("code", "id_token token") },
			func(s *checkScene) { s.addWithResponseTypes("code", "token", "code id_token") },
		},
		{
			"oauthkit.W108",
			func(s *checkScene) { s.addWithPKCE(oauthkit.PKCENonce) },
			func(s *checkScene) { s.addWithPKCE(oauthkit.PKCERequired) },
		},
		{
			"oauthkit.W108",
			func(s *checkScene) { s.addWithPKCE(oauthkit.PKCEOptional) },
			func(s *checkScene) {
				s.add("machine", func(app *oauthkit.AbstractApplication) { app.GrantTypes, app.PKCE = nil, oauthkit.PKCEOptional })
			},
		},
		{
			"oauthkit.W109",
			func(s *checkScene) { s.addWithGrants(oauth2.AuthorizationCode, oauth2.PasswordCredentials) },
			func(s *checkScene) { s.addWithGrants(oauth2.AuthorizationCode, oauth2.ClientCredentials) },
		},
		{
			"oauthkit.W109",
			func(s *checkScene) { s.addWithGrants(oauthkit.ImplicitGrant) },
			func(s *checkScene) {
				responding := respondingConfig(s.store.Store)
				s.config.Extensions, s.config.ResponseTypes = responding.Extensions, responding.ResponseTypes
				s.addWithGrants(oauthkit.ImplicitGrant)
			},
		},
		{
			"oauthkit.W111",
			func(s *checkScene) { s.addWithoutIss(true) },
			func(s *checkScene) { s.addWithoutIss(false) },
		},
		{
			"oauthkit.W110",
			func(s *checkScene) { s.addWithResources("https://other.example") },
			func(s *checkScene) { s.addWithResources("https://api.example") },
		},
		{
			"oauthkit.W112",
			func(s *checkScene) { s.addWithBackChannel() },
			func(s *checkScene) { s.extend(); s.addWithBackChannel() },
		},
		{
			"oauthkit.W113",
			func(s *checkScene) { s.addWithAlgorithm("PS256") },
			func(s *checkScene) { s.addWithAlgorithm("EdDSA") },
		},
	}
}

// addWithAlgorithm adds an application to a provider whose algorithms are ES256 and
// EdDSA.
func (s *checkScene) addWithAlgorithm(algorithm string) {
	extension := oidc.New(oidc.Config{Keys: s.store, Algorithms: []string{"ES256", "EdDSA"}})
	s.config.Extensions = append(s.config.Extensions, extension)
	s.add("signed", func(app *oauthkit.AbstractApplication) { app.Algorithm = algorithm })
}

func (s *checkScene) addWithBackChannel() {
	s.add("told", func(app *oauthkit.AbstractApplication) { app.BackChannelLogoutURI = "https://rp.example/logout" })
}

// addWithScopes adds an application to a provider with OpenID Connect and the scope read.
func (s *checkScene) addWithScopes(scopes ...string) {
	s.config.Scopes = oauthkit.StaticScopes{"read": "read your orders"}
	s.extend()
	s.add("scoped", func(app *oauthkit.AbstractApplication) { app.Scopes = scopes })
}

func (s *checkScene) addWithMethod(method string) {
	s.add("method", func(app *oauthkit.AbstractApplication) { app.TokenEndpointAuthMethod = method })
}

// addWithResponseTypes adds an application to a provider with several response types.
func (s *checkScene) addWithResponseTypes(types ...oauthkit.ResponseType) {
	responding := respondingConfig(s.store.Store)
	s.config.Extensions = append(s.config.Extensions, responding.Extensions...)
	s.config.ResponseTypes = responding.ResponseTypes
	s.add("responding", func(app *oauthkit.AbstractApplication) { app.ResponseTypes = types })
}

func (s *checkScene) addWithGrants(grants ...oauth2.GrantType) {
	s.add("granted", func(app *oauthkit.AbstractApplication) { app.GrantTypes = grants })
}

func (s *checkScene) addWithoutIss(omit bool) {
	s.add("apache", func(app *oauthkit.AbstractApplication) { app.OmitIssInErrors = &omit })
}

// addWithResources adds an application with a default resource to a provider of the API
// https://api.example.
func (s *checkScene) addWithResources(resource string) {
	s.config.Resources = []string{"https://api.example"}
	s.add("named", func(app *oauthkit.AbstractApplication) {
		app.Resources, app.DefaultResources = oauthkit.URIs{resource}, oauthkit.URIs{resource}
	})
}

func (s *checkScene) addWithPKCE(policy oauthkit.PKCEPolicy) {
	s.add("passport", func(app *oauthkit.AbstractApplication) { app.PKCE = policy })
}

// TestCheck_NamesPKCE shows that one finding names each application that may omit PKCE,
// with its policy, although the default is weak too.
func TestCheck_NamesPKCE(t *testing.T) {
	s := newCheckScene(t)
	s.config.PKCE = oauthkit.PKCENonce
	s.addWithPKCE(oauthkit.PKCEOptional)
	s.add("dex", func(app *oauthkit.AbstractApplication) { app.PKCE = oauthkit.PKCENonce })
	findings := s.provider().Check(t.Context())
	if got := ids(findings); !slices.Equal(got, []string{"oauthkit.W012", "oauthkit.W108"}) {
		t.Fatalf("got %v, want oauthkit.W012 and oauthkit.W108", findings)
	}
	if message := findings[1].Message; !strings.HasSuffix(message, ": dex (nonce), passport (optional)") {
		t.Errorf("got %q, want each application with its policy", message)
	}
}

// tokenApplication sets a token lifetime.
type tokenApplication struct {
	oauthkit.AbstractApplication
	lifetime time.Duration
}

func (a *tokenApplication) AccessTokenLifetime() time.Duration { return a.lifetime }

func (s *checkScene) addTokenApplication(lifetime time.Duration) {
	app := &tokenApplication{lifetime: lifetime, AbstractApplication: oauthkit.AbstractApplication{
		ClientID: "tokens", ClientType: oauthkit.Public,
	}}
	s.addApplication(app)
}

func withHTTPRedirect(app *oauthkit.AbstractApplication) {
	app.RedirectURIs = append(app.RedirectURIs, "http://app.test/callback")
}

// TestCheck_AllPages shows that all applications are checked, that a finding names only
// a few of them, and never a secret.
func TestCheck_AllPages(t *testing.T) {
	s := newCheckScene(t)
	for i := range 230 {
		s.add(fmt.Sprintf("app-%03d", i), func(app *oauthkit.AbstractApplication) { app.ClientSecret = "hunter2" })
	}
	findings := s.provider().Check(t.Context())
	if got := ids(findings); !slices.Equal(got, []string{"oauthkit.W103"}) {
		t.Fatalf("got %v, want oauthkit.W103", got)
	}
	message := findings[0].Message
	if !strings.Contains(message, "app-000, app-001") || !strings.HasSuffix(message, "app-019 and 210 more") || strings.Contains(message, "hunter2") {
		t.Errorf("got %q, want the first 20 of 230 by name and no secret", message)
	}
}

// TestCheck_NamesFields shows that a finding names an invalid application with its
// problems, once per check.
func TestCheck_NamesFields(t *testing.T) {
	s := newCheckScene(t)
	s.add("weak", func(app *oauthkit.AbstractApplication) {
		app.RedirectURIs, app.ClientSecret = oauthkit.URIs{"http://one.test/", "http://two.test/"}, ""
	})
	findings := s.provider().Check(t.Context())
	if got := ids(findings); !slices.Equal(got, []string{"oauthkit.W101", "oauthkit.W103"}) {
		t.Fatalf("got %v, want oauthkit.W101 and oauthkit.W103", got)
	}
	if message := findings[0].Message; !strings.HasSuffix(message, ": weak (redirect_uris)") {
		t.Errorf("got %q, want the client_id with the field", message)
	}
}

// oneScopeApplication allows one scope, regardless of its list.
type oneScopeApplication struct{ oauthkit.AbstractApplication }

func (*oneScopeApplication) AllowsScope(scope string) bool { return scope == "gone" }

// TestCheck_NamesScopes shows that unknown scopes are named if the application allows
// them.
func TestCheck_NamesScopes(t *testing.T) {
	s := newCheckScene(t)
	s.add("typo", func(app *oauthkit.AbstractApplication) {
		app.Scopes = oauthkit.Scopes{"raed", "introspection", "wirte"}
	})
	s.addApplication(&oneScopeApplication{oauthkit.AbstractApplication{
		ClientID: "two", ClientType: oauthkit.Public, Scopes: oauthkit.Scopes{"gone", "unused"},
	}})
	findings := s.provider().Check(t.Context())
	if got := ids(findings); !slices.Equal(got, []string{"oauthkit.W105"}) {
		t.Fatalf("got %v, want oauthkit.W105", findings)
	}
	if message := findings[0].Message; !strings.HasSuffix(message, ": two (gone), typo (raed wirte)") {
		t.Errorf("got %q, want each application with its scopes", message)
	}
}
