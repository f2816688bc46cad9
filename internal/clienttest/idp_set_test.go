package clienttest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestIDPSetApplication trusts and disables an application while the provider serves,
// and undoes both. Each change takes effect at once and leaves other settings
// unchanged.
func TestIDPSetApplication(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		secret := createShop(t, location)
		set := func(args ...string) {
			t.Helper()
			if printed := succeed(t, append([]string{"applications", "set", "shop", "-db", location}, args...)...); printed != "Changed shop.\n" {
				t.Errorf("%v: got %q, want a list of the changes", args, printed)
			}
		}
		denied := func(person *person) url.Values { // also on a page
			t.Helper()
			back, _, err := person.answer(shop(idp, secret).AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), "deny")
			if err != nil {
				t.Fatal(err)
			}
			return back.Query()
		}
		listed := func(state string) {
			t.Helper()
			if printed := succeed(t, "applications", "list", "-db", location); !regexp.MustCompile(`(?m)^shop .* ` + state + ` +"alice" +"Our shop"$`).MatchString(printed) {
				t.Errorf("got\n%s\nwant alice's shop as %s", printed, state)
			}
		}
		set("-name", "Our shop", "-verified")
		if answer := denied(newPerson(t)); answer.Get("error") != "access_denied" {
			t.Errorf("got %v, want the user asked", answer)
		}
		set("-skip-authorization")
		listed("trusted,verified")
		alice := newPerson(t)
		if answer := denied(alice); answer.Get("code") == "" {
			t.Errorf("trusted: got %v, want a code without a consent page", answer)
		}
		tokens := signIn(t, shop(idp, secret), alice)
		set("-disabled")
		if worksFor(t, idp, secret) || introspect(t, idp, tokens.AccessToken)["active"] != false {
			t.Error("got a valid token or secret after the application was disabled, want none")
		}
		if document := succeed(t, "applications", "show", "shop", "-db", location); !strings.Contains(document, `"disabled": true`) {
			t.Errorf("got\n%s\nwant it disabled", document)
		}
		set("-disabled=false", "-skip-authorization=false", "-verified=false")
		listed("-")
		if answer := denied(alice); answer.Get("error") != "access_denied" || !worksFor(t, idp, secret) {
			t.Errorf("got %v, want the user asked again, and the old secret valid", answer)
		}
	})
}

// TestIDPKnowsScopes shows that without a seed file commands and provider accept the
// same scopes.
func TestIDPKnowsScopes(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "public", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location,
		"-scopes", "openid profile email address phone offline_access introspection", "-client-id", "app", "-verified")
	if checked := succeed(t, "check", "-db", location); strings.Contains(checked, "oauthkit.W105") {
		t.Errorf("got\n%s\nwant no note about scopes", checked)
	}
	_, complaint, status := command(t, "applications", "set", "app", "-scopes", "openid read", "-db", location)
	if status != 2 || !strings.Contains(complaint, "scopes: read is not one of") || !strings.Contains(complaint, "-seed FILE") {
		t.Errorf("got status %d and %q, want the scope and how to name the file", status, complaint)
	}
	seed := seedFile(t)
	succeed(t, "applications", "set", "app", "-scopes", "openid read", "-seed", seed, "-db", location)
	if checked := succeed(t, "check", "-db", location); !strings.Contains(checked, "app (read)") {
		t.Errorf("got\n%s\nwant a note that the seed file does not have the scope", checked)
	}
	if checked := succeed(t, "check", "-seed", seed, "-db", location); strings.Contains(checked, "oauthkit.W105") {
		t.Errorf("got\n%s\nwant no note about scopes", checked)
	}
}

// TestIDPResponseTypes shows that an operator can set the response types that the
// provider supports, and no others.
func TestIDPResponseTypes(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "public", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location,
		"-response-types", "code", "-client-id", "app")
	if document := succeed(t, "applications", "show", "app", "-db", location); !regexp.MustCompile(`"response_types": \[\s*"code"\s*\]`).MatchString(document) {
		t.Errorf("got\n%s\nwant the response type", document)
	}
	_, complaint, status := command(t, "applications", "set", "app", "-response-types", "code, never code", "-db", location)
	if status != 2 || !strings.Contains(complaint, "response_types: code never is not one of [code]") {
		t.Errorf("got status %d and %q, want the response type that is not supported", status, complaint)
	}
	succeed(t, "applications", "set", "app", "-response-types", "", "-db", location)
}

