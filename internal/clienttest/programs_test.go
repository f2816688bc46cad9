package clienttest

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestCustomApplication shows that the typed columns of examples/custom-application
// reach its output, the pages and the ID token.
func TestCustomApplication(t *testing.T) {
	program := start(t, "custom-application")
	const logo = "https://gallery.example/logo.svg"
	said := program.output.String()
	if !strings.Contains(said, "Registered Gallery with logo "+logo+", terms accepted: true.") {
		t.Fatalf("got\n%s\nwant the registered application", said)
	}
	secret, _, _ := strings.Cut(strings.SplitAfter(said, "shown only once: ")[1], "\n")

	for _, address := range []string{authorizeLine(t, said), program.issuer() + "/applications/gallery/update/"} {
		response, err := newPerson(t).client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(page), logo) {
			t.Errorf("%s: got %v and\n%s\nwant a page with the logo's address", address, err, page)
		}
	}

	provider, err := oidc.NewProvider(t.Context(), program.issuer())
	if err != nil {
		t.Fatal(err)
	}
	config := &oauth2.Config{
		ClientID: "gallery", ClientSecret: secret, Endpoint: provider.Endpoint(),
		RedirectURL: program.origin + "/callback", Scopes: []string{oidc.ScopeOpenID},
	}
	verifier := oauth2.GenerateVerifier()
	alice := newPerson(t)
	alice.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	back, _, err := alice.answer(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "allow")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := config.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: "gallery"}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Logo string `json:"app_logo"`
	}
	if err := token.Claims(&claims); err != nil || claims.Logo != logo {
		t.Errorf("got %+v, %v; want the logo in the ID token", claims, err)
	}
}

// TestOwnApplication starts examples/own-application twice on the same database and
// checks its clients.
func TestOwnApplication(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.db")
	for attempt, shown := range []int{1, 0} {
		program := start(t, "own-application", "-db", file)
		if said := program.output.String(); strings.Count(said, "shown only once: ") != shown {
			t.Errorf("start %d: got\n%s\nwant the secret shown %d times", attempt, said, shown)
		}
		response, err := newPerson(t).client.Get(program.origin + "/o/applications/")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(page), "Till") {
			t.Errorf("start %d: got %v and\n%s\nwant the client of the shop", attempt, err, page)
		}
	}
}

// authorizeLine returns the authorization URL in the program's output.
func authorizeLine(t *testing.T, said string) string {
	t.Helper()
	for line := range strings.Lines(said) {
		if strings.Contains(line, "/o/authorize?") {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("got\n%s\nwant an address to open", said)
	return ""
}

// TestResourceServer calls the API of the program examples/resource-server with
// tokens of examples/idp.
func TestResourceServer(t *testing.T) {
	eachDatabase(t, func(t *testing.T, idp *process) {
		t.Setenv("CLIENT_SECRET", webSecret)
		api := start(t, "resource-server", "-introspect", idp.issuer()+"/introspect", "-client-id", "api", "-cache", "0")
		good := machineToken(t, idp, "read")
		for name, test := range map[string]struct {
			header, challenge string
			status            int
		}{
			"valid token":   {"Bearer " + good, "", http.StatusOK},
			"no token":      {"", `Bearer realm="oauth", scope="read"`, http.StatusUnauthorized},
			"made-up token": {"Bearer oat_none", `Bearer error="invalid_token", error_description="the access token is not valid"`, http.StatusUnauthorized},
			"other scope":   {"Bearer " + machineToken(t, idp, "profile"), `Bearer error="insufficient_scope", scope="read"`, http.StatusForbidden},
		} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.origin+"/notes", nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.header != "" {
				request.Header.Set("Authorization", test.header)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.status || response.Header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("%s: got %s with %q, want %d with %q", name, response.Status, response.Header.Get("WWW-Authenticate"), test.status, test.challenge)
			}
		}
		if err := idp.stop(); err != nil {
			t.Errorf("stopping the provider: %v", err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.origin+"/notes", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+good)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("without its provider: got %s, want 503", response.Status)
		}
	})
}

// machineToken returns a token of web for itself.
func machineToken(t testing.TB, idp *process, scope string) string {
	t.Helper()
	config := &clientcredentials.Config{
		ClientID: "web", ClientSecret: webSecret, TokenURL: idp.issuer() + "/token", Scopes: []string{scope},
		EndpointParams: url.Values{}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	token, err := config.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}
