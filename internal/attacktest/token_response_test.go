package attacktest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestTokenResponse tests the responses and errors of the token endpoint.
func TestTokenResponse(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "T-22 client credentials", Test: clientCredentials},
		{Name: "T-24 headers of errors", Test: errorHeaders},
	})
}

// clientCredentials expects a token that cannot be taken for a user's, because it has
// no subject (RFC 9700 §4.15).
func clientCredentials(t *testing.T, s *fixture.Server) {
	for asked, granted := range map[string]string{"": "", "api:read": "api:read", "api:write api:read": "api:write api:read"} {
		answer := s.Service.ClientCredentials("scope=" + asked)
		tokens := answer.Tokens()
		if tokens.Scope != granted || strings.Contains(answer.Body, "refresh_token") || strings.Contains(answer.Body, "id_token") {
			t.Errorf("scope=%s: got %s, want scope %q and neither a refresh nor an ID token", asked, answer.Body, granted)
		}
		members := s.RS.Introspect(tokens.Access).Active()
		scope, hasScope := members["scope"].(string)
		if _, present := members["sub"]; present || members["client_id"] != "svc" || scope != granted || hasScope != (granted != "") {
			t.Errorf("scope=%s: got %v by introspection, want client_id svc, the scope and no sub", asked, members)
		}
	}
	for _, scope := range []string{"openid", "api:read openid", "introspection", "nonsense", "api:read  api:write", " api:read", `api:"read"`, "*"} {
		s.Service.ClientCredentials("scope="+scope).ErrorJSON(400, "invalid_scope")
	}
	s.UpdateApplication("svc", func(app *oauthkit.AbstractApplication) { app.Scopes = append(app.Scopes, "openid") })
	tokens := s.Service.ClientCredentials("scope=openid api:read").Tokens()
	if tokens.ID != "" {
		t.Errorf("got an ID token %s, want none without a user", tokens.ID)
	}
	request := fixture.NewRequest(http.MethodGet, "/o/userinfo", nil)
	request.Header.Set("Authorization", "Bearer "+tokens.Access)
	if answer := s.Do(request); answer.Status < 400 {
		t.Errorf("got %d %s from userinfo, want an error without a user", answer.Status, answer.Body)
	}
}

// errorHeaders causes each kind of error once. The fixture checks no-store for
// every answer.
func errorHeaders(t *testing.T, s *fixture.Server) {
	untyped := withBody(s.Service, "", "")
	get := s.Service.Request("/o/token", nil)
	get.Method = http.MethodGet
	failing := func() *fixture.Answer {
		defer s.Store.Heal()
		s.Store.Fail(0)
		return s.Service.ClientCredentials()
	}
	wrong, wrongPost := *s.Service, *s.WebPost
	wrong.Secret, wrongPost.Secret = "wrong", "wrong"
	for _, test := range []struct {
		answer    *fixture.Answer
		status    int
		code      string
		challenge string
	}{
		{s.Service.ClientCredentials("grant_type"), 400, "invalid_request", ""},
		{s.Service.ClientCredentials("grant_type=nonsense"), 400, "unsupported_grant_type", ""},
		{s.Service.ClientCredentials("scope=nonsense"), 400, "invalid_scope", ""},
		{s.Web.ClientCredentials(), 400, "unauthorized_client", ""},
		{s.Web.Redeem("oac_x"), 400, "invalid_grant", ""},
		{wrong.ClientCredentials(), 401, "invalid_client", `Basic realm="oauth", charset="UTF-8"`},
		{wrongPost.ClientCredentials(), 401, "invalid_client", ""},
		{s.Do(fixture.NewRequest(http.MethodPost, "/o/token", nil)), 401, "invalid_client", ""},
		{s.Do(get), 405, "invalid_request", ""},
		{s.Do(untyped), 415, "invalid_request", ""},
		{failing(), 503, "temporarily_unavailable", ""},
	} {
		test.answer.ErrorJSON(test.status, test.code)
		header := test.answer.Header
		if got := header.Get("WWW-Authenticate"); got != test.challenge {
			t.Errorf("%d %s: got WWW-Authenticate %q, want %q", test.status, test.code, got, test.challenge)
		}
		if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" || header.Get("Pragma") != "no-cache" {
			t.Errorf("%d %s: got headers %v, want JSON and no-store", test.status, test.code, header)
		}
		var members map[string]string // decoding fails for other members than strings
		err := json.Unmarshal([]byte(test.answer.Body), &members)
		delete(members, "error")
		delete(members, "error_description")
		if err != nil || len(members) > 0 {
			t.Errorf("%d %s: got %s, want only error and error_description", test.status, test.code, test.answer.Body)
		}
	}
}
