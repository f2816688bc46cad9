package attacktest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// team lets carol manage alice's applications as well as her own.
func team(config *oauthkit.ApplicationsConfig) {
	config.Owned = func(_ context.Context, user *oauthkit.User) (oauthkit.Owned, error) {
		if user.Subject == "carol" {
			return oauthkit.Owned{By: []string{"carol", "alice"}}, nil
		}
		return oauthkit.Owned{By: []string{user.Subject}}, nil
	}
}

// teamRows expects carol to reach the application, but not alice's sign-in, which is
// not the team's. Other users must reach no more than before.
func teamRows(t *testing.T, s *fixture.Server) {
	r := rowsOf(t, s, s.Browser("alice"))
	carol, token := stranger(s, "carol")
	bob, bobs := stranger(s, "bob")
	unknown := oauthkit.NewClientID()
	unchanged := watch(t, s)
	for _, route := range named(t, s, r.client.ID, r.signIn) {
		application, tried := !strings.Contains(route.path, "authorized_tokens"), route
		// The request lacks required parameters, so it has no effect.
		if application && route.method != http.MethodGet {
			tried.method = strings.Replace(route.method, http.MethodDelete, http.MethodGet, 1)
			tried.body = strings.TrimSuffix(strings.TrimPrefix(route.body, "token=TOKEN"), "}")
		}
		if got := carol.Do(tried.request(token)); (got.Status == http.StatusNotFound) == application {
			t.Errorf("carol, %s %s: got %d, want 404 only if it is not about the team's application", route.method, route.path, got.Status)
		}
		other := route
		other.path = strings.Replace(other.path, r.client.ID, unknown, 1)
		if got, want := bob.Do(route.request(bobs)), bob.Do(other.request(bobs)); got.Status != http.StatusNotFound || shape(got, r.client.ID) != shape(want, unknown) {
			t.Errorf("bob, %s %s: got %s, want the answer for an unknown id: %s", route.method, route.path, shape(got), shape(want))
		}
	}
	unchanged()
	for _, path := range []string{"/o/applications/", "/o/api/applications"} {
		if body := carol.Get(path).OK().Body; !strings.Contains(body, r.client.ID) || strings.Contains(body, "evil") {
			t.Errorf("%s: got %s, want only the team's application", path, body)
		}
	}
}

// unnamedRows tests the paths that name no row. They show data of the current user,
// or the same to every user, or have other parameters, which are tested separately.
func unnamedRows(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	r := rowsOf(t, s, alice)
	own := []string{"applications", "applications/register", "authorized_tokens", "api/applications", "api/application_options", "api/authorized_tokens", "logout"}
	byParameter := map[string]func(t *testing.T, s *fixture.Server, r rows){
		"authorize": hintOfAlice, "consent": interactionOfAlice, "token": credentialsOfAlice, "introspect": introspectionOfAlice,
		"revoke_token": revocationByOthers, "userinfo": userinfoOfAlice,
	}
	bob, _ := stranger(s, "bob")
	for _, path := range s.Handler.Paths() {
		test, parameters := byParameter[path]
		switch {
		case strings.Contains(path, "{"):
		case parameters:
			test(t, s, r)
		case slices.Contains(own, path):
			ownRows(t, s, bob, "/o/"+path, r)
		case !slices.Contains(methodsOf(t, s, path), http.MethodGet) || shape(bob.Get("/o/"+path)) != shape(alice.Get("/o/"+path)):
			t.Errorf("%s: got a path that is not the same for every user, want it in this test", path)
		}
	}
	s.Bearer("/api/read", r.tokens.Access).OK()
	r.client.Refresh(r.tokens.Refresh).Tokens()
}

// ownRows expects none of alice's data, wherever the list starts.
func ownRows(t *testing.T, s *fixture.Server, bob *fixture.Browser, path string, r rows) {
	t.Helper()
	unchanged := watch(t, s)
	for _, query := range []string{"", "?after=", "?after=" + r.client.ID[:21], "?after=" + r.client.ID, "?user=alice&user_id=alice&subject=alice&owner=alice"} {
		body := bob.Get(path + query).OK().Body
		for _, mark := range r.marks() {
			if strings.Contains(strings.ReplaceAll(body, url.QueryEscape(query), ""), mark) {
				t.Errorf("%s%s: got alice's %q, want it absent: %s", path, query, mark, body)
			}
		}
	}
	unchanged()
}

