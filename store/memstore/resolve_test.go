package memstore_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// resolving replaces the parameters of every authorization request by the same ones.
type resolving struct{ form url.Values }

func (e resolving) Extend(registry *oauthkit.Registry) error {
	registry.ResolveAuthorize(func(_ context.Context, source *oauthkit.AuthorizeSource) error {
		source.Form = e.form
		return nil
	})
	return nil
}

// TestResolvedFormIsNotChanged shows that an extension may assign parameters that it
// keeps, although the library drops the unknown ones of a request.
func TestResolvedFormIsNotChanged(t *testing.T) {
	store, now := memstore.New(), time.Now()
	app := &oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{"authorization_code"},
		RedirectURIs: oauthkit.URIs{"https://app.example/cb"}, Scopes: oauthkit.Scopes{"read"},
	}
	if err := store.CreateApplication(t.Context(), app, now); err != nil {
		t.Fatal(err)
	}
	kept := url.Values{"client_id": {"web"}, "redirect_uri": {"https://app.example/cb"}, "unknown": {"1"}}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Extensions: []oauthkit.Extension{resolving{kept}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// There is an error, since response_type is missing.
	request, _ := provider.NewAuthorizeRequest(t.Context(), url.Values{"client_id": {"web"}})
	if request == nil || request.Form.Has("unknown") {
		t.Fatalf("got %v, want a request without the unknown parameter", request)
	}
	if !kept.Has("unknown") {
		t.Error("the library dropped a parameter of the extension's own form")
	}
}
