package oauthhttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// signIn lets an application use the account of a user, on one device.
func (m *managed) signIn(id, clientID, subject string) {
	m.Helper()
	now := time.Now()
	authorization := &oauthkit.Authorization{
		ID: id, ApplicationID: clientID, Subject: subject, Scopes: oauthkit.Scopes{"read"}, SessionID: "session-of-the-host",
		CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour),
	}
	access := &oauthkit.AccessToken{Hash: id, Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(time.Minute)}
	if err := m.store.SaveTokens(m.Context(), authorization, oauthkit.Tokens{Access: access}); err != nil {
		m.Fatal(err)
	}
}

// isSignedIn reports whether the token of a sign-in is good.
func (m *managed) isSignedIn(id string) bool {
	m.Helper()
	token, err := m.store.AccessToken(m.Context(), id)
	return err == nil && token.Authorization.Valid(time.Now())
}

// signedInAt is when a sign-in was made.
func (m *managed) signedInAt(id string) time.Time {
	m.Helper()
	token, err := m.store.AccessToken(m.Context(), id)
	if err != nil {
		m.Fatal(err)
	}
	return token.Authorization.CreatedAt
}

func newConnected(t *testing.T) *managed {
	t.Helper()
	m := newManaged(t)
	m.add("https://app.test/x", func(app *logoApplication) { app.Name = "Reader" })
	m.add("printer", func(app *logoApplication) { app.Verified = true })
	m.signIn("phone", "https://app.test/x", "alice")
	m.signIn("laptop", "https://app.test/x", "alice")
	m.signIn("desk", "printer", "alice")
	m.signIn("bobs", "printer", "bob")
	return m
}

func TestConnectionsPage(t *testing.T) {
	m := newConnected(t)
	page := m.get("/o/authorized_tokens/")
	for _, want := range []string{"Reader", "Printer", "read your messages", "printer.test", ">Verified<", ">Unverified<", "/authorized_tokens/" + url.PathEscape("https://app.test/x") + "/phone/delete/", "/desk/delete/"} {
		if !strings.Contains(page, want) {
			t.Errorf("got a page without %q:\n%s", want, page)
		}
	}
	for _, secret := range []string{"bobs", "session-of-the-host"} {
		if strings.Contains(page, secret) {
			t.Errorf("got a page with %q:\n%s", secret, page)
		}
	}
	if err := m.store.DeleteApplication(t.Context(), "printer"); err != nil {
		t.Fatal(err)
	}
	m.signIn("rest", "removed", "alice") // an application that is gone, and has left something
	if page := m.get("/o/authorized_tokens/"); !strings.Contains(page, "No longer available") {
		t.Errorf("got a page that does not tell that the application is gone:\n%s", page)
	}
	m.post(http.StatusSeeOther, "/o/authorized_tokens/removed/delete/", nil)
	m.user = &oauthkit.User{Subject: "carol"}
	if page := m.get("/o/authorized_tokens/"); !strings.Contains(page, "You have not let any application") {
		t.Errorf("got a page that is not empty:\n%s", page)
	}
}

func TestEndOneSignIn(t *testing.T) {
	m := newConnected(t)
	path := "/o/authorized_tokens/" + url.PathEscape("https://app.test/x") + "/phone/delete/"
	if page := m.get(path); !strings.Contains(page, "End this sign-in?") || !m.isSignedIn("phone") {
		t.Errorf("got %s, want a question, and nothing done yet", page)
	}
	m.post(http.StatusSeeOther, path, nil)
	if m.isSignedIn("phone") || !m.isSignedIn("laptop") || !m.isSignedIn("desk") || !m.isSignedIn("bobs") {
		t.Error("got another sign-in ended than the one, or not that one")
	}
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
	m.do(http.StatusNotFound, http.MethodGet, "/o/authorized_tokens/printer/laptop/delete/", "", "") // the sign-in of another application
}

func TestRemoveConnection(t *testing.T) {
	m := newConnected(t)
	path := "/o/authorized_tokens/" + url.PathEscape("https://app.test/x") + "/delete/"
	if page := m.get(path); !strings.Contains(page, "Remove its access?") || !m.isSignedIn("phone") {
		t.Errorf("got %s, want a question, and nothing done yet", page)
	}
	if location := m.post(http.StatusSeeOther, path, nil).Header().Get("Location"); location != "/o/authorized_tokens/" {
		t.Errorf("got Location %s, want the list", location)
	}
	if m.isSignedIn("phone") || m.isSignedIn("laptop") || !m.isSignedIn("desk") || !m.isSignedIn("bobs") {
		t.Error("got another application's sign-in ended, or not all of that one's")
	}
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
}
