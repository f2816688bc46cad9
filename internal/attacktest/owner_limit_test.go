package attacktest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestOwnerLimit tests how much one user can store by registering applications.
func TestOwnerLimit(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-17 number of applications", Test: manyApplications, ConfigureApplications: limited},
		{Name: "M-17 size of applications", Test: largeApplications},
		{Name: "M-17 concurrent registrations", Test: registeredAtOnce, ConfigureApplications: limited},
	})
}

func limited(config *oauthkit.ApplicationsConfig) { config.MaxPerOwner = 5 }

func registrationForm(redirectURIs string) url.Values {
	return url.Values{
		"name": {"Mine"}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "redirect_uris": {redirectURIs},
	}
}

// manyApplications registers applications until one is refused, on the pages and in
// JSON alternately.
func manyApplications(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	const pages, path = "/o/applications/register/", "/o/api/applications"
	var last string
	for i := range 5 {
		if i%2 == 0 {
			last, _ = registerJSON(t, s, alice, registration(""))
		} else if got := submit(alice, pages, registrationForm("https://mine.test/cb")); got.Status != http.StatusSeeOther {
			t.Errorf("%s: got %d, want 303", got, got.Status)
		}
	}
	for range 2 {
		submit(alice, pages, registrationForm("https://mine.test/cb")).ErrorPage(403)
		sendJSON(alice, http.MethodPost, path, registration("")).ErrorJSON(403, "access_denied")
	}
	checkOwned(t, s, "alice", 5)
	registerJSON(t, s, bob, registration(""))
	if got := sendJSON(alice, http.MethodDelete, path+"/"+last, ""); got.Status != http.StatusNoContent {
		t.Errorf("%s: got %d, want 204", got, got.Status)
	}
	registerJSON(t, s, alice, registration(""))
	sendJSON(alice, http.MethodPost, path, registration("")).ErrorJSON(403, "access_denied")
}

// checkOwned expects the owner to have this number of applications.
func checkOwned(t *testing.T, s *fixture.Server, owner string, want int) {
	t.Helper()
	apps, err := s.Store.ListApplications(t.Context(), oauthkit.ApplicationQuery{Owners: []string{owner}})
	if err != nil || len(apps) != want {
		t.Errorf("got %d applications of %s (%v), want %d", len(apps), owner, err, want)
	}
}

// largeApplications sends values that fit into a request and satisfy all
// other limits.
func largeApplications(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	id, _ := registerJSON(t, s, alice, registration(""))
	var uris []string
	for i := range 90 {
		uris = append(uris, fmt.Sprintf("https://mine.test/%d/%s", i, strings.Repeat("x", 300)))
	}
	s.Store.ClearCalls()
	for _, member := range []string{"redirect_uris", "post_logout_redirect_uris"} {
		document := registration(`"` + member + `":["` + strings.Join(uris, `","`) + `"]`)
		if member == "redirect_uris" {
			document = strings.Replace(registration(""), `"https://mine.test/cb"`, `"`+strings.Join(uris, `","`)+`"`, 1)
		}
		for _, answer := range []*fixture.Answer{
			sendJSON(alice, http.MethodPost, "/o/api/applications", document),
			sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, document),
		} {
			if answer.ErrorJSON(422, "invalid_request"); !strings.Contains(answer.Body, `"`+member+`":["all fields together`) {
				t.Errorf("got %s, want the problem at %s", answer.Body, member)
			}
		}
	}
	for _, path := range []string{"/o/applications/register/", "/o/applications/" + id + "/update/"} {
		if got := submit(alice, path, registrationForm(strings.Join(uris, "\n"))); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d, want the form again", got, got.Status)
		}
	}
	checkUnchanged(t, s)
	checkOwned(t, s, "alice", 1)
}

// registeredAtOnce sends concurrent registrations to two instances.
func registeredAtOnce(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	browsers := []*fixture.Browser{alice, alice.On(s.SecondInstance())}
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			answer := sendJSON(browsers[i%2], http.MethodPost, "/o/api/applications", registration(""))
			if answer.Status != http.StatusCreated && answer.Status != http.StatusForbidden {
				t.Errorf("%s: got %d, want 201 or 403", answer, answer.Status)
			}
		})
	}
	wait.Wait()
	checkOwned(t, s, "alice", 5)
}
