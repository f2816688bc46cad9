package main

import (
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// TestSeed_NotServed checks that a seed file with something that idp does not serve stops
// it before anything is stored, and that the error names the application, the member and
// what is served.
func TestSeed_NotServed(t *testing.T) {
	for _, tc := range []struct {
		name, members, application string
		want                       []string
	}{
		{"grant of Django OAuth Toolkit", "", `, "grant_types": ["password"]`, []string{`application "web"`, "grant_types: password", "client_credentials"}},
		{"implicit grant", "", `, "grant_types": ["implicit"]`, []string{`application "web"`, "grant_types: implicit", "authorization_code"}},
		{"device grant", "", `, "grant_types": ["urn:example:device"]`, []string{`application "web"`, "grant_types: urn:example:device"}},
		{"scope", `, "scopes": {"read": "read your orders"}`, `, "scopes": ["openid", "raed"]`, []string{`application "web"`, "scopes: raed", "read"}},
		{"response type", "", `, "response_types": ["code", "id_token token"]`, []string{`application "web"`, "response_types: id_token token", "[code]"}},
		{"authentication method", "", `, "token_endpoint_auth_method": "tls_client_auth"`, []string{`application "web"`, "token_endpoint_auth_method", "client_secret_basic"}},
		{"scope of the library", `, "scopes": {"introspection": "look up tokens"}`, "", []string{`"introspection" exists already`, "scopes of the applications"}},
		{"resource", `, "resources": ["api"]`, "", []string{"Config.Resources", `"api"`}},
		{"class", `, "acr_values": ["two words"]`, "", []string{"acr_values", `"two words"`}},
		{"policy", `, "pkce": "sometimes"`, "", []string{"PKCE", "sometimes"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "idp.db")
			seed := writeSeed(t, tc.members, seedApplicationOf("shop", ""), seedApplicationOf("web", tc.application))
			err := run(t.Context(), []string{"serve", "-addr", "localhost:1", "-db", at, "-seed", seed}, t.Output())
			if err == nil {
				t.Fatal("got no error")
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want %q", err, part)
				}
			}
			seeded{t, location(at)}.open(func(d *database) error {
				apps, err := d.store.ListApplications(t.Context(), oauthkit.ApplicationQuery{})
				if len(apps) != 0 {
					t.Errorf("got %d applications stored, want none", len(apps))
				}
				return err
			})
		})
	}
}

// TestSeed_Served signs in with one seed file that has every member, and compares what
// each does.
func TestSeed_Served(t *testing.T) {
	seed := writeSeed(t, `, "scopes": {"read": "read your orders"}, "user_chooses_scopes": false, "id_token_claims": true, "pkce": "nonce",
		"resources": ["https://api.test/"], "acr_values": ["urn:example:pwd", "urn:example:known"]`,
		seedApplicationOf("web", `, "post_logout_redirect_uris": ["https://web.test/bye"]`),
		seedApplicationOf("plain", `, "id_token_claims": false, "pkce": "optional", "verified": true, "skip_authorization": true, "algorithm": "ES256"`))
	r := startServing(t, filepath.Join(t.TempDir(), "idp.db"), "-seed", seed)
	defer r.end()
	alice := r.newVisitor("alice", alicesPassword)
	for _, step := range []struct {
		name, clientID string
		parameters     url.Values
		pages          int
		acr            string
		hasName        bool
	}{
		{"sign-in and consent", "web", nil, 2, "urn:example:pwd", true},
		{"trusted, without the claims", "plain", nil, 0, "urn:example:pwd", false},
		{"another class is voluntary or demanded", "plain", url.Values{
			"claims": {`{"id_token": {"acr": {"essential": true, "values": ["urn:example:known"]}}}`},
		}, 1, "urn:example:known", false},
		{"an API", "web", url.Values{"resource": {"https://api.test/"}}, 0, "urn:example:known", true},
	} {
		_, claims, pages := alice.signIn(step.clientID, step.parameters)
		if pages != step.pages || claims["acr"] != step.acr || (claims["name"] == "Alice Liddell") != step.hasName {
			t.Errorf("%s: got %d pages and %v, want %d pages, acr %s, the name: %v", step.name, pages, claims, step.pages, step.acr, step.hasName)
		}
	}
}

// TestSeed_Members checks that the members of an application reach the database as they
// stand in the seed file.
func TestSeed_Members(t *testing.T) {
	const members = `, "pkce": "optional", "id_token_claims": true, "omit_iss_in_errors": true, "algorithm": "ES256",
		"response_types": ["code"], "token_endpoint_auth_method": "client_secret_post", "allowed_origins": ["https://web.test"],
		"post_logout_redirect_uris": ["https://web.test/bye"], "skip_authorization": true, "verified": true,
		"backchannel_logout_uri": "https://web.test/back", "backchannel_logout_session_required": true,
		"frontchannel_logout_uri": "https://web.test/front", "frontchannel_logout_session_required": true`
	at := filepath.Join(t.TempDir(), "idp.db")
	seed, err := readSeed(writeSeed(t, "", seedApplicationOf("web", members)))
	if err != nil {
		t.Fatal(err)
	}
	seeded{t, location(at)}.open(func(d *database) error { return seed.apply(t.Context(), d) })
	var out strings.Builder
	if err := run(t.Context(), []string{"applications", "show", "web", "-db", at}, &out); err != nil {
		t.Fatal(err)
	}
	var shown, wanted map[string]any
	if err := errors.Join(json.Unmarshal([]byte(out.String()), &shown), json.Unmarshal([]byte(seedApplicationOf("web", members)), &wanted)); err != nil {
		t.Fatal(err)
	}
	delete(wanted, "client_secret") // never shown
	for name, want := range wanted {
		if !reflect.DeepEqual(shown[name], want) {
			t.Errorf("%s: got %v, want %v", name, shown[name], want)
		}
	}
}
