package grants_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const vouched oauth2.GrantType = "urn:example:vouched"

// vouchers is a grant that redeems credentials with RedeemCode.
type vouchers struct{ store oauthkit.CodeStore }

func (vouchers) GrantType() oauth2.GrantType { return vouched }

func (v vouchers) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	return grants.RedeemCode(ctx, v.store, request, request.Form.Get("credential"))
}

// failingStore is a store that cannot look up codes.
type failingStore struct{ oauthkit.CodeStore }

func (failingStore) Code(context.Context, string) (*oauthkit.AuthorizationCode, error) {
	return nil, errors.New("broken")
}

var vouchTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// newVouchers returns a provider with the grant, and the applications tv and radio.
func newVouchers(t *testing.T, now *time.Time, codes func(oauthkit.CodeStore) oauthkit.CodeStore) (*oauthkit.Provider, map[string]oauthkit.Application) {
	store, applications := memstore.New(), map[string]oauthkit.Application{}
	for _, id := range []string{"tv", "radio"} {
		app := &oauthkit.AbstractApplication{
			ClientID: id, ClientType: oauthkit.Confidential,
			GrantTypes: oauthkit.GrantTypes{vouched, oauth2.Refreshing}, Scopes: oauthkit.Scopes{"read"},
		}
		app.GenerateSecret()
		if err := store.CreateApplication(t.Context(), app, *now); err != nil {
			t.Fatal(err)
		}
		applications[id] = app
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: append(grants.Standard(store), vouchers{codes(store)}), Scopes: oauthkit.StaticScopes{"read": ""},
		Now: func() time.Time { return *now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return provider, applications
}

// TestRedeemCode redeems a credential that the application tv got, and expects tokens or
// an error.
func TestRedeemCode(t *testing.T) {
	tests := []struct {
		name       string
		code       func(code *oauthkit.AuthorizationCode)
		client     string
		credential string
		after      time.Duration
		codes      func(oauthkit.CodeStore) oauthkit.CodeStore
		want       oauthkit.ErrorCode
		notFound   bool
	}{
		{name: "valid", want: ""},
		{name: "unknown", credential: "other", want: oauthkit.InvalidGrant, notFound: true},
		{name: "another application", client: "radio", want: oauthkit.InvalidGrant},
		{name: "expired", after: time.Minute, want: oauthkit.InvalidGrant},
		{
			name: "of the code grant", want: oauthkit.InvalidGrant,
			code: func(code *oauthkit.AuthorizationCode) { code.RedirectURI = "https://example.net/cb" },
		},
		{
			name: "without its key", want: oauthkit.InvalidGrant,
			code: func(code *oauthkit.AuthorizationCode) {
				code.Confirmation = oauthkit.Confirmation{Method: "jkt", Value: "key"}
			},
		},
		{
			name: "store fails", want: oauthkit.TemporarilyUnavailable,
			codes: func(store oauthkit.CodeStore) oauthkit.CodeStore { return failingStore{store} },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now, codes := vouchTime, test.codes
			if codes == nil {
				codes = func(store oauthkit.CodeStore) oauthkit.CodeStore { return store }
			}
			provider, applications := newVouchers(t, &now, codes)
			approve(t, provider, applications["tv"], test.code)
			now = now.Add(test.after)
			client, credential := test.client, test.credential
			if client == "" {
				client = "tv"
			}
			if credential == "" {
				credential = "credential"
			}
			response, err := redeemVoucher(t, provider, applications[client], credential)
			if code := oauthkit.CodeOf(err); err != nil && code != test.want || err == nil && test.want != "" {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if errors.Is(err, oauthkit.ErrNotFound) != test.notFound {
				t.Errorf("got %v, want ErrNotFound %t", err, test.notFound)
			}
			if err == nil && (response.ExpiresIn != 600 || response.RefreshToken == "") {
				t.Errorf("got %d s and refresh token %t, want 600 s and one", response.ExpiresIn, response.RefreshToken != "")
			}
		})
	}
}

// TestRedeemCode_Replay redeems a credential twice and expects its tokens to be revoked.
func TestRedeemCode_Replay(t *testing.T) {
	now := vouchTime
	provider, applications := newVouchers(t, &now, func(store oauthkit.CodeStore) oauthkit.CodeStore { return store })
	approve(t, provider, applications["tv"], nil)
	first, err := redeemVoucher(t, provider, applications["tv"], "credential")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := redeemVoucher(t, provider, applications["tv"], "credential"); oauthkit.CodeOf(err) != oauthkit.InvalidGrant {
		t.Errorf("got %v for a replay, want invalid_grant", err)
	}
	if _, err := provider.Authenticate(t.Context(), oauthkit.BearerToken(first.AccessToken)); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		t.Errorf("got %v after a replay, want invalid_token", err)
	}
}

// approve approves a request of app and saves the code of "credential", as changed.
func approve(t *testing.T, provider *oauthkit.Provider, app oauthkit.Application, change func(*oauthkit.AuthorizationCode)) {
	t.Helper()
	request, err := provider.NewConsentRequest(t.Context(), app, vouched, url.Values{"scope": {"read"}})
	if err != nil {
		t.Fatal(err)
	}
	decision := oauthkit.Decision{Given: true}
	err = provider.Approve(t.Context(), request, &oauthkit.User{Subject: "alice"}, decision, func(approval *oauthkit.Approval) error {
		approval.AddCode(oauthkit.CredentialHash("credential"), request.Now.Add(time.Minute))
		if change != nil {
			change(approval.Code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func redeemVoucher(t *testing.T, provider *oauthkit.Provider, app oauthkit.Application, credential string) (*oauthkit.TokenResponse, error) {
	t.Helper()
	form := url.Values{"grant_type": {string(vouched)}, "credential": {credential}}
	return provider.Exchange(t.Context(), oauthkit.TokenRequest{Application: app, Form: form})
}
