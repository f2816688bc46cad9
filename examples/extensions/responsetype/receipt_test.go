package responsetype_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/examples/extensions/responsetype"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

var receipts = responsetype.Receipts{Key: []byte("a key that the application knows too")}

const codeReceipt oauthkit.ResponseType = "code receipt"

// application may use the response type.
type application struct{ oauthkit.AbstractApplication }

// AllowsResponseType allows every type that the provider has.
func (a *application) AllowsResponseType(oauthkit.ResponseType) bool { return true }

// newServer returns the URL of a provider on which alice is signed in.
func newServer(t *testing.T, types ...oauthkit.ResponseType) string {
	app := &application{oauthkit.AbstractApplication{
		ClientID: "shop", ClientType: oauthkit.Public, SkipAuthorization: true, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://shop.test/cb"}, Scopes: oauthkit.Scopes{"read"},
	}}
	store := memstore.New()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	provider, err := oauthkit.New(server.URL, store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read"},
		Extensions: []oauthkit.Extension{receipts}, ResponseTypes: types,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler, err = oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return server.URL
}

const verifier = "a verifier of at least forty-three characters"

// authorize sends an authorization request. It returns the target of the redirect, or the
// page that posts the response.
func authorize(t *testing.T, issuer string, parameters ...string) (location url.URL, page string) {
	t.Helper()
	challenge := sha256.Sum256([]byte(strings.ReplaceAll(verifier, " ", "-")))
	query := url.Values{
		"client_id": {"shop"}, "redirect_uri": {"https://shop.test/cb"}, "response_type": {"code receipt"}, "scope": {"read"}, "state": {"xyz"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	for pair := range slices.Chunk(parameters, 2) {
		query.Set(pair[0], pair[1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(issuer + "/authorize?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if target, err := response.Location(); err == nil {
		location = *target
	}
	return location, string(body)
}

var input = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// posted returns the fields of the page that posts the response.
func posted(_ url.URL, page string) url.Values {
	fields := url.Values{}
	for _, match := range input.FindAllStringSubmatch(page, -1) {
		fields.Add(match[1], html.UnescapeString(match[2]))
	}
	return fields
}

func TestReceipt(t *testing.T) {
	issuer := newServer(t, oauthkit.ResponseTypeCode, codeReceipt)
	for _, responseType := range []string{"code receipt", "receipt code"} {
		fields := posted(authorize(t, issuer, "response_type", responseType, "response_mode", "form_post"))
		statement, err := receipts.Verify(fields.Get("receipt"), fields.Get("code"))
		if err != nil || statement.Subject != "alice" || statement.Scopes.String() != "read" || fields.Get("state") != "xyz" || fields.Get("iss") != issuer {
			t.Errorf("%s: got %v with %+v, %v, want a receipt for alice", responseType, fields, statement, err)
		}
		if _, err := receipts.Verify(fields.Get("receipt"), "another code"); err == nil {
			t.Errorf("%s: got no error for another code, want one", responseType)
		}
	}
	t.Run("errors are posted too", func(t *testing.T) {
		fields := posted(authorize(t, issuer, "scope", "nonsense", "response_mode", "form_post"))
		if fields.Get("error") != "invalid_scope" || fields.Has("code") {
			t.Errorf("got %v, want invalid_scope", fields)
		}
	})
	t.Run("the default mode is the fragment", func(t *testing.T) {
		location, _ := authorize(t, issuer)
		if !strings.HasPrefix(location.Fragment, "code=") || location.RawQuery != "" {
			t.Errorf("got %v, want the response in the fragment", location)
		}
	})
	t.Run("code alone works as before", func(t *testing.T) {
		location, _ := authorize(t, issuer, "response_type", "code")
		if location.Query().Get("code") == "" || location.Query().Has("receipt") {
			t.Errorf("got %v, want a code in the query", location)
		}
	})
}

func TestHostMustAllowTheCombination(t *testing.T) {
	location, _ := authorize(t, newServer(t))
	if !strings.Contains(location.Fragment, "error=unsupported_response_type") {
		t.Errorf("got %v, want unsupported_response_type", location)
	}
}
