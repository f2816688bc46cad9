package attacktest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestIDOR asks for what is alice's at every address that the handler serves, as everybody else. A new address fails it until it
// is known here what its parameters name.
func TestIDOR(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-01 every address that names a row", Test: namedRows},
		{Name: "M-01 every address for a team", ConfigureApplications: team, Test: teamRows},
		{Name: "M-01 every address without a name in it", Test: unnamedRows},
	})
}

// rows are what alice has: an application of her own, which she has signed in with.
type rows struct {
	client *fixture.Client
	tokens fixture.Tokens
	signIn string
}

func rowsOf(t *testing.T, s *fixture.Server, alice *fixture.Browser) rows {
	t.Helper()
	client := owned(t, s, "alice")
	tokens := alice.Tokens(client)
	return rows{client, tokens, signInsOf(s, alice)[0]}
}

// marks are what nobody else may see.
func (r rows) marks() []string { return []string{r.client.ID, "Printer of alice", r.signIn, "Alice"} }

// stranger is a browser that has been here, so that it needs no new cookie, with a token of a form of its own.
func stranger(s *fixture.Server, user string) (browser *fixture.Browser, token string) {
	browser = s.Browser(user)
	if user == "" {
		return browser, "x"
	}
	browser.Tokens(s.Web) // what he has himself
	return browser, tokenOf(browser.Get("/o/applications/register/").OK())
}

// methodsOf asks an address for its methods.
func methodsOf(t *testing.T, s *fixture.Server, path string) []string {
	t.Helper()
	allowed := s.Do(fixture.NewRequest(http.MethodPatch, "/o/"+path, nil)).Header.Get("Allow")
	if allowed == "" {
		t.Fatalf("%s: got no methods, want them in Allow", path)
	}
	return strings.Split(allowed, ", ")
}

// named returns a request for each address of the handler that has a parameter, and method of it, filled with these ids.
func named(t *testing.T, s *fixture.Server, clientID, authorizationID string) []managedRoute {
	t.Helper()
	var routes []managedRoute
	fill := strings.NewReplacer("{client_id}", clientID, "{authorization_id}", authorizationID)
	for _, pattern := range s.Handler.Paths() {
		path := fill.Replace(pattern)
		if path == pattern {
			continue
		}
		if strings.Contains(path, "{") {
			t.Errorf("%s: got a parameter that is not known, want it filled", pattern)
		}
		for _, method := range methodsOf(t, s, path) {
			route := managedRoute{method: method, path: "/o/" + path}
			switch {
			case method != http.MethodPost && method != http.MethodPut:
			case strings.HasPrefix(path, "api/"):
				route.mediaType, route.body = "application/json", documentOfApplication
			default:
				route.mediaType = "application/x-www-form-urlencoded"
				route.body = "token=TOKEN&name=Changed&client_type=public&redirect_uris=https%3A%2F%2Fevil.test%2Fcb"
			}
			routes = append(routes, route)
		}
	}
	if len(routes) == 0 {
		t.Fatal("got no address with a parameter, want those of the applications at least")
	}
	return routes
}

// shape is an answer without what differs between any two: the time, the number of an error page, and the ids that were asked for.
func shape(answer *fixture.Answer, ids ...string) string {
	header := answer.Header.Clone()
	header.Del("Date")
	header.Del("Content-Length") // the body is compared
	text := fmt.Sprint(answer.Status, "\n", header, "\n", regexp.MustCompile(`<code>[\w-]{22}</code>`).ReplaceAllString(answer.Body, ""))
	for _, id := range ids {
		text = strings.ReplaceAll(text, id, "ID")
	}
	return text
}

// namedRows is a matrix of everybody but the owner, and every address. Each must be answered as for ids that nobody has.
func namedRows(t *testing.T, s *fixture.Server) {
	r := rowsOf(t, s, s.Browser("alice"))
	unknown, nothing := oauthkit.NewClientID(), oauthkit.NewClientID()
	for user, status := range map[string]int{"bob": 404, "mallory": 404, "": 0} {
		browser, token := stranger(s, user)
		unchanged := watch(t, s)
		for _, pair := range [][2][2]string{
			{{r.client.ID, r.signIn}, {unknown, nothing}},
			{{r.client.ID, nothing}, {unknown, nothing}},
			{{unknown, r.signIn}, {unknown, nothing}},
		} {
			asked, compared := named(t, s, pair[0][0], pair[0][1]), named(t, s, pair[1][0], pair[1][1])
			for i, route := range asked {
				got, want := browser.Do(route.request(token)), browser.Do(compared[i].request(token))
				if shape(got, pair[0][:]...) != shape(want, pair[1][:]...) || status != 0 && got.Status != status {
					t.Errorf("%q, %s %s: got %s, want what an id that nobody has gets: %s", user, route.method, route.path, shape(got), shape(want))
				}
				if user == "" && got.Status != http.StatusForbidden && !strings.HasPrefix(got.Location(), "/login?") {
					t.Errorf("nobody, %s %s: got %d, want the way to sign in, or 403", route.method, route.path, got.Status)
				}
			}
		}
		unchanged()
	}
	own, hers := named(t, s, s.Web.ID, nothing), named(t, s, s.Web.ID, r.signIn) // what he has signed in with, and her sign-in
	bob, token := stranger(s, "bob")
	unchanged := watch(t, s)
	for i, route := range hers {
		if !strings.Contains(route.path, r.signIn) {
			continue
		}
		got, want := bob.Do(route.request(token)), bob.Do(own[i].request(token))
		if got.Status != http.StatusNotFound || shape(got, r.signIn) != shape(want, nothing) {
			t.Errorf("%s %s: got %s, want what an id that nobody has gets: %s", route.method, route.path, shape(got), shape(want))
		}
	}
	unchanged()
	s.Bearer("/o/userinfo", r.tokens.Access).OK()
}

// watch returns what wants nothing to have been written since: no act but reading, and in a database the same rows.
func watch(t *testing.T, s *fixture.Server) (unchanged func()) {
	t.Helper()
	s.Store.ClearCalls()
	before := s.Dump()
	return func() {
		t.Helper()
		for _, act := range s.Store.Calls() {
			if !slices.Contains([]string{"Application", "ListApplications", "UserAuthorizations", "UserConsents"}, act) {
				t.Errorf("got %s, want nothing but reading", act)
			}
		}
		if after := s.Dump(); after != before {
			t.Errorf("got another database:\n%s\nwant\n%s", after, before)
		}
	}
}