// TestIDPOmitIssInErrors shows that an operator decides whether error responses have iss.
func TestIDPOmitIssInErrors(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "confidential", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location,
		"-client-id", "app", "-omit-iss-in-errors")
	if document := succeed(t, "applications", "show", "app", "-db", location); !strings.Contains(document, `"omit_iss_in_errors": true`) {
		t.Errorf("got\n%s\nwant omit_iss_in_errors", document)
	}
	succeed(t, "applications", "set", "app", "-omit-iss-in-errors=false", "-db", location)
	if document := succeed(t, "applications", "show", "app", "-db", location); !strings.Contains(document, `"omit_iss_in_errors": false`) {
		t.Errorf("got\n%s\nwant omit_iss_in_errors to be false", document)
	}
}

// TestIDPRequestSettings shows that an operator sets the defaults of requests and removes
// them again.
func TestIDPRequestSettings(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "confidential", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location,
		"-client-id", "app", "-default-max-age", "60", "-resources", "urn:a urn:b", "-default-resources", "urn:a")
	document := succeed(t, "applications", "show", "app", "-db", location)
	for _, want := range []string{`"default_max_age": 60`, `"resources": [`, `"urn:b"`, `"default_resources": [`} {
		if !strings.Contains(document, want) {
			t.Errorf("got\n%s\nwant %s", document, want)
		}
	}
	_, complaint, status := command(t, "applications", "set", "app", "-default-resources", "urn:c", "-default-max-age", "-1", "-db", location)
	if status != 2 || !strings.Contains(complaint, "default_resources: ") || !strings.Contains(complaint, "default_max_age: ") {
		t.Errorf("got status %d and %q, want a problem of each setting", status, complaint)
	}
	succeed(t, "applications", "set", "app", "-default-max-age", "", "-resources", "", "-default-resources", "", "-db", location)
	document = succeed(t, "applications", "show", "app", "-db", location)
	if strings.Contains(document, "default_max_age") || strings.Contains(document, "resources") {
		t.Errorf("got\n%s\nwant no setting", document)
	}
}

// TestIDPIDTokenClaims shows that an operator decides whether ID tokens contain the
// claims about the user, and that a refresh follows the change.
func TestIDPIDTokenClaims(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		config := shop(idp, createShop(t, location))
		succeed(t, "applications", "set", "shop", "-db", location, "-id-token-claims", "-scopes", "openid email", "-seed", seedFile(t))
		config.Scopes = []string{oidc.ScopeOpenID, "email"}
		tokens := signIn(t, config, newPerson(t))
		aliceInIDToken(t, idp, tokens, `{"email":"alice@example.com","email_verified":true}`)
		renewed := refreshNow(t, config, tokens)
		aliceInIDToken(t, idp, renewed, `{"email":"alice@example.com","email_verified":true}`)
		succeed(t, "applications", "set", "shop", "-db", location, "-id-token-claims=false")
		aliceInIDToken(t, idp, refreshNow(t, config, renewed), `{}`)
		if document := succeed(t, "applications", "show", "shop", "-db", location); !strings.Contains(document, `"id_token_claims": false`) {
			t.Errorf("got\n%s\nwant id_token_claims", document)
		}
	})
}

func refreshNow(t *testing.T, config *oauth2.Config, tokens *oauth2.Token) *oauth2.Token {
	t.Helper()
	old := *tokens
	old.Expiry = time.Now().Add(-time.Minute)
	renewed, err := config.TokenSource(t.Context(), &old).Token()
	if err != nil {
		t.Fatal(err)
	}
	return renewed
}

