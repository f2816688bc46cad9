package oauthhttp_test

import (
	"fmt"
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
		ID: id, ClientID: clientID, Subject: subject, Scopes: oauthkit.Scopes{"read"}, SessionID: "session-of-the-host",
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
	if err := m.store.DeleteApplication(t.Context(), "printer", time.Now()); err != nil {
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

// TestManySignIns shows that what is older than a thousand sign-ins elsewhere is
// still seen, and withdrawn on the page and in JSON.
func TestManySignIns(t *testing.T) {
	m := newConnected(t)
	for i := range 1001 {
		m.signIn(fmt.Sprintf("television-%04d", i), "printer", "alice")
	}
	listed := m.get("/o/authorized_tokens/")
	for want, shown := range map[string]bool{"/phone/delete/": true, "/television-1000/": true, "There are older sign-ins": true, "/television-0001/": false} {
		if strings.Contains(listed, want) != shown {
			t.Errorf("got a page with %s: %t, want %t", want, !shown, shown)
		}
	}
	path := "/o/authorized_tokens/printer/television-0000/delete/" // not listed
	if page := m.get(path); !strings.Contains(page, "End this sign-in?") {
		t.Errorf("got %s, want a question about the one sign-in", page)
	}
	m.post(http.StatusSeeOther, path, nil)
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
	m.do(http.StatusNotFound, http.MethodGet, "/o/authorized_tokens/"+url.PathEscape("https://app.test/x")+"/television-0001/delete/", "", "")
	m.post(http.StatusSeeOther, "/o/authorized_tokens/"+url.PathEscape("https://app.test/x")+"/delete/", nil)
	if m.isSignedIn("television-0000") || !m.isSignedIn("television-0001") || m.isSignedIn("phone") {
		t.Error("got another ended than the old sign-in and the old application")
	}
	answer := m.do(http.StatusOK, http.MethodGet, "/o/api/authorized_tokens", "", "").Body.String()
	if !strings.Contains(answer, `"more":true`) || !strings.Contains(answer, `"here":false`) || strings.Contains(answer, "television-0002") {
		t.Errorf("got %s, want it to say that there are more", answer)
	}
	m.json(http.StatusNoContent, http.MethodDelete, "/o/api/authorized_tokens/printer/television-0001", "")
	if m.isSignedIn("television-0001") || !m.isSignedIn("television-0002") {
		t.Error("got another ended than the one")
	}
	m.post(http.StatusSeeOther, "/o/authorized_tokens/printer/delete/", nil)
	if m.isSignedIn("television-0002") || !m.isSignedIn("bobs") {
		t.Error("got a sign-in left, or another user's ended")
	}
}

// TestSignInHere tells the sign-in that the user made in the session that he is in,
// without the session's id.
func TestSignInHere(t *testing.T) {
	m := newConnected(t)
	const here = "With the browser that you are using now"
	if page := m.get("/o/authorized_tokens/"); strings.Contains(page, here) {
		t.Errorf("got a page of an unknown session with %q", here)
	}
	m.user = &oauthkit.User{Subject: "alice", SessionID: "session-of-the-host"}
	if page := m.get("/o/authorized_tokens/"); strings.Count(page, here) != 3 || strings.Contains(page, "session-of-the-host") {
		t.Errorf("got %s, want all three marked, and no session id", page)
	}
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
