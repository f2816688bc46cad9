package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// The only user of this program.
const (
	demoUser     = "alice"
	demoPassword = "wonderland"
)

// login is the part that every host already has: a login page and sessions. These
// sessions are in memory.
type login struct {
	origin *http.CrossOriginProtection

	mu       sync.Mutex
	sessions map[string]*oauthkit.User
}

func newLogin() *login {
	return &login{origin: http.NewCrossOriginProtection(), sessions: map[string]*oauthkit.User{}}
}

// currentUser is oauthhttp.Config.CurrentUser. It returns the signed-in user, or nil.
func (l *login) currentUser(r *http.Request) (*oauthkit.User, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[cookie.Value], nil
}

// show serves the login page at oauthhttp.Config.LoginURL.
func (l *login) show(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, "login.html", map[string]any{
		"Title": "Sign in", "Next": oauthhttp.ReturnPath(r), "User": demoUser, "Password": demoPassword,
	})
}

// signIn checks the password and starts a session.
func (l *login) signIn(w http.ResponseWriter, r *http.Request) {
	if err := l.origin.Check(r); err != nil {
		http.Error(w, "Cross-site request rejected.", http.StatusForbidden)
		return
	}
	username, password := r.PostFormValue("username"), r.PostFormValue("password")
	if username != demoUser || subtle.ConstantTimeCompare([]byte(password), []byte(demoPassword)) != 1 {
		render(w, http.StatusUnauthorized, "login.html", map[string]any{
			"Title": "Sign in", "Next": oauthhttp.ReturnPath(r), "User": demoUser, "Password": demoPassword,
			"Fail": "Incorrect username or password.",
		})
		return
	}
	session, id := rand.Text(), rand.Text()
	l.mu.Lock()
	if previous := l.remove(r); previous != nil { // the only user signs in again
		id = previous.SessionID
	}
	l.sessions[session] = &oauthkit.User{Subject: username, Name: "Alice Liddell", AuthTime: time.Now(), SessionID: id}
	l.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, oauthhttp.ReturnPath(r), http.StatusSeeOther)
}

// signOut is oauthhttp.Config.SignOut. It ends the session of the browser, if any.
func (l *login) signOut(w http.ResponseWriter, r *http.Request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(r)
	http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return nil
}

// remove removes and returns the session of the browser, or nil. The caller holds the
// mutex.
func (l *login) remove(r *http.Request) *oauthkit.User {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil
	}
	defer delete(l.sessions, cookie.Value)
	return l.sessions[cookie.Value]
}
