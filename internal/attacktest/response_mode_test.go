package attacktest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// modeTargets are redirect URIs of every kind, and those that need care on a page.
var modeTargets = []string{
	"https://rp.test/cb", "https://rp.test/cb?a=b&c=%27", "https://rp.test/o'(x);@:,", "https://rp.test/?", "http://127.0.0.1/cb", "http://[::1]/cb", "com.example.cli:/cb",
}

// TestResponseMode sends every response type in every mode to redirect URIs of every
// kind, as a response and as errors.
func TestResponseMode(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-08 every type in every mode", Configure: hybrid, Test: func(t *testing.T, s *fixture.Server) {
			types := []oauthkit.ResponseType{"code", "token", "code token", "proof code token"}
			client, err := s.Register(&oauthkit.AbstractApplication{
				ClientID: "modes", Name: "Modes", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
				RedirectURIs: modeTargets, Scopes: oauthkit.Scopes{"openid", "api:read"},
			})
			if err != nil {
				t.Fatal(err)
			}
			s.UpdateApplication("modes", allowTypes(types...))
			alice := s.Browser("alice")
			for _, responseType := range types {
				for _, mode := range []string{"", "query", "fragment", "form_post", "jwt", "QUERY"} {
					for _, target := range modeTargets {
						parameters := []string{"response_type=" + string(responseType), "response_mode=" + mode, "redirect_uri=" + target, "scope=openid"}
						if mode == "" {
							parameters[1] = "response_mode"
						}
						request := client.AuthorizeRequest(parameters...)
						answer := alice.Authorize(request)
						if strings.HasPrefix(answer.Location(), "/o/consent") {
							answer = alice.Decide(alice.Follow(answer).Consent(), "allow")
						}
						checkMode(t, answer, target, responseType, mode)
						checkMode(t, alice.Authorize(client.AuthorizeRequest(append(parameters, "prompt=none", "scope=nonsense")...)), target, responseType, mode)
					}
				}
			}
		}},
	})
}

// checkMode checks that a response has a mode that is allowed for its type.
func checkMode(t *testing.T, answer *fixture.Answer, target string, responseType oauthkit.ResponseType, mode string) {
	t.Helper()
	added, redirected := strings.CutPrefix(answer.Location(), target)
	got := ""
	switch {
	case !redirected && answer.Status == http.StatusOK:
		if action, _ := answer.Form(); action == target {
			got = "form_post"
		}
	case redirected && strings.HasPrefix(added, "#"):
		got = "fragment"
	case redirected && strings.HasPrefix(added, "?") != strings.Contains(target, "?"):
		got = "query"
	}
	want := mode
	switch {
	case mode == "fragment", mode == "form_post" && strings.HasPrefix(target, "http"):
	case responseType == "code":
		want = "query"
	default:
		want = "fragment"
	}
	if got != want {
		t.Errorf("%s in mode %q to %s: got %d to %q, want mode %s", responseType, mode, target, answer.Status, answer.Location(), want)
	}
	for _, name := range []string{"iss", "state"} {
		if sent := answer.Location() + answer.Body; !strings.Contains(sent, name+"=") && !strings.Contains(sent, `name="`+name+`"`) {
			t.Errorf("%s in mode %q to %s: got %s, want the parameter %s", responseType, mode, target, sent, name)
		}
	}
}
