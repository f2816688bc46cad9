package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRegistrationChange tests changes of registered applications.
func TestRegistrationChange(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "N-09 an update is checked as a whole", Test: registeredUpdate},
		{Name: "N-10 deletion of an application", Test: removedRegistration},
		{Name: "N-13 assignment of client_ids", Test: registeredIDs},
		{Name: "N-15 registration from another origin", Test: foreignRegistration},
		{Name: "N-16 secrets at rest", Test: registeredSecrets},
	})
}

// registeredUpdate replaces all properties that the owner may set, or none.
func registeredUpdate(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	id, secret := registerJSON(t, s, alice, registration(`"allowed_origins":["https://mine.test"],"algorithm":"ES256"`))
	path := "/o/api/applications/" + id
	before := *storedApplication(t, s, id)
	for _, changed := range []string{
		strings.Replace(registration(""), "https://mine.test/cb", "javascript:alert(1)", 1), strings.Replace(registration(""), `["https://mine.test/cb"]`, `[]`, 1),
		registration(`"allowed_origins":["*"]`), registration(`"post_logout_redirect_uris":["data:text/html,x"]`), registration(`"algorithm":"none"`), registration(`"response_types":["token"]`), registration(`"response_types":["code code"]`),
		strings.Replace(registration(""), `"Mine"`, `"Go\u202eogle"`, 1), `{}`, `{"name":"Mine"}`,
	} {
		sendJSON(alice, http.MethodPut, path, changed).ErrorJSON(422, "invalid_request")
	}
	form := url.Values{"name": {"Changed"}, "client_type": {"confidential"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb\njavascript:alert(1)"}}
	if got := submit(alice, "/o/applications/"+id+"/update/", form); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("got %d, want the form again", got.Status)
	}
	if after := storedApplication(t, s, id); !after.UpdatedAt.Equal(before.UpdatedAt) || after.Name != before.Name || after.RedirectURIs.String() != before.RedirectURIs.String() {
		t.Errorf("got %+v, want no change by the refused update: %+v", after, before)
	}
	sendJSON(alice, http.MethodPut, path, registration(undecided)).OK()
	after := storedApplication(t, s, id)
	if !after.VerifyPassword(secret) || after.VerifyPassword("chosen") || after.UserID != "alice" || after.Verified || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("got %+v, want the same id, secret, owner and trust", after)
	}
	if len(after.AllowedOrigins) > 0 || after.Algorithm != "" {
		t.Errorf("got %+v, want properties missing in the document to be empty", after)
	}
	if _, err := s.Store.Application(t.Context(), "chosen"); err == nil {
		t.Error("got an application with the id in the document, want it ignored")
	}
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		if got := sendJSON(alice, method, path, registration("")); got.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d, want 405", method, got.Status)
		}
	}
}

func removedRegistration(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	client := owned(t, s, "alice")
	tokens, code := bob.Tokens(client), bob.Approve(client.AuthorizeRequest()).Code()
	open := bob.Open(client.AuthorizeRequest("prompt=consent")).Consent()
	path := "/o/api/applications/" + client.ID
	if got := sendJSON(alice, http.MethodDelete, path, ""); got.Status != http.StatusNoContent {
		t.Errorf("got %d, want 204", got.Status)
	}
	for _, method := range []string{http.MethodDelete, http.MethodGet} {
		sendJSON(alice, method, path, "").ErrorJSON(404, "invalid_request")
	}
	client.Redeem(code).Unauthorized()
	client.Refresh(tokens.Refresh).Unauthorized()
	client.Introspect(tokens.Access).Unauthorized()
	s.RS.Introspect(tokens.Access).Inactive()
	s.RS.Introspect(tokens.Refresh).Inactive()
	for _, address := range []string{"/api/read", "/o/userinfo"} {
		if got := s.Bearer(address, tokens.Access); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: got %d with a token of a deleted application, want 401", address, got.Status)
		}
	}
	bob.Decide(open, "allow").ErrorPage(400) // the page that was open
	bob.Open(client.AuthorizeRequest()).ErrorPage(400)
	if ids := signInsOf(s, bob); len(ids) > 0 {
		t.Errorf("got sign-ins %v, want none", ids)
	}
}

