package oauthapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// tokenTable is a TokenSource with tokens by their value. Looking up the token "down"
// fails.
type tokenTable map[string]oauthkit.AccessToken

func (t tokenTable) Authenticate(_ context.Context, presented oauthkit.PresentedToken) (*oauthkit.AccessToken, error) {
	if presented.Value == "down" {
		return nil, oauthkit.Unavailable(errors.New("the database is gone"))
	}
	token, ok := t[presented.Value]
	if !ok {
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not valid")
	}
	return &token, nil
}

func token(subject, scopes string, resources ...string) oauthkit.AccessToken {
	return oauthkit.AccessToken{
		Authorization: &oauthkit.Authorization{ClientID: "web", Subject: subject},
		Scopes:        strings.Fields(scopes), Resources: resources,
	}
}

var tokens = tokenTable{
	"none":  token("alice", ""),
	"read":  token("alice", "read"),
	"write": token("alice", "write"),
	"both":  token("alice", "write read"),
	"admin": token("", "admin"),
	"here":  token("alice", "read", "https://api.test/notes"),
	"there": token("alice", "read", "https://other.test"),
	"many":  token("alice", "read", "https://other.test", "https://api.test/notes"),
}

// answerTo sends a request with a token through middleware and returns the response.
// The API responds with the caller.
func answerTo(protect func(http.Handler) http.Handler, method, token string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "https://api.test/notes", nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, hasToken := oauthapi.TokenFromContext(r.Context())
		subject, hasSubject := oauthapi.SubjectFromContext(r.Context())
		answer := map[string]any{"token": hasToken, "subject": subject, "user": hasSubject}
		if user, signedIn := oauthapi.UserFromContext(r.Context()); signedIn {
			answer["name"] = user.Name
		}
		_ = json.NewEncoder(w).Encode(answer)
	})).ServeHTTP(recorder, request)
	return recorder
}

