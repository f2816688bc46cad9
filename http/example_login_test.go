package oauthhttp_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// The host's login page names the application that the user will continue to, and fills
// in the username that the application has suggested.
func ExamplePendingLogin() {
	page := template.Must(template.New("login").Parse(`
{{- with .Pending}}<p>Sign in to continue to <strong>{{.Application.Name}}</strong></p>
{{end}}<input name="username" value="{{with .Pending}}{{.LoginHint}}{{end}}">
`))
	provider := galleryProvider("login_hint") // which package oidc does by itself
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{LoginURL: "/login"})
	if err != nil {
		panic(err)
	}
	login := func(w http.ResponseWriter, r *http.Request) {
		pending, err := oauthhttp.PendingLogin[*oauthkit.AbstractApplication](handler, r)
		if err != nil {
			http.Error(w, "Try again in a moment.", http.StatusServiceUnavailable)
			return
		}
		_ = page.Execute(w, map[string]any{"Pending": pending, "Next": oauthhttp.ReturnPath(r)})
	}

	// An application sends a user. The browser follows the redirect to the login page.
	began := httptest.NewRecorder()
	handler.ServeHTTP(began, httptest.NewRequest(http.MethodGet, galleryRequest+"&login_hint=alice%22", nil))
	request := httptest.NewRequest(http.MethodGet, began.Header().Get("Location"), nil)
	for _, cookie := range began.Result().Cookies() {
		request.AddCookie(cookie)
	}
	shown := httptest.NewRecorder()
	login(shown, request)
	fmt.Print(shown.Body)

	// A visitor comes without a request.
	shown = httptest.NewRecorder()
	login(shown, httptest.NewRequest(http.MethodGet, "/login", nil))
	fmt.Print(shown.Body)
	// Output:
	// <p>Sign in to continue to <strong>Print Shop</strong></p>
	// <input name="username" value="alice&#34;">
	// <input name="username" value="">
}