// registeredIDs expects each client_id to be unique, and independent of users' names.
func registeredIDs(t *testing.T, s *fixture.Server) {
	taken := &oauthkit.AbstractApplication{ClientID: "web", UserID: "mallory", ClientType: oauthkit.Public}
	if _, err := s.Register(taken); err == nil {
		t.Error("got no error for a client_id in use, want one")
	}
	if app := storedApplication(t, s, "web"); app.UserID != "" || app.Name != "Web" {
		t.Errorf("got %+v, want the application that has the id", app)
	}
	for _, id := range []string{"a b", "wéb", "web\x00", "web\n", strings.Repeat("x", 256)} {
		if _, err := s.Register(&oauthkit.AbstractApplication{ClientID: id, ClientType: oauthkit.Public}); err == nil {
			t.Errorf("%q: got no error, want 1 to 255 visible ASCII characters (RFC 6749 appendix A.1)", id)
		}
	}
	// A user may have the same name, "svc" (RFC 9700 §4.15).
	service := s.Service.ClientCredentials("scope=api:read").Tokens()
	svc := s.Browser("svc")
	users := svc.Tokens(s.Web)
	if got := s.RS.Introspect(service.Access).Active(); got["sub"] == "svc" {
		t.Errorf("got %v, want an error for a subject without a user", got)
	}
	if got := s.RS.Introspect(users.Access).Active(); got["sub"] != "svc" {
		t.Errorf("got %v, want the user", got)
	}
	if got := s.Bearer("/o/userinfo", service.Access); got.Status == http.StatusOK {
		t.Errorf("got %s, want no user for a token of an application", got.Body)
	}
	if got := s.Bearer("/api/read", service.Access).OK().Members()["subject"]; got != "" {
		t.Errorf("got subject %q in the API, want none", got)
	}
	if body := svc.Get("/o/api/authorized_tokens").OK().Body; strings.Contains(body, `"svc"`) {
		t.Errorf("got the application's own token among the user's, want only the user's: %s", body)
	}
	if _, err := oauthkit.NewAuthorizations(s.Provider, s.Store).RevokeUser(t.Context(), "svc"); err != nil {
		t.Error(err)
	}
	s.Bearer("/api/read", service.Access).OK() // the token does not belong to that user
	s.RS.Introspect(users.Access).Inactive()
}

func foreignRegistration(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	form := url.Values{"name": {"Mine"}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://evil.test/cb"}}
	form.Set("token", tokenOf(alice.Get("/o/applications/register/").OK()))
	posted := fixture.NewRequest(http.MethodPost, "/o/applications/register/", form)
	document := fixture.NewPost("/o/api/applications", "application/json", registration(""))
	// These are requests that a form of another site can send.
	plain := fixture.NewPost("/o/api/applications", "text/plain", registration(""))
	for _, origin := range []string{"https://evil.test", "https://spa.test", "null", "https://as.test.evil.test", "http://as.test"} {
		for _, request := range []*http.Request{posted, document, plain} {
			sent := request.Clone(t.Context())
			sent.Body, _ = request.GetBody()
			sent.Header.Set("Origin", origin)
			if got := alice.Do(sent); got.Status != http.StatusForbidden || got.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %s: got %d with %v, want 403 without access for the site", got, origin, got.Status, got.Header)
			}
			preflight := fixture.NewRequest(http.MethodOptions, request.URL.Path, nil)
			preflight.Header.Set("Origin", origin)
			preflight.Header.Set("Access-Control-Request-Method", http.MethodPost)
			preflight.Header.Set("Access-Control-Request-Headers", "content-type")
			if got := alice.Do(preflight); got.Header.Get("Access-Control-Allow-Origin") != "" || got.Status < 400 {
				t.Errorf("%s from %s: got %d with %v, want an error", got, origin, got.Status, got.Header)
			}
		}
	}
	// This one is not sent by a browser.
	alice.Do(fixture.NewPost("/o/api/applications", "text/plain", registration(""))).ErrorJSON(415, "invalid_request")
	checkUnchanged(t, s)
}

// registeredSecrets looks for secrets that were shown once, after every act that
// creates one.
func registeredSecrets(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	id, first := registerJSON(t, s, alice, registration(""))
	rotated, _ := sendJSON(alice, http.MethodPost, "/o/api/applications/"+id+"/secret", "{}").OK().Members()["client_secret"].(string)
	sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, registration("")).OK()
	kept := s.Dump() + s.Log.String()
	for _, secret := range []string{first, rotated} {
		if !strings.HasPrefix(secret, "ocs_") || len(secret) != 47 {
			t.Errorf("got secret %q, want 256 random bits", secret)
		}
		for _, spelling := range spellings(secret) {
			if strings.Contains(kept, spelling) {
				t.Errorf("got the secret %q in the database or the log, want none", spelling)
			}
		}
	}
	if app := storedApplication(t, s, id); !strings.HasPrefix(string(app.ClientSecret), "sha256$") || strings.Contains(string(app.ClientSecret), rotated[4:]) {
		t.Errorf("got %q stored, want a hash", string(app.ClientSecret))
	}
}
