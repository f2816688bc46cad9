package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// visitor is a browser, with the applications that it uses, at a running idp.
type visitor struct {
	*testing.T
	ctx                context.Context // with the client of the applications
	issuer             string
	username, password string
	client             *http.Client
}

func (r *running) newVisitor(username, password string) *visitor {
	r.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.Fatal(err)
	}
	stop := func(next *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(next.URL.Host, ".test") { // an application, which does not run
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &visitor{
		T: r.T, issuer: r.origin + "/o", username: username, password: password,
		ctx:    oidc.ClientContext(r.Context(), &http.Client{Transport: r.transport}),
		client: &http.Client{Transport: r.transport, Jar: jar, CheckRedirect: stop},
	}
}

var (
	formAction  = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	fieldNamed  = regexp.MustCompile(`<(?:input|button)[^>]* name="([^"]*)"`)
)

// open opens an address and answers the pages until the browser goes to an application.
// It returns the parameters that the application gets, and the fields of each page.
func (v *visitor) open(address string) (back url.Values, pages []string) {
	v.Helper()
	response, err := v.client.Get(address)
	for err == nil {
		body, readErr := io.ReadAll(response.Body)
		response.Body.Close()
		if readErr != nil {
			v.Fatal(readErr)
		}
		if location, err := response.Location(); err == nil {
			return location.Query(), pages
		}
		action := formAction.FindStringSubmatch(string(body))
		if response.StatusCode != http.StatusOK || action == nil || len(pages) > 5 {
			v.Fatalf("page %d at %s: %s\n%s", len(pages), response.Request.URL, response.Status, body)
		}
		var names []string
		for _, field := range fieldNamed.FindAllStringSubmatch(string(body), -1) {
			names = append(names, field[1])
		}
		pages = append(pages, strings.Join(names, " "))
		form := url.Values{"username": {v.username}, "password": {v.password}, "decision": {"allow"}}
		for _, field := range hiddenField.FindAllStringSubmatch(string(body), -1) {
			form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
		}
		target, parseErr := response.Request.URL.Parse(html.UnescapeString(action[1]))
		if parseErr != nil {
			v.Fatal(parseErr)
		}
		response, err = v.client.PostForm(target.String(), form)
	}
	v.Fatal(err)
	return nil, nil
}

// signIn signs in at an application and returns its tokens, with the claims of the
// verified ID token, and the number of pages that the user saw.
func (v *visitor) signIn(clientID string, parameters url.Values) (tokens *oauth2.Token, claims map[string]any, pages int) {
	v.Helper()
	provider, err := oidc.NewProvider(v.ctx, v.issuer)
	if err != nil {
		v.Fatal(err)
	}
	config := &oauth2.Config{
		ClientID: clientID, ClientSecret: secretOf(clientID), Endpoint: provider.Endpoint(),
		RedirectURL: "https://" + clientID + ".test/cb", Scopes: []string{"openid", "profile", "offline_access"},
	}
	if parameters.Has("scope") {
		config.Scopes = parameters["scope"]
	}
	verifier := oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	for name := range parameters {
		if name != "scope" {
			options = append(options, oauth2.SetAuthURLParam(name, parameters.Get(name)))
		}
	}
	back, shown := v.open(config.AuthCodeURL("state", options...))
	if back.Get("code") == "" {
		v.Fatalf("%s: got %v, want a code", clientID, back)
	}
	tokens, err = config.Exchange(v.ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		v.Fatal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: clientID}).Verify(v.ctx, raw)
	if err == nil {
		err = idToken.Claims(&claims)
	}
	if err != nil {
		v.Fatal(err)
	}
	return tokens, claims, len(shown)
}

// secretOf returns the secret of an application in the seed file of a test.
func secretOf(clientID string) string { return "the-secret-of-" + clientID }

// seedApplicationOf returns the JSON of a confidential application, with further members.
func seedApplicationOf(clientID, members string) string {
	return fmt.Sprintf(`{"client_id": %q, "client_secret": %q, "name": %q, "client_type": "confidential",
		"grant_types": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile", "offline_access"],
		"redirect_uris": ["https://%s.test/cb"]%s}`, clientID, secretOf(clientID), clientID, clientID, members)
}

// writeSeed writes a seed file with the users alice and bob.
func writeSeed(t *testing.T, members string, applications ...string) string {
	t.Helper()
	document := `{"users": [
		{"username": "alice", "password": "` + alicesPassword + `", "claims": {"name": "Alice Liddell"}},
		{"username": "bob", "password": "builder"}
	], "applications": [` + strings.Join(applications, ", ") + `]` + members + `}`
	if !json.Valid([]byte(document)) {
		t.Fatalf("not JSON: %s", document)
	}
	path := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
