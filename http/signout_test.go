package oauthhttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// leaving is a host with a sign-out function and its effects.
type leaving struct {
	*managed
	failure error
	events  []oauthkit.Event
}

func newLeaving(t *testing.T, issuer string, changes ...func(config *oauthhttp.Config)) *leaving {
	t.Helper()
	l := &leaving{managed: newManaged(t)}
	var err error
	l.provider, err = oauthkit.New(issuer, l.store, oauthkit.Config{
		Grants:  grants.Standard(l.store),
		Scopes:  oauthkit.StaticScopes{"read": "read your messages"},
		Observe: func(_ context.Context, event oauthkit.Event) { l.events = append(l.events, event) },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.user.Name = "Alice Example"
	l.handler = l.handlerWith(func(config *oauthhttp.Config) {
		config.SignOut = l.signOut
		for _, change := range changes {
			change(config)
		}
	})
	return l
}

// signOut ends the host's session.
func (l *leaving) signOut(w http.ResponseWriter, _ *http.Request) error {
	if l.failure == nil {
		l.user = nil
		w.Header().Set("Clear-Site-Data", `"cache"`)
	}
	return l.failure
}

// TestSignOut checks the confirmation (GET), the sign-out (POST) and the page after
// it.
func TestSignOut(t *testing.T) {
	for _, prefix := range []string{"/o", ""} {
		t.Run("below "+prefix+"/", func(t *testing.T) {
			l := newLeaving(t, "https://as.test"+prefix)
			for range 2 {
				if page := l.get(prefix + "/logout"); !strings.Contains(page, "Alice Example") || !strings.Contains(page, `action="`+prefix+`/logout"`) || l.user == nil {
					t.Errorf("got %s, want a confirmation for alice, and no sign-out yet", page)
				}
			}
			l.do(http.StatusMethodNotAllowed, http.MethodHead, prefix+"/logout", "", "")
			name, _, _ := strings.Cut(l.cookie, "=")
			answer := l.post(http.StatusSeeOther, prefix+"/logout", nil)
			if got, want := answer.Header().Get("Location"), prefix+"/logout"; got != want || l.user != nil {
				t.Errorf("got Location %q and user %v, want %q and none", got, l.user, want)
			}
			if got, want := answer.Header().Get("Set-Cookie"), name+"=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"; got != want {
				t.Errorf("got Set-Cookie %q, want %q", got, want)
			}
			if got := answer.Header().Get("Clear-Site-Data"); got != `"cache"` {
				t.Errorf("got Clear-Site-Data %q, want the host's value", got)
			}
			page := l.get(prefix + "/logout/")
			for _, want := range []string{"You are signed out", `href="/login"`, `href="` + prefix + `/authorized_tokens/"`} {
				if !strings.Contains(page, want) {
					t.Errorf("got a page without %q:\n%s", want, page)
				}
			}
			if got := len(l.events); got != 2 || l.events[1] != (oauthkit.SignedOut{Subject: "alice"}) {
				t.Errorf("got events %v, want the end of the session and the sign-out of alice", l.events)
			}
			if ended, ok := l.events[0].(oauthkit.SessionEnded); !ok || ended.Subject != "alice" || ended.SessionID == "" {
				t.Errorf("got event %v, want the end of a session of alice", l.events[0])
			}
		})
	}
}

// TestSignOutIsRefused submits forms that this user did not see in this browser and
// session. None signs the user out; one without a token is not the form of the page, and
// gets the question.
func TestSignOutIsRefused(t *testing.T) {
	l := newLeaving(t, "https://as.test/o")
	l.user.SessionID = "one"
	token := valueOf(l.get("/o/logout"), "token")
	l.add("printer", nil)
	other := valueOf(l.get("/o/applications/printer/delete/"), "token")
	alice, cookie := l.user, l.cookie
	tests := []struct {
		name, site, body, cookie string
		user                     *oauthkit.User
		status                   int
	}{
		{"from another site", "cross-site", "token=" + token, cookie, alice, 403},
		{"from another host of the site", "same-site", "token=" + token, cookie, alice, 403},
		{"without a token", "same-origin", "", cookie, alice, 200},
		{"with another token", "same-origin", "token=x", cookie, alice, 403},
		{"with the token of another form", "same-origin", "token=" + other, cookie, alice, 403},
		{"in another browser", "same-origin", "token=" + token, "", alice, 403},
		{"as another user", "same-origin", "token=" + token, cookie, &oauthkit.User{Subject: "bob", SessionID: "one"}, 403},
		{"in another session", "same-origin", "token=" + token, cookie, &oauthkit.User{Subject: "alice", SessionID: "two"}, 403},
		{"without a token, confirmed", "same-origin", "logout=yes", cookie, alice, 403},
		{"not confirmed", "same-origin", "logout=no&token=" + token, cookie, alice, 400},
		{"in the query", "same-origin", "", cookie, alice, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.user = test.user
			request := httptest.NewRequest(http.MethodPost, "https://as.test/o/logout?token="+token, strings.NewReader(test.body))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Sec-Fetch-Site", test.site)
			request.Header.Set("Cookie", test.cookie)
			recorder := httptest.NewRecorder()
			l.handler.ServeHTTP(recorder, request)
			if recorder.Code != test.status || l.user == nil || recorder.Header().Get("Set-Cookie") != "" {
				t.Errorf("got %d, user %v, Set-Cookie %q; want %d and no sign-out", recorder.Code, l.user, recorder.Header().Get("Set-Cookie"), test.status)
			}
		})
	}
}

// TestSignOutFails checks that the user stays signed in if the host cannot end its
// session, and can try again. The session with the applications has ended already: the
// browser's cookie is forgotten, so that its next one is another.
func TestSignOutFails(t *testing.T) {
	l := newLeaving(t, "https://as.test/o")
	form := url.Values{"token": {valueOf(l.get("/o/logout"), "token")}}.Encode()
	l.failure = errors.New("the database is away")
	answer := l.do(http.StatusServiceUnavailable, http.MethodPost, "/o/logout", "application/x-www-form-urlencoded", form)
	if answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Header().Get("Set-Cookie"), "Max-Age=0") || strings.Contains(answer.Body.String(), "database") {
		t.Errorf("got %v and %s, want Retry-After, the cookie deleted, and no cause", answer.Header(), answer.Body)
	}
	for _, event := range l.events {
		if _, ok := event.(oauthkit.SignedOut); ok {
			t.Errorf("got %v, want no sign-out", event)
		}
	}
	if page := l.get("/o/logout"); !strings.Contains(page, "Alice Example") {
		t.Errorf("got %s, want a confirmation for alice", page)
	}
	l.failure = nil
	l.post(http.StatusSeeOther, "/o/logout", nil)
	if l.user != nil {
		t.Errorf("got %v, want none", l.user)
	}
}