func TestProtection(t *testing.T) {
	api := oauthapi.API{Tokens: tokens}
	byMethod := api.RequireByMethod(map[string][]oauthkit.Scopes{
		"GET": {{"read"}, {"admin"}}, "POST": {{"read", "write"}, {"admin"}}, "DELETE": {},
	})
	tests := map[string]struct {
		protect       func(http.Handler) http.Handler
		method, token string
		status        int
		challenge     string
	}{
		"no scope needed":                    {oauthapi.RequireScopes(tokens), "GET", "none", 200, ""},
		"no scope needed, no token":          {oauthapi.RequireScopes(tokens), "GET", "", 401, `Bearer realm="oauth"`},
		"all scopes":                         {api.RequireScopes("read", "write"), "GET", "both", 200, ""},
		"one of two scopes":                  {api.RequireScopes("read", "write"), "GET", "read", 403, `Bearer error="insufficient_scope", scope="read write"`},
		"unknown token":                      {api.RequireScopes("read"), "GET", "nonsense", 401, `Bearer error="invalid_token", error_description="the access token is not valid"`},
		"token source is down":               {api.RequireScopes("read"), "GET", "down", 503, ""},
		"any scope, the first":               {api.RequireAnyScope("read", "write"), "GET", "read", 200, ""},
		"any scope, the second":              {api.RequireAnyScope("read", "write"), "GET", "write", 200, ""},
		"any scope, neither":                 {api.RequireAnyScope("read", "write"), "GET", "admin", 403, `Bearer error="insufficient_scope", scope="read"`},
		"any scope, none listed":             {api.RequireAnyScope(), "GET", "both", 403, `Bearer error="insufficient_scope"`},
		"reading with read":                  {api.RequireReadWrite("read", "write"), "GET", "read", 200, ""},
		"HEAD with read":                     {api.RequireReadWrite("read", "write"), "HEAD", "read", 200, ""},
		"reading with write":                 {api.RequireReadWrite("read", "write"), "GET", "write", 403, `Bearer error="insufficient_scope", scope="read"`},
		"writing with write":                 {api.RequireReadWrite("read", "write"), "PUT", "write", 200, ""},
		"writing with read":                  {api.RequireReadWrite("read", "write"), "DELETE", "read", 403, `Bearer error="insufficient_scope", scope="write"`},
		"unknown method with read":           {api.RequireReadWrite("read", "write"), "get", "read", 403, `Bearer error="insufficient_scope", scope="write"`},
		"by method, first alternative":       {byMethod, "GET", "read", 200, ""},
		"by method, second alternative":      {byMethod, "GET", "admin", 200, ""},
		"by method, HEAD as GET":             {byMethod, "HEAD", "read", 200, ""},
		"by method, half an alternative":     {byMethod, "POST", "read", 403, `Bearer error="insufficient_scope", scope="read write"`},
		"by method, whole alternative":       {byMethod, "POST", "both", 200, ""},
		"by method, without alternatives":    {byMethod, "DELETE", "admin", 403, `Bearer error="insufficient_scope"`},
		"by method, not listed":              {byMethod, "PATCH", "admin", 403, `Bearer error="insufficient_scope"`},
		"by method, OPTIONS without a token": {byMethod, "OPTIONS", "", 401, `Bearer realm="oauth"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := answerTo(test.protect, test.method, test.token)
			if got.Code != test.status || got.Header().Get("WWW-Authenticate") != test.challenge {
				t.Errorf("got %d with challenge %s, want %d with %s", got.Code, got.Header().Get("WWW-Authenticate"), test.status, test.challenge)
			}
			if test.status == 503 && got.Header().Get("Retry-After") == "" {
				t.Error("got 503 without Retry-After")
			}
		})
	}
}

// TestAudience checks which tokens an API accepts by their resources. It never
// accepts a token for another API.
func TestAudience(t *testing.T) {
	tests := map[string]struct {
		resource string
		accepted []string
	}{
		"an API with a name":          {"https://api.test/notes", []string{"here", "many"}},
		"an API without a name":       {"", []string{"read"}},
		"a name with a further slash": {"https://api.test/notes/", nil},
		"a prefix of the name":        {"https://api.test", nil},
		"a name in another case":      {"https://API.test/notes", nil},
		"an unknown name":             {"urn:other", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			protect := oauthapi.API{Tokens: tokens, Resource: test.resource}.RequireScopes("read")
			for _, token := range []string{"read", "here", "there", "many"} {
				want := 401
				for _, accepted := range test.accepted {
					if token == accepted {
						want = 200
					}
				}
				got := answerTo(protect, "GET", token)
				if got.Code != want {
					t.Errorf("token %q: got %d, want %d", token, got.Code, want)
				}
				if want == 401 && !strings.HasPrefix(got.Header().Get("WWW-Authenticate"), `Bearer error="invalid_token"`) {
					t.Errorf("token %q: got challenge %q, want invalid_token", token, got.Header().Get("WWW-Authenticate"))
				}
			}
		})
	}
}

func TestSignedInOr(t *testing.T) {
	session := func(r *http.Request) (*oauthkit.User, error) {
		switch r.Header.Get("Cookie") {
		case "":
			return nil, nil
		case "down":
			return nil, errors.New("the sessions are gone")
		case "nameless":
			return &oauthkit.User{}, nil
		default:
			return &oauthkit.User{Subject: r.Header.Get("Cookie"), Name: "Bob Builder", AuthTime: time.Now()}, nil
		}
	}
	protect := oauthapi.API{Tokens: tokens}.SignedInOr(session, "read")
	tests := map[string]struct {
		method, token string
		header        []string
		status        int
		body          string
	}{
		"no user":                         {"GET", "", nil, 401, ""},
		"token":                           {"GET", "read", nil, 200, `{"subject":"alice","token":true,"user":true}`},
		"token without the scope":         {"GET", "write", nil, 403, ""},
		"session":                         {"GET", "", []string{"Cookie", "bob"}, 200, `{"name":"Bob Builder","subject":"bob","token":false,"user":true}`},
		"session, and a token that wins":  {"GET", "read", []string{"Cookie", "bob"}, 200, `{"subject":"alice","token":true,"user":true}`},
		"session, and a token that fails": {"GET", "write", []string{"Cookie", "bob"}, 403, ""},
		"session, and an unknown token":   {"GET", "nonsense", []string{"Cookie", "bob"}, 401, ""},
		"session, and a malformed token":  {"GET", "a b", []string{"Cookie", "bob"}, 400, ""},
		"session store is down":           {"GET", "", []string{"Cookie", "down"}, 503, ""},
		"a user without a name":           {"GET", "", []string{"Cookie", "nameless"}, 500, ""},
		"form of this site":               {"POST", "", []string{"Cookie", "bob", "Sec-Fetch-Site", "same-origin"}, 200, `{"name":"Bob Builder","subject":"bob","token":false,"user":true}`},
		"form of another site":            {"POST", "", []string{"Cookie", "bob", "Sec-Fetch-Site", "cross-site"}, 403, ""},
		"form of another origin":          {"POST", "", []string{"Cookie", "bob", "Origin", "https://evil.test"}, 403, ""},
		"link of another site":            {"GET", "", []string{"Cookie", "bob", "Sec-Fetch-Site", "cross-site"}, 200, `{"name":"Bob Builder","subject":"bob","token":false,"user":true}`},
		"script of another site, token":   {"POST", "read", []string{"Sec-Fetch-Site", "cross-site"}, 200, `{"subject":"alice","token":true,"user":true}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := answerTo(protect, test.method, test.token, test.header...)
			if got.Code != test.status || test.body != "" && strings.TrimSpace(got.Body.String()) != test.body {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, test.status, test.body)
			}
			if strings.Contains(strings.ToLower(got.Body.String()), "bob") && (test.status != 200 || test.token != "") {
				t.Errorf("got %s, want nothing of the user", got.Body)
			}
		})
	}
}

