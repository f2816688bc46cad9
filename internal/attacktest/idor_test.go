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

// TestIDOR sends every other user to alice's data at every path that the handler
// serves. It fails for a new path until its parameters are listed here.
func TestIDOR(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-01 every path that names a row", Test: namedRows},
		{Name: "M-01 every path for a team", ConfigureApplications: team, Test: teamRows},
		{Name: "M-01 every path that names no row", Test: unnamedRows},
	})
}

// rows is alice's data: her application and her sign-in with it.
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

// marks returns texts that no other user may see.
func (r rows) marks() []string { return []string{r.client.ID, "Printer of alice", r.signIn, "Alice"} }

// stranger returns a browser that has its cookie already, and a form token for it.
func stranger(s *fixture.Server, user string) (browser *fixture.Browser, token string) {
	browser = s.Browser(user)
	if user == "" {
		return browser, "x"
	}
	browser.Tokens(s.Web) // the user's own data
	return browser, tokenOf(browser.Get("/o/applications/register/").OK())
}

// methodsOf returns the allowed methods of a path.
func methodsOf(t *testing.T, s *fixture.Server, path string) []string {
	t.Helper()
	allowed := s.Do(fixture.NewRequest(http.MethodPatch, "/o/"+path, nil)).Header.Get("Allow")
	if allowed == "" {
		t.Fatalf("%s: got no methods in Allow, want some", path)
	}
	return strings.Split(allowed, ", ")
}

// named returns a request for each path with parameters and each of its methods,
// filled with these ids.
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
			t.Errorf("%s: got an unknown parameter, want it in this test", pattern)
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
		t.Fatal("got no path with a parameter, want at least those of the applications")
	}
	return routes
}

// shape returns an answer without its variable parts: the time, the number of an
// error page, and the requested ids.
func shape(answer *fixture.Answer, ids ...string) string {
	header := answer.Header.Clone()
	header.Del("Date")
	header.Del("Content-Length") // the body is compared instead
	text := fmt.Sprint(answer.Status, "\n", header, "\n", regexp.MustCompile(`<code>[\w-]{22}</code>`).ReplaceAllString(answer.Body, ""))
	for _, id := range ids {
		text = strings.ReplaceAll(text, id, "ID")
	}
	return text
}

// namedRows sends every user but the owner to every path. Each answer must equal that
// for unknown ids.
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
					t.Errorf("%q, %s %s: got %s, want the answer for an unknown id: %s", user, route.method, route.path, shape(got), shape(want))
				}
				if user == "" && got.Status != http.StatusForbidden && !strings.HasPrefix(got.Location(), "/login?") {
					t.Errorf("not signed in, %s %s: got %d, want a redirect to sign in, or 403", route.method, route.path, got.Status)
				}
			}
		}
		unchanged()
	}
	// Bob's own application with alice's sign-in.
	own, hers := named(t, s, s.Web.ID, nothing), named(t, s, s.Web.ID, r.signIn)
	bob, token := stranger(s, "bob")
	unchanged := watch(t, s)
	for i, route := range hers {
		if !strings.Contains(route.path, r.signIn) {
			continue
		}
		got, want := bob.Do(route.request(token)), bob.Do(own[i].request(token))
		if got.Status != http.StatusNotFound || shape(got, r.signIn) != shape(want, nothing) {
			t.Errorf("%s %s: got %s, want the answer for an unknown id: %s", route.method, route.path, shape(got), shape(want))
		}
	}
	unchanged()
	s.Bearer("/o/userinfo", r.tokens.Access).OK()
}

// watch returns a check that nothing has been written since: no store call but reads,
// and unchanged rows in a database.
func watch(t *testing.T, s *fixture.Server) (unchanged func()) {
	t.Helper()
	s.Store.ClearCalls()
	before := s.Dump()
	return func() {
		t.Helper()
		for _, act := range s.Store.Calls() {
			if !slices.Contains([]string{"Application", "ListApplications", "UserAuthorizations", "UserConsents"}, act) {
				t.Errorf("got the store call %s, want only reads", act)
			}
		}
		if after := s.Dump(); after != before {
			t.Errorf("got the changed database:\n%s\nwant\n%s", after, before)
		}
	}
}