// aliceInIDToken verifies an ID token and compares its name and email claims.
func aliceInIDToken(t *testing.T, idp *process, tokens *oauth2.Token, want string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), idp.issuer())
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: "shop"}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims, about map[string]any
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	about = map[string]any{}
	for _, name := range []string{"name", "email", "email_verified"} {
		if value, ok := claims[name]; ok {
			about[name] = value
		}
	}
	if got, err := json.Marshal(about); err != nil || string(got) != want || token.Subject != "alice" {
		t.Errorf("got %s and %v about %s, want %s about alice", got, err, token.Subject, want)
	}
}

// TestIDPPKCE shows that an operator can set the PKCE policy of a confidential
// application, and that check names the application with it.
func TestIDPPKCE(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "confidential", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location,
		"-pkce", "nonce", "-client-id", "app")
	if document := succeed(t, "applications", "show", "app", "-db", location); !strings.Contains(document, `"pkce": "nonce"`) {
		t.Errorf("got\n%s\nwant the policy", document)
	}
	if checked := succeed(t, "check", "-db", location); !strings.Contains(checked, "oauthkit.W108") || !strings.Contains(checked, "app (nonce)") {
		t.Errorf("got\n%s\nwant a note with the application", checked)
	}
	_, complaint, status := command(t, "applications", "set", "app", "-pkce", "plain", "-db", location)
	if status != 2 || !strings.Contains(complaint, `pkce: must be "required", "nonce" or "optional"`) {
		t.Errorf("got status %d and %q, want the policies", status, complaint)
	}
	_, complaint, status = command(t, "createapplication", "public", "authorization_code", "-redirect-uris", "https://app.example/cb", "-db", location, "-pkce", "optional")
	if status != 2 || !strings.Contains(complaint, `pkce: "optional" needs a confidential application`) {
		t.Errorf("got status %d and %q, want a refusal for a public application", status, complaint)
	}
	succeed(t, "applications", "set", "app", "-pkce", "", "-db", location)
	if checked := succeed(t, "check", "-db", location); strings.Contains(checked, "oauthkit.W108") {
		t.Errorf("got\n%s\nwant no note about PKCE", checked)
	}
}

// TestIDPWithoutPKCE signs in with a client that has no PKCE: with its nonce, and then
// with neither.
func TestIDPWithoutPKCE(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		config, alice := shop(idp, createShop(t, location)), newPerson(t)
		exchange := func(options ...oauth2.AuthCodeOption) *oauth2.Token {
			t.Helper()
			back, _, err := alice.answer(config.AuthCodeURL("s", options...), "allow")
			if err != nil {
				t.Fatal(err)
			}
			tokens, err := config.Exchange(t.Context(), back.Query().Get("code"))
			if err != nil {
				t.Fatal(err)
			}
			return tokens
		}
		succeed(t, "applications", "set", "shop", "-db", location, "-pkce", "nonce", "-verified")
		provider, err := oidc.NewProvider(t.Context(), idp.issuer())
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := exchange(oidc.Nonce("of-this-session")).Extra("id_token").(string)
		token, err := provider.Verifier(&oidc.Config{ClientID: "shop"}).Verify(t.Context(), raw)
		if err != nil || token.Nonce != "of-this-session" {
			t.Errorf("got %+v, %v; want an ID token with the nonce", token, err)
		}
		back, _, err := alice.answer(config.AuthCodeURL("s"), "allow")
		if err != nil || back.Query().Get("error") != "invalid_request" {
			t.Errorf("got %s, %v; want invalid_request without a nonce", back, err)
		}
		succeed(t, "applications", "set", "shop", "-db", location, "-pkce", "optional")
		refreshNow(t, config, exchange())
	})
}

// TestIDPTakenAddress checks the error if the address is in use.
func TestIDPTakenAddress(t *testing.T) {
	location := t.TempDir() + "/idp.db"
	idp := start(t, "idp", "-db", location)
	_, complaint, status := command(t, "-addr", strings.TrimPrefix(idp.origin, "http://"), "-db", location)
	if status != 1 || !strings.Contains(complaint, "in use") || !strings.Contains(complaint, "-addr") {
		t.Errorf("got status %d and %q, want 1 and how to name another address", status, complaint)
	}
}
