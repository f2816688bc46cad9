package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// galleryRequest is an authorization request of the application print.
const galleryRequest = "/o/authorize?client_id=print&redirect_uri=https://print.example/cb&response_type=code" +
	"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=photos"

// galleryProvider returns a provider with one application, print. Parameters are
// further parameters of authorization requests.
func galleryProvider(parameters ...string) *oauthkit.Provider {
	store := memstore.New()
	provider, err := oauthkit.New("https://gallery.example/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"photos": "see your photos", "albums": "make albums"},
		AuthorizeParameters: parameters,
	})
	if err != nil {
		panic(err)
	}
	err = store.CreateApplication(context.Background(), &oauthkit.AbstractApplication{
		ClientID: "print", Name: "Print Shop", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://print.example/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"photos", "albums"},
	}, time.Now())
	if err != nil {
		panic(err)
	}
	return provider
}

// galleryHandler returns the handler of galleryProvider.
func galleryHandler(config oauthhttp.Config) http.Handler {
	handler, err := oauthhttp.NewHandler(galleryProvider(), config)
	if err != nil {
		panic(err)
	}
	return handler
}

// alice is a CurrentUser that signs in alice.
func alice(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }

// consentLines requests both scopes and returns the lines of the consent page that
// contain one of the words.
func consentLines(handler http.Handler, words ...string) string {
	var lines string
	asked := httptest.NewRecorder()
	handler.ServeHTTP(asked, httptest.NewRequest(http.MethodGet, galleryRequest+"+albums", nil))
	request := httptest.NewRequest(http.MethodGet, asked.Header().Get("Location"), nil)
	for _, cookie := range asked.Result().Cookies() {
		request.AddCookie(cookie)
	}
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, request)
	for line := range strings.Lines(page.Body.String()) {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) }) {
			lines += strings.TrimSpace(line) + "\n"
		}
	}
	return lines
}

// A host replaces the authorization endpoint: visitors from a campaign see another
// page. It serves no pages to manage applications.
func ExampleHandler_Endpoint() {
	signedIn := func(r *http.Request) (*oauthkit.User, error) {
		if cookie, err := r.Cookie("session"); err == nil { // where the host's sessions go
			return &oauthkit.User{Subject: cookie.Value}, nil
		}
		return nil, nil
	}
	var handler *oauthhttp.Handler
	authorize := func(w http.ResponseWriter, r *http.Request) {
		user, err := signedIn(r)
		if err == nil && user == nil && r.URL.Query().Get("campaign") == "summer" {
			fmt.Fprint(w, "Welcome! Make yourself an account for our summer exhibition.")
			return
		}
		handler.Endpoint("authorize").ServeHTTP(w, r)
	}
	handler, err := oauthhttp.NewHandler(galleryProvider(), oauthhttp.Config{
		CurrentUser: signedIn,
		LoginURL:    "/login",
		// Management is left out.
		Groups:  []oauthhttp.Group{oauthhttp.GroupBase, oauthhttp.GroupMetadata, oauthhttp.GroupOIDC},
		Replace: map[string]http.Handler{"authorize": http.HandlerFunc(authorize)},
	})
	if err != nil {
		panic(err)
	}

	for _, path := range []string{galleryRequest + "&campaign=summer", galleryRequest, "/o/applications/"} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		login, _, _ := strings.Cut(recorder.Header().Get("Location"), "?")
		switch {
		case login != "":
			fmt.Println(recorder.Code, login)
		case recorder.Code == http.StatusOK:
			fmt.Println(recorder.Code, recorder.Body)
		default:
			fmt.Println(recorder.Code)
		}
	}
	// Output:
	// 200 Welcome! Make yourself an account for our summer exhibition.
	// 303 /login
	// 404
}

// The user may approve some of the requested scopes.
func ExampleConfig_userChoosesScopes() {
	fmt.Print(consentLines(galleryHandler(oauthhttp.Config{CurrentUser: alice, UserChoosesScopes: true}), "<legend>", "checkbox"))
	// Output:
	// <legend>Choose what this application may do</legend>
	// <li><label><input type="checkbox" checked name="scope" value="photos"> <span><bdi>see your photos</bdi></span></label></li>
	// <li><label><input type="checkbox" checked name="scope" value="albums"> <span><bdi>make albums</bdi></span></label></li>
}

// A host replaces the title and the footer of every page. In a program, the files
// would come from package embed.
func ExampleConfig_templates() {
	parts := `{{define "title"}}{{.Title}} - Gallery{{end}}
{{define "footer"}}<footer>Gallery, Inc.</footer>{{end}}`
	fmt.Print(consentLines(galleryHandler(oauthhttp.Config{
		CurrentUser: alice,
		Templates:   fstest.MapFS{"parts.html": {Data: []byte(parts)}},
	}), "<title>", "<footer>", "<h1>"))
	// Output:
	// <title>Allow access? - Gallery</title>
	// <h1>An application asks for access</h1>
	// <footer>Gallery, Inc.</footer>
}

// A host replaces a text, and describes a scope in each language.
func ExampleConfig_texts() {
	fmt.Print(consentLines(galleryHandler(oauthhttp.Config{
		CurrentUser: alice,
		Texts: map[string]oauthhttp.Texts{
			"en": {"consent.heading": "Another site would like to use your gallery"},
			"de": {"scope.photos": "Ihre Fotos sehen"},
		},
	}), "<h1>", "see your photos"))
	// Output:
	// <h1>Another site would like to use your gallery</h1>
	// <li><bdi>see your photos</bdi></li>
}

// Pages link back to the host.
func ExampleConfig_homeURL() {
	handler, err := oauthhttp.NewHandler(galleryProvider(), oauthhttp.Config{CurrentUser: alice, HomeURL: "https://gallery.example/"})
	if err != nil {
		panic(err)
	}
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/o/authorize?client_id=nobody", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.Contains(line, "<a ") {
			fmt.Print(line)
		}
	}
	// Output:
	// <nav class="links account" aria-label="This site"><a href="https://gallery.example/">Home</a>
}
