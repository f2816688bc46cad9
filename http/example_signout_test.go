package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// The host ends its own session. The library asks the user for confirmation and shows
// the result.
func ExampleConfig_signOut() {
	sessions := map[string]string{"s1": "alice"} // where the host's sessions are
	handler, err := oauthhttp.NewHandler(galleryProvider(), oauthhttp.Config{
		CurrentUser: func(r *http.Request) (*oauthkit.User, error) {
			if cookie, err := r.Cookie("session"); err == nil && sessions[cookie.Value] != "" {
				return &oauthkit.User{Subject: sessions[cookie.Value]}, nil
			}
			return nil, nil
		},
		SignOut: func(w http.ResponseWriter, r *http.Request) error {
			if cookie, err := r.Cookie("session"); err == nil {
				delete(sessions, cookie.Value)
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
			return nil
		},
	})
	if err != nil {
		panic(err)
	}

	// The browser does the rest.
	visit := func(request *http.Request, cookies ...*http.Cookie) *httptest.ResponseRecorder {
		for _, cookie := range append(cookies, &http.Cookie{Name: "session", Value: "s1"}) {
			request.AddCookie(cookie)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder
	}
	heading := regexp.MustCompile(`<h1>(.*)</h1>`)
	token := regexp.MustCompile(`name="token" value="(.*)"`)

	page := visit(httptest.NewRequest(http.MethodGet, "/o/logout", nil))
	fmt.Println(page.Code, heading.FindStringSubmatch(page.Body.String())[1])

	form := url.Values{"token": {token.FindStringSubmatch(page.Body.String())[1]}}
	request := httptest.NewRequest(http.MethodPost, "/o/logout", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := visit(request, page.Result().Cookies()...)
	fmt.Println(answer.Code, answer.Header().Get("Location"), len(sessions))

	page = visit(httptest.NewRequest(http.MethodGet, answer.Header().Get("Location"), nil))
	fmt.Println(page.Code, heading.FindStringSubmatch(page.Body.String())[1])
	// Output:
	// 200 Sign out?
	// 303 /o/logout 0
	// 200 You are signed out
}
