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

// signIn stores an authorization of a user for an application, as one device.
func (m *managed) signIn(id, clientID, subject string) {
	m.Helper()
	now := time.Now()
	authorization := &oauthkit.Authorization{
		ID: id, ClientID: clientID, Subject: subject, Scopes: oauthkit.Scopes{"read"},
		SessionID: m.provider.SessionID(&oauthkit.User{Subject: subject, SessionID: "session-of-the-host"}),
		CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour),
	}
	access := &oauthkit.AccessToken{Hash: id, Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(time.Minute)}
	if err := m.store.SaveTokens(m.Context(), authorization, oauthkit.Tokens{Access: access}); err != nil {
		m.Fatal(err)
	}
}

// isSignedIn reports whether the token of an authorization is valid.
func (m *managed) isSignedIn(id string) bool {
	m.Helper()
	token, err := m.store.AccessToken(m.Context(), id)
	return err == nil && token.Authorization.Valid(time.Now())
}

// signedInAt returns when an authorization was created.
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
	m.signIn("rest", "removed", "alice") // a deleted application with an authorization
	if page := m.get("/o/authorized_tokens/"); !strings.Contains(page, "No longer available") {
		t.Errorf("got a page that does not say that the application is gone:\n%s", page)
	}
	m.post(http.StatusSeeOther, "/o/authorized_tokens/removed/delete/", nil)
	m.user = &oauthkit.User{Subject: "carol"}
	if page := m.get("/o/authorized_tokens/"); !strings.Contains(page, "You have not let any application") {
		t.Errorf("got a page that is not empty:\n%s", page)
	}
}

func TestRevokeOneAuthorization(t *testing.T) {
	m := newConnected(t)
	path := "/o/authorized_tokens/" + url.PathEscape("https://app.test/x") + "/phone/delete/"
	if page := m.get(path); !strings.Contains(page, "End this sign-in?") || !m.isSignedIn("phone") {
		t.Errorf("got %s, want a confirmation, and nothing revoked yet", page)
	}
	m.post(http.StatusSeeOther, path, nil)
	if m.isSignedIn("phone") || !m.isSignedIn("laptop") || !m.isSignedIn("desk") || !m.isSignedIn("bobs") {
		t.Error("got the wrong authorization revoked")
	}
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
	// An authorization of another application.
	m.do(http.StatusNotFound, http.MethodGet, "/o/authorized_tokens/printer/laptop/delete/", "", "")
}

// TestManySignIns checks that an authorization is listed, and can be revoked on the
// page and in JSON, although the user has a thousand newer ones of other
// applications.
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
		t.Errorf("got %s, want a confirmation for one authorization", page)
	}
	m.post(http.StatusSeeOther, path, nil)
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
	m.do(http.StatusNotFound, http.MethodGet, "/o/authorized_tokens/"+url.PathEscape("https://app.test/x")+"/television-0001/delete/", "", "")
	m.post(http.StatusSeeOther, "/o/authorized_tokens/"+url.PathEscape("https://app.test/x")+"/delete/", nil)
	if m.isSignedIn("television-0000") || !m.isSignedIn("television-0001") || m.isSignedIn("phone") {
		t.Error("got the wrong authorizations revoked")
	}
	answer := m.do(http.StatusOK, http.MethodGet, "/o/api/authorized_tokens", "", "").Body.String()
	if !strings.Contains(answer, `"more":true`) || !strings.Contains(answer, `"here":false`) || strings.Contains(answer, "television-0002") {
		t.Errorf("got %s, want more to be true", answer)
	}
	m.json(http.StatusNoContent, http.MethodDelete, "/o/api/authorized_tokens/printer/television-0001", "")
	if m.isSignedIn("television-0001") || !m.isSignedIn("television-0002") {
		t.Error("got the wrong authorization revoked")
	}
	m.post(http.StatusSeeOther, "/o/authorized_tokens/printer/delete/", nil)
	if m.isSignedIn("television-0002") || !m.isSignedIn("bobs") {
		t.Error("got an authorization left, or another user's revoked")
	}
}

// TestSignInHere checks that the page marks the authorization of the user's present
// session and does not contain the session's id.
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

func TestRevokeConnection(t *testing.T) {
	m := newConnected(t)
	path := "/o/authorized_tokens/" + url.PathEscape("https://app.test/x") + "/delete/"
	if page := m.get(path); !strings.Contains(page, "Remove its access?") || !m.isSignedIn("phone") {
		t.Errorf("got %s, want a confirmation, and nothing revoked yet", page)
	}
	if location := m.post(http.StatusSeeOther, path, nil).Header().Get("Location"); location != "/o/authorized_tokens/" {
		t.Errorf("got Location %s, want the list", location)
	}
	if m.isSignedIn("phone") || m.isSignedIn("laptop") || !m.isSignedIn("desk") || !m.isSignedIn("bobs") {
		t.Error("got another application's authorization revoked, or not all of this one's")
	}
	m.do(http.StatusNotFound, http.MethodGet, path, "", "")
}
