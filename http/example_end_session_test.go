package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// A host with a sign-out of its own ends the session with the applications first, while
// it still knows the user.
func ExampleHandler_EndSession() {
	sessions := map[string]string{"s1": "alice"} // where the host's sessions are
	handler, err := oauthhttp.NewHandler(galleryProvider(), oauthhttp.Config{
		CurrentUser: func(r *http.Request) (*oauthkit.User, error) {
			if cookie, err := r.Cookie("session"); err == nil && sessions[cookie.Value] != "" {
				return &oauthkit.User{Subject: sessions[cookie.Value], SessionID: cookie.Value}, nil
			}
			return nil, nil
		},
	})
	if err != nil {
		panic(err)
	}
	signOut := func(w http.ResponseWriter, r *http.Request) {
		if err := handler.EndSession(w, r); err != nil {
			http.Error(w, "Try again.", http.StatusServiceUnavailable)
			return
		}
		if cookie, err := r.Cookie("session"); err == nil {
			delete(sessions, cookie.Value)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}

	request := httptest.NewRequest(http.MethodPost, "/account/sign-out", nil)
	request.AddCookie(&http.Cookie{Name: "session", Value: "s1"})
	answer := httptest.NewRecorder()
	signOut(answer, request)
	fmt.Println(answer.Code, answer.Header().Get("Location"), len(sessions))
	// Output: 303 / 0
}