// TestSignedInOr_PlainHTTP submits a form from a page that was loaded over plain
// http, which anyone on the network could have changed, in a browser that sends only
// an Origin header. An API that is itself called over plain http, as in development,
// accepts it.
func TestSignedInOr_PlainHTTP(t *testing.T) {
	alice := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	beside := func(issuer string) oauthapi.TokenSource {
		provider, err := oauthkit.New(issuer, memstore.New(), oauthkit.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return provider
	}
	for name, test := range map[string]struct {
		api    oauthapi.API
		origin string
		status int
	}{
		"plain http, its name is https":     {oauthapi.API{Tokens: tokens, Resource: "https://api.test/notes"}, "http://api.test", 403},
		"https, its name is https":          {oauthapi.API{Tokens: tokens, Resource: "https://api.test/notes"}, "https://api.test", 200},
		"plain http, the provider is https": {oauthapi.API{Tokens: beside("https://as.test/o")}, "http://api.test", 403},
		"https, the provider is https":      {oauthapi.API{Tokens: beside("https://as.test/o")}, "https://api.test", 200},
		"plain http everywhere":             {oauthapi.API{Tokens: beside("http://localhost:8080/o")}, "http://api.test", 200},
	} {
		if got := answerTo(test.api.SignedInOr(alice), "POST", "", "Origin", test.origin); got.Code != test.status {
			t.Errorf("%s: got %d, want %d", name, got.Code, test.status)
		}
	}
}

func TestCallerOfMachine(t *testing.T) {
	got := answerTo(oauthapi.RequireScopes(tokens, "admin"), "GET", "admin").Body.String()
	if want := `{"subject":"","token":true,"user":false}`; strings.TrimSpace(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAPIWithoutTokens checks that no middleware lets a request through if Tokens is nil.
func TestAPIWithoutTokens(t *testing.T) {
	api := oauthapi.API{Resource: "https://api.test/notes"}
	alice := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	for name, protect := range map[string]func(http.Handler) http.Handler{
		"RequireScopes, short": oauthapi.RequireScopes(nil),
		"RequireScopes":        api.RequireScopes("read"),
		"RequireAnyScope":      api.RequireAnyScope("read"),
		"RequireReadWrite":     api.RequireReadWrite("read", "write"),
		"RequireByMethod":      api.RequireByMethod(nil),
		"SignedInOr":           api.SignedInOr(alice, "read"),
	} {
		for _, token := range []string{"", "read"} {
			t.Run(name+" "+token, func(t *testing.T) {
				if got := answerTo(protect, http.MethodGet, token); got.Code != http.StatusInternalServerError {
					t.Errorf("got %d %s, want 500", got.Code, got.Body)
				}
			})
		}
	}
}

func TestTokenFromContextWithoutToken(t *testing.T) {
	if token, ok := oauthapi.TokenFromContext(t.Context()); ok || token != nil {
		t.Errorf("got %v, %t; want none", token, ok)
	}
}
