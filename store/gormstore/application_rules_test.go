package gormstore_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// lenientApplication accepts all addresses.
type lenientApplication struct{ oauthkit.AbstractApplication }

func (*lenientApplication) ValidateRedirectURI(string) error { return nil }

func (*lenientApplication) ValidateOrigin(string) error { return nil }

// managedStore is a store that is an ApplicationManager.
type managedStore interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.ApplicationManager
}

// storesWith returns empty stores with rules for applications.
func storesWith[T any, A interface {
	*T
	oauthkit.Application
}](t *testing.T, rules oauthkit.ApplicationRules) map[string]managedStore {
	t.Helper()
	memory := memstore.New()
	memory.Rules, memory.NewModel = rules, func() oauthkit.Application { return A(new(T)) }
	database, err := sqlite.OpenWith[A](":memory:", gormstore.Config{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return map[string]managedStore{"memstore": memory, "gormstore": database}
}

// lenient returns rules that accept everything.
func lenient() oauthkit.ApplicationRules {
	anything := func(oauthkit.Application) func(string) error { return func(string) error { return nil } }
	return oauthkit.ApplicationRules{RedirectURI: anything, Origin: anything}
}

// addresses returns an application with one redirect URI and one origin.
func addresses(store managedStore, redirectURI, origin string) oauthkit.Application {
	app := store.NewApplication()
	*oauthkit.Abstract(app) = oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{redirectURI}, AllowedOrigins: oauthkit.URIs{origin}, Scopes: oauthkit.Scopes{"read"},
	}
	return app
}

// TestRulesDecideWhatIsStored replaces the rules of a provider and of an application
// with laxer and stricter ones.
func TestRulesDecideWhatIsStored(t *testing.T) {
	ours := func(app oauthkit.Application) func(string) error {
		return func(uri string) error {
			if !strings.HasPrefix(uri, "https://"+app.GetID()+".ours.test") {
				return errors.New("must be ours")
			}
			return nil
		}
	}
	strict := oauthkit.ApplicationRules{RedirectURI: ours, Origin: ours}
	undecided := func(oauthkit.Application) func(string) error { return nil }
	none := oauthkit.ApplicationRules{RedirectURI: undecided, Origin: undecided}
	const otherRedirect, ourRedirect = "http://rp.test/cb", "https://web.ours.test/cb"
	for name, test := range map[string]struct {
		stores      map[string]managedStore
		other, ours bool // whether the addresses are stored
	}{
		"library":                     {storesWith[oauthkit.AbstractApplication](t, oauthkit.ApplicationRules{}), false, true},
		"undecided provider":          {storesWith[oauthkit.AbstractApplication](t, none), false, true},
		"lax provider":                {storesWith[oauthkit.AbstractApplication](t, lenient()), true, true},
		"strict provider":             {storesWith[oauthkit.AbstractApplication](t, strict), false, true},
		"lax application":             {storesWith[lenientApplication](t, oauthkit.ApplicationRules{}), true, true},
		"application before provider": {storesWith[lenientApplication](t, strict), true, true},
	} {
		for kind, store := range test.stores {
			for uri, stored := range map[string]bool{otherRedirect: test.other, ourRedirect: test.ours} {
				err := store.ValidateApplication(addresses(store, uri, strings.TrimSuffix(uri, "/cb")))
				var problems oauthkit.Problems
				refused := errors.As(err, &problems) && problems.Of("redirect_uris") != nil && problems.Of("allowed_origins") != nil
				if (err == nil) != stored || refused == stored {
					t.Errorf("%s, %s, %s: got %v, want stored %t", name, kind, uri, err, stored)
				}
			}
		}
	}
}

// TestB01_LaxRulesOpenNoRedirect stores addresses, with rules that accept everything,
// that are dangerous unless requests are compared byte by byte.
func TestB01_LaxRulesOpenNoRedirect(t *testing.T) {
	for stored, requested := range map[string][]string{
		"https://*.rp.test/cb":        {"https://evil.rp.test/cb", "https://rp.test/cb"},
		"https://rp.test/*":           {"https://rp.test/cb"},
		"https://rp.test":             {"https://rp.test/", "https://rp.test.evil.test", "https://rp.test/cb", "https://rp.test@evil.test"},
		"*":                           {"https://evil.test/cb", "*"},
		"http://rp.test/cb":           {"http://rp.test/cb", "https://rp.test/cb"},
		"javascript:alert(1)":         {"javascript:alert(1)"},
		"data:text/html,x":            {"data:text/html,x"},
		"https://rp.test/cb#fragment": {"https://rp.test/cb#fragment", "https://rp.test/cb"},
		"//rp.test/cb":                {"//rp.test/cb", "https://rp.test/cb"},
	} {
		for kind, store := range storesWith[lenientApplication](t, lenient()) {
			if err := store.CreateApplication(t.Context(), addresses(store, stored, "*"), now); err != nil {
				t.Errorf("%s, %s: got error %v, want none", kind, stored, err)
				continue
			}
			for _, uri := range requested {
				if err := authorizeError(t, store, uri); oauthkit.CodeOf(err) != oauthkit.InvalidRequest || !strings.Contains(err.Error(), "redirect_uri") {
					t.Errorf("%s, %s: a request with %s: got %v, want an error", kind, stored, uri, err)
				}
			}
		}
	}
}

// authorizeError parses an authorization request of the application web.
func authorizeError(t *testing.T, store managedStore, redirectURI string) error {
	t.Helper()
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = provider.NewAuthorizeRequest(t.Context(), url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {redirectURI}, "scope": {"read"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	return err
}