// hintOfAlice sends a hint of alice where bob is signed in (OpenID Connect Core
// §3.1.2.1).
func hintOfAlice(_ *testing.T, s *fixture.Server, r rows) {
	bob, _ := stranger(s, "bob")
	bob.Open(r.client.AuthorizeRequest("prompt=none", "id_token_hint="+r.tokens.ID)).Refused("login_required")
	// Alice's consent does not count for bob.
	bob.Open(r.client.AuthorizeRequest("prompt=none")).Refused("consent_required")
}

// interactionOfAlice opens alice's interaction in bob's browser. If bob has its id of
// 256 random bits, bob may learn that it exists and nothing else.
func interactionOfAlice(t *testing.T, s *fixture.Server, r rows) {
	alice := s.Browser("alice")
	page := alice.Open(r.client.AuthorizeRequest("prompt=consent")).Consent()
	bob, _ := stranger(s, "bob")
	unchanged := watch(t, s)
	answers := []*fixture.Answer{bob.Get("/o/consent?interaction=" + interactionOf(page))}
	for _, decision := range []string{"allow", "deny"} {
		answers = append(answers, bob.Decide(page, decision))
	}
	for _, answer := range answers {
		answer.ErrorPage(403)
		for _, shown := range []string{"Printer of alice", "Alice", r.client.ID, "printer.test"} {
			if strings.Contains(answer.Body, shown) {
				t.Errorf("%s: got alice's %q on the page, want it absent", answer, shown)
			}
		}
	}
	for _, act := range s.Store.Calls() {
		if act != "Interaction" {
			t.Errorf("got the store call %s, want only a read of the request", act)
		}
	}
	s.Store.ClearCalls()
	unchanged()
	alice.Decide(page, "allow").Code()
}

// credentialsOfAlice uses the credentials of alice's application as another
// application.
func credentialsOfAlice(t *testing.T, s *fixture.Server, r rows) {
	code := s.Browser("alice").Approve(r.client.AuthorizeRequest()).Code()
	for name, pair := range map[string][2]*fixture.Answer{
		"code":          {s.Evil.Redeem(code, "redirect_uri="+r.client.RedirectURI), s.Evil.Redeem(code[:len(code)-4]+"AAAA", "redirect_uri="+r.client.RedirectURI)},
		"refresh token": {s.Evil.Refresh(r.tokens.Refresh), s.Evil.Refresh(r.tokens.Refresh[:len(r.tokens.Refresh)-4] + "AAAA")},
	} {
		pair[0].ErrorJSON(400, "invalid_grant")
		if got, want := shape(pair[0]), shape(pair[1]); got != want {
			t.Errorf("%s of another application: got %s, want the answer for an unknown one: %s", name, got, want)
		}
	}
	r.client.Redeem(code).Tokens()
}

func introspectionOfAlice(t *testing.T, s *fixture.Server, r rows) {
	for _, token := range []string{r.tokens.Access, r.tokens.Refresh} {
		got, want := s.Evil.Introspect(token), s.Evil.Introspect(token[:len(token)-4]+"AAAA")
		got.Inactive()
		if shape(got) != shape(want) {
			t.Errorf("got %s, want the answer for an unknown token: %s", shape(got), shape(want))
		}
	}
}

func revocationByOthers(t *testing.T, s *fixture.Server, r rows) {
	for _, token := range []string{r.tokens.Access, r.tokens.Refresh} {
		if got, want := shape(s.Evil.Revoke(token)), shape(s.Evil.Revoke(token[:len(token)-4]+"AAAA")); got != want {
			t.Errorf("got %s, want the answer for an unknown token: %s", got, want)
		}
	}
	s.RS.Introspect(r.tokens.Access).Active()
}

// userinfoOfAlice requests alice's user information with bob's token. No parameter
// can name another user.
func userinfoOfAlice(t *testing.T, s *fixture.Server, r rows) {
	bobs := s.Browser("bob").Tokens(s.Web)
	answer := s.Bearer("/o/userinfo?sub=alice&user=alice&access_token="+r.tokens.Access, bobs.Access)
	if answer.Status == http.StatusOK && answer.Members()["sub"] != "bob" {
		t.Errorf("got %s, want bob, whose token it is", answer.Body)
	}
}
