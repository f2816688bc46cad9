package oauthapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// notesProvider returns a provider with the API https://example.com/notes, and an
// access token of the application robot with these scopes for it.
func notesProvider(scope string) (provider *oauthkit.Provider, token string) {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:    grants.Standard(store),
		Scopes:    oauthkit.StaticScopes{"read": "read your notes", "write": "write notes"},
		Resources: []string{"https://example.com/notes"},
	})
	if err != nil {
		panic(err)
	}
	robot := &oauthkit.AbstractApplication{
		ClientID: "robot", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"read", "write"},
	}
	response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{Application: robot, Form: url.Values{
		"grant_type": {"client_credentials"}, "scope": {scope}, "resource": {"https://example.com/notes"},
	}})
	if err != nil {
		panic(err)
	}
	return provider, response.AccessToken
}

// call sends a request and returns the response in one line.
func call(handler http.Handler, method, path, token string) string {
	request := httptest.NewRequest(method, "https://example.com"+path, nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	shown := fmt.Sprintln(method, path, recorder.Code, recorder.Header().Get("WWW-Authenticate"), recorder.Body)
	return strings.Join(strings.Fields(shown), " ")
}

// An API with a name accepts only tokens for it, and tells clients where to get them.
func ExampleAPI() {
	provider, token := notesProvider("read")
	api := oauthapi.API{
		Tokens:               provider,
		Resource:             "https://example.com/notes",
		AuthorizationServers: []string{provider.Issuer()},
	}
	mux := http.NewServeMux()
	mux.Handle("/notes", api.RequireScopes("read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := oauthapi.TokenFromContext(r.Context())
		fmt.Fprint(w, "hello ", token.Authorization.ClientID)
	})))
	mux.Handle(api.Metadata())
	fmt.Println(call(mux, "GET", "/notes", ""))
	fmt.Println(call(mux, "GET", "/.well-known/oauth-protected-resource/notes", ""))
	fmt.Println(call(mux, "GET", "/notes", token))
	// Output:
	// GET /notes 401 Bearer realm="oauth", scope="read", resource_metadata="https://example.com/.well-known/oauth-protected-resource/notes"
	// GET /.well-known/oauth-protected-resource/notes 200 {"resource":"https://example.com/notes","authorization_servers":["https://example.com/o"],"bearer_methods_supported":["header"]}
	// GET /notes 200 hello robot
}

// Scripts of a page on another origin call the API. A preflight request carries no token.
func ExampleAPI_CORS() {
	provider, _ := notesProvider("read")
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	mux := http.NewServeMux()
	mux.Handle("DELETE /notes", api.RequireScopes("write")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	handler := api.CORS(oauthapi.CORS{
		AllowOrigin: func(origin string) bool { return origin == "https://app.example" },
		Methods:     []string{"DELETE"},
	})(mux)
	for _, origin := range []string{"https://app.example", "https://other.example"} {
		request := httptest.NewRequest(http.MethodOptions, "https://example.com/notes", nil)
		request.Header.Set("Origin", origin)
		request.Header.Set("Access-Control-Request-Method", "DELETE")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		fmt.Printf("%d %q\n", recorder.Code, recorder.Header().Get("Access-Control-Allow-Origin"))
	}
	// Output:
	// 204 "https://app.example"
	// 405 ""
}

// Reading and writing need a scope each.
func ExampleAPI_RequireReadWrite() {
	provider, token := notesProvider("read")
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	notes := api.RequireReadWrite("read", "write")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fmt.Println(call(notes, "GET", "/notes", token))
	fmt.Println(call(notes, "PUT", "/notes", token))
	// Output:
	// GET /notes 200
	// PUT /notes 403 Bearer error="insufficient_scope", scope="write" {"error":"insufficient_scope","error_description":"the access token does not have the scope that is needed"}
}

// Each method can have alternatives. A token needs all scopes of one of them.
func ExampleAPI_RequireByMethod() {
	provider, token := notesProvider("read write")
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	notes := api.RequireByMethod(map[string][]oauthkit.Scopes{
		"GET":    {{"read"}, {"admin"}},
		"POST":   {{"read", "write"}, {"admin"}},
		"DELETE": {{"admin"}},
	})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fmt.Println(call(notes, "POST", "/notes", token))
	fmt.Println(call(notes, "DELETE", "/notes", token))
	// Output:
	// POST /notes 200
	// DELETE /notes 403 Bearer error="insufficient_scope", scope="admin" {"error":"insufficient_scope","error_description":"the access token does not have the scope that is needed"}
}

// The host's pages and the API's clients call the same URL.
func ExampleAPI_SignedInOr() {
	provider, token := notesProvider("read")
	session := func(r *http.Request) (*oauthkit.User, error) { // oauthhttp.Config.CurrentUser
		if r.Header.Get("Cookie") == "" {
			return nil, nil
		}
		return &oauthkit.User{Subject: "alice"}, nil
	}
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	notes := api.SignedInOr(session, "read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, signedIn := oauthapi.SubjectFromContext(r.Context())
		fmt.Printf("%q %t\n", subject, signedIn)
	}))
	fmt.Println(call(notes, "GET", "/notes", token))
	request := httptest.NewRequest(http.MethodGet, "https://example.com/notes", nil)
	request.Header.Set("Cookie", "session=1")
	notes.ServeHTTP(httptest.NewRecorder(), request)
	// Output:
	// "" false
	// GET /notes 200
	// "alice" true
}

// The handler gets the host's user if one is signed in. For a token, it gets the
// subject.
func ExampleUserFromContext() {
	provider, token := notesProvider("read")
	session := func(*http.Request) (*oauthkit.User, error) {
		return &oauthkit.User{Subject: "alice", Name: "Alice Liddell"}, nil
	}
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	notes := api.SignedInOr(session, "read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, signedIn := oauthapi.UserFromContext(r.Context()); signedIn {
			fmt.Fprint(w, "hello ", user.Name)
			return
		}
		token, _ := oauthapi.TokenFromContext(r.Context())
		fmt.Fprint(w, "hello ", token.Authorization.ClientID)
	}))
	fmt.Println(call(notes, "GET", "/notes", ""))
	fmt.Println(call(notes, "GET", "/notes", token))
	// Output:
	// GET /notes 200 hello Alice Liddell
	// GET /notes 200 hello robot
}

// Any rate limiter can count by user or application. This one allows two requests.
func ExampleRateLimitKey() {
	provider, token := notesProvider("read")
	counts := map[string]int{}
	limit := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := oauthapi.RateLimitKey(r)
			if counts[key]++; counts[key] > 2 {
				http.Error(w, "too many requests by "+key, http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	api := oauthapi.API{Tokens: provider, Resource: "https://example.com/notes"}
	notes := api.RequireScopes("read")(limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for range 3 {
		fmt.Println(call(notes, "GET", "/notes", token))
	}
	// Output:
	// GET /notes 200
	// GET /notes 200
	// GET /notes 429 too many requests by application:robot
}

// An API in another program asks the provider. A revoked token may be accepted for
// ten more seconds.
func ExampleNewIntrospector() {
	introspector, err := oauthapi.NewIntrospector(oauthapi.IntrospectorConfig{
		Endpoint:     "https://example.com/o/introspect",
		ClientID:     "notes", // is allowed the scope "introspection"
		ClientSecret: "ocs_the-secret-of-that-application",
		CacheTime:    10 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	notes := oauthapi.RequireScopes(introspector, "read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fmt.Println(call(notes, "GET", "/notes", ""))
	// Output:
	// GET /notes 401 Bearer realm="oauth", scope="read"
}
