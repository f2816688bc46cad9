package oauthhttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// TestWaysToOtherPages checks that each management page shows the signed-in user and
// the links to sign-out and home that the host has. The consent page, which waits for
// a decision, has none of them.
func TestWaysToOtherPages(t *testing.T) {
	l := newLeaving(t, "https://as.test/o", func(config *oauthhttp.Config) { config.HomeURL = "https://gallery.test/" })
	l.add("printer", nil)
	l.signIn("desk", "printer", "alice")
	const account, signOut, home = "Signed in as <bdi>Alice Example</bdi>", `href="/o/logout">Sign out<`, `href="https://gallery.test/">Home<`
	check := func(path, page string, shown bool) {
		t.Helper()
		for _, want := range []string{account, signOut, home} {
			if strings.Contains(page, want) != shown {
				t.Errorf("%s: got %s on the page: %t, want %t", path, want, !shown, shown)
			}
		}
	}
	for _, path := range []string{
		"applications/", "applications/register/", "applications/printer/", "applications/printer/update/", "applications/printer/delete/",
		"applications/printer/secret/", "authorized_tokens/", "authorized_tokens/printer/delete/", "authorized_tokens/printer/desk/delete/",
	} {
		check(path, l.get("/o/"+path), true)
	}
	check("a new secret", l.post(http.StatusOK, "/o/applications/printer/secret/", nil).Body.String(), true)
	check("consent", l.get(l.asked()), false)
	for _, path := range []string{"/o/logout", "/o/applications/none/"} {
		recorder := httptest.NewRecorder()
		l.handler.ServeHTTP(recorder, l.sent(http.MethodGet, path, nil))
		if page := recorder.Body.String(); !strings.Contains(page, home) || strings.Contains(page, account) {
			t.Errorf("%s: got %s, want a link home and no other", path, page)
		}
	}
	l.handler = l.handlerWith(func(*oauthhttp.Config) {})
	if page := l.get("/o/applications/"); !strings.Contains(page, account) || strings.Contains(page, "Sign out") || strings.Contains(page, "Home") {
		t.Errorf("got %s, want no link that the host does not have", page)
	}
}

// TestRareSettings checks that rare settings are hidden until one has a value or a
// problem.
func TestRareSettings(t *testing.T) {
	m := newManaged(t)
	m.add("plain", nil)
	m.add("rare", func(app *logoApplication) { app.TokenEndpointAuthMethod = oauthkit.AuthMethodSecretPost })
	const closed, open = "<details>", "<details open>"
	for path, want := range map[string]string{"register/": closed, "plain/update/": closed, "rare/update/": open} {
		page := m.get("/o/applications/" + path)
		before, settings, found := strings.Cut(page, want)
		if !found || strings.Contains(before, `name="allowed_origins"`) || !strings.Contains(settings, `name="algorithm"`) || !strings.Contains(before, `name="fields.logo"`) {
			t.Errorf("%s: got %s, want %s with the rare settings, after all others", path, page, want)
		}
	}
	for origin, want := range map[string]string{"": closed, "ftp://x": open} {
		page := m.post(http.StatusUnprocessableEntity, "/o/applications/register/", url.Values{"allowed_origins": {origin}, "client_type": {"public"}}).Body.String()
		if !strings.Contains(page, want) {
			t.Errorf("%q: got %s, want %s", origin, page, want)
		}
	}
}

// TestSignInsApart checks that authorizations of the same minute differ for users who
// see the page and for users who only hear the names of its links.
func TestSignInsApart(t *testing.T) {
	m := newConnected(t)
	page := m.get("/o/authorized_tokens/")
	names := map[string]bool{}
	for _, element := range elementsOf(t, page) {
		if strings.Contains(attribute(element, "class"), "slim") {
			names[attribute(element, "aria-labelledby")] = true
			if !strings.HasPrefix(attribute(element, "aria-labelledby"), attribute(element, "id")+" sign-in-") {
				t.Errorf("got a link named by %q, want its own words first, then the sign-in", attribute(element, "aria-labelledby"))
			}
		}
	}
	if len(names) != 3 || strings.Contains(page, "Sign out") {
		t.Errorf("got links with the names %v, want three, none of which reads like signing out here", names)
	}
	since := m.signedInAt("phone").UTC().Format("2 Jan 2006, 15:04:05 UTC")
	for _, path := range []string{"", url.PathEscape("https://app.test/x") + "/phone/delete/"} {
		if page := m.get("/o/authorized_tokens/" + path); !strings.Contains(page, since) {
			t.Errorf("%s: got a page without %s:\n%s", path, since, page)
		}
	}
}
