package oauthkit_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// certificates binds the tokens of clients with a TLS certificate to it (RFC 8705 §3).
type certificates struct{}

func (certificates) Extend(registry *oauthkit.Registry) error {
	registry.KeyBinding(oauthkit.KeyBinding{
		Method: "x5t#S256", // token_type stays Bearer
		Confirm: func(_ http.ResponseWriter, r *http.Request, _ oauthkit.Application) (string, error) {
			return thumbprint(r), nil
		},
		Verify: func(_ context.Context, presented oauthkit.PresentedToken) (string, error) {
			return thumbprint(presented.Request), nil
		},
	})
	return nil
}

// thumbprint identifies the client's certificate. It is empty if there is none.
func thumbprint(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// An extension can bind tokens to a key of the application. Package oauthhttp calls
// Confirm and passes the request to Verify.
func ExampleRegistry_KeyBinding() {
	ctx, store := context.Background(), memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read messages"},
		Extensions: []oauthkit.Extension{certificates{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := &oauthkit.AbstractApplication{
		ClientID: "robot", ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"read"},
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	}
	if err := store.CreateApplication(ctx, app, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	// The certificate is stated here, and comes from the connection in a program.
	request := httptest.NewRequest(http.MethodPost, "/o/token", nil)
	request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("certificate")}}}
	confirmation, err := provider.KeyBindings().Confirm(httptest.NewRecorder(), request, app)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := provider.Exchange(ctx, oauthkit.TokenRequest{
		Application: app, Form: url.Values{"grant_type": {"client_credentials"}}, Confirmation: confirmation,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.TokenType)
	presented := oauthkit.BearerToken(response.AccessToken)
	_, err = provider.Authenticate(ctx, presented)
	fmt.Println(oauthkit.CodeOf(err))
	presented.Request = request
	token, err := provider.Authenticate(ctx, presented)
	fmt.Println(token.Authorization.ClientID, err)
	// Output:
	// Bearer
	// invalid_token
	// robot <nil>
}