// TestSignedOutPage opens the page without a signed-in user. It has the links that
// the host has.
func TestSignedOutPage(t *testing.T) {
	const signIn, connections = `href="/login"`, `href="/o/authorized_tokens/"`
	tests := []struct {
		name          string
		change        func(config *oauthhttp.Config)
		want, without []string
	}{
		{"with everything", func(*oauthhttp.Config) {}, []string{signIn, connections}, nil},
		{"without a login page", func(config *oauthhttp.Config) { config.LoginURL = "" }, []string{connections}, []string{signIn, `class="button`}},
		{"without connected apps", func(config *oauthhttp.Config) { config.Authorizations = nil }, []string{signIn}, []string{connections}},
		{"without management pages", func(config *oauthhttp.Config) {
			config.Groups = []oauthhttp.Group{oauthhttp.GroupBase}
		}, []string{signIn}, []string{connections}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLeaving(t, "https://as.test/o", test.change)
			l.user = nil
			page := l.get("/o/logout")
			for _, want := range append(test.want, "You are signed out") {
				if !strings.Contains(page, want) {
					t.Errorf("got a page without %q:\n%s", want, page)
				}
			}
			for _, without := range test.without {
				if strings.Contains(page, without) {
					t.Errorf("got a page with %q:\n%s", without, page)
				}
			}
			// From another window.
			answer := l.do(http.StatusSeeOther, http.MethodPost, "/o/logout", "application/x-www-form-urlencoded", "")
			if answer.Header().Get("Location") != "/o/logout" || len(l.events) > 0 {
				t.Errorf("got Location %q and events %v, want the page and none", answer.Header().Get("Location"), l.events)
			}
		})
	}
}

// TestNoSignOut checks that the page does not exist if the host has no sign-out
// function or leaves out the group.
func TestNoSignOut(t *testing.T) {
	for name, change := range map[string]func(config *oauthhttp.Config){
		"not configured": func(config *oauthhttp.Config) { config.SignOut = nil },
		"not served":     func(config *oauthhttp.Config) { config.Groups = []oauthhttp.Group{oauthhttp.GroupManagement} },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeaving(t, "https://as.test/o", change)
			l.do(http.StatusNotFound, http.MethodGet, "/o/logout", "", "")
			l.do(http.StatusNotFound, http.MethodPost, "/o/logout", "application/x-www-form-urlencoded", "")
		})
	}
}

// TestSignOutPages checks that the pages are in the user's language and can be
// replaced.
func TestSignOutPages(t *testing.T) {
	l := newLeaving(t, "https://as.test/o", func(config *oauthhttp.Config) {
		config.Templates = files(map[string]string{
			"signed_out.html": `{{define "content"}}<h1>Gallery: {{t "signout.done.heading"}}</h1>{{end}}`,
		})
	})
	l.user.Name, l.language = "", "de"
	if page := l.get("/o/logout"); !strings.Contains(page, "<h1>Abmelden?</h1>") || !strings.Contains(page, "<bdi>alice</bdi>") {
		t.Errorf("got %s, want a confirmation in German with the subject", page)
	}
	l.post(http.StatusSeeOther, "/o/logout", nil)
	if page := l.get("/o/logout"); !strings.Contains(page, "<h1>Gallery: Sie sind abgemeldet</h1>") || strings.Contains(page, "/login") {
		t.Errorf("got %s, want the host's page in German", page)
	}
}
