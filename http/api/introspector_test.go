package oauthapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

// remote is the http.Client transport of a provider in another process.
type remote struct {
	status int
	body   string
	header http.Header
	err    error
	wait   chan struct{} // closed when it may answer; nil to answer at once

	mutex sync.Mutex
	asked []url.Values
	last  *http.Request
}

func (r *remote) RoundTrip(request *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(request.Body)
	form, _ := url.ParseQuery(string(body))
	r.mutex.Lock()
	r.asked, r.last = append(r.asked, form), request
	r.mutex.Unlock()
	if r.wait != nil {
		select {
		case <-r.wait:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, values := range r.header {
		header[name] = values
	}
	return &http.Response{
		StatusCode: r.status, Status: http.StatusText(r.status), Header: header, Body: io.NopCloser(strings.NewReader(r.body)), Request: request,
	}, nil
}

func (r *remote) count() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.asked)
}

// noon is the time of these tests.
func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// active is about a token that was issued a minute ago and expires in a minute.
const active = `{"active":true,"iss":"https://as.test/o","token_type":"Bearer","client_id":"web","sub":"alice","scope":"read write",` +
	`"aud":["https://api.test"],"acr":"gold","auth_time":1767355080,"iat":1767355140,"exp":1767355260}`

func newIntrospector(t *testing.T, provider *remote, change func(*oauthapi.IntrospectorConfig)) *oauthapi.Introspector {
	t.Helper()
	config := oauthapi.IntrospectorConfig{
		Endpoint: "https://as.test/o/introspect", ClientID: "a:p i", ClientSecret: "s%cret", Client: &http.Client{Transport: provider}, Now: noon,
	}
	if change != nil {
		change(&config)
	}
	introspector, err := oauthapi.NewIntrospector(config)
	if err != nil {
		t.Fatal(err)
	}
	return introspector
}

func TestIntrospectorAsks(t *testing.T) {
	provider := &remote{status: 200, body: active}
	token, err := newIntrospector(t, provider, nil).Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
	if err != nil {
		t.Fatal(err)
	}
	issued, expires := noon().Add(-time.Minute), noon().Add(time.Minute)
	want := &oauthkit.AccessToken{
		Hash: token.Hash, Scopes: oauthkit.Scopes{"read", "write"}, Resources: oauthkit.URIs{"https://api.test"}, IssuedAt: issued, ExpiresAt: expires,
		Authorization: &oauthkit.Authorization{
			ClientID: "web", Subject: "alice", Scopes: oauthkit.Scopes{"read", "write"}, Resources: oauthkit.URIs{"https://api.test"},
			CreatedAt: issued, ExpiresAt: expires, ACR: "gold", AuthTime: noon().Add(-2 * time.Minute),
		},
	}
	if !reflect.DeepEqual(token, want) {
		t.Errorf("got %+v with %+v, want %+v with %+v", token, token.Authorization, want, want.Authorization)
	}
	if token.Hash == "" || strings.Contains(token.Hash, "oat_x") {
		t.Errorf("got hash %q, want one that is not the token", token.Hash)
	}
	id, password, _ := provider.last.BasicAuth()
	if id != "a%3Ap+i" || password != "s%25cret" || provider.last.Method != http.MethodPost || provider.asked[0].Get("token") != "oat_x" || provider.last.URL.RawQuery != "" {
		t.Errorf("got %s %s with %v as %q:%q, want the token in the body and form-encoded credentials", provider.last.Method, provider.last.URL, provider.asked[0], id, password)
	}
}

// TestIntrospectorAnswers checks that a token which is not valid and a missing
// response are different errors.
func TestIntrospectorAnswers(t *testing.T) {
	with := func(old, replacement string) string { return strings.Replace(active, old, replacement, 1) }
	tests := map[string]struct {
		provider *remote
		want     oauthkit.ErrorCode // empty if the token is valid
	}{
		"valid":                    {&remote{status: 200, body: active}, ""},
		"one audience as a string": {&remote{status: 200, body: with(`["https://api.test"]`, `"https://api.test"`)}, ""},
		"another type of JSON":     {&remote{status: 200, body: active, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}, ""},
		"inactive":                 {&remote{status: 200, body: `{"active":false}`}, oauthkit.InvalidToken},
		"no active":                {&remote{status: 200, body: with(`"active":true,`, "")}, oauthkit.InvalidToken},
		"expired":                  {&remote{status: 200, body: with("1767355260", "1767355200")}, oauthkit.InvalidToken},
		"no exp":                   {&remote{status: 200, body: with(`,"exp":1767355260`, "")}, oauthkit.InvalidToken},
		"not yet":                  {&remote{status: 200, body: with(`"iat"`, `"nbf":1767355201,"iat"`)}, oauthkit.InvalidToken},
		"U-13 no client_id":        {&remote{status: 200, body: with(`"client_id":"web",`, "")}, oauthkit.InvalidToken},
		"a refresh token":          {&remote{status: 200, body: with(`"token_type":"Bearer",`, "")}, oauthkit.InvalidToken},
		"bound to a key":           {&remote{status: 200, body: with(`"iat"`, `"cnf":{"jkt":"x"},"iat"`)}, oauthkit.InvalidToken},
		"bound in type DPoP":       {&remote{status: 200, body: boundBody(`{"jkt":"x"}`)}, oauthkit.InvalidToken},
		"cnf is null":              {&remote{status: 200, body: with(`"iat"`, `"cnf":null,"iat"`)}, oauthkit.InvalidToken},
		"of type DPoP":             {&remote{status: 200, body: with("Bearer", "DPoP")}, oauthkit.InvalidToken},
		"no response":              {&remote{err: errors.New("connection refused")}, oauthkit.TemporarilyUnavailable},
		"401":                      {&remote{status: 401, body: `{"error":"invalid_client"}`}, oauthkit.TemporarilyUnavailable},
		"503":                      {&remote{status: 503, body: `{"active":false}`}, oauthkit.TemporarilyUnavailable},
		"redirect":                 {&remote{status: 307, header: http.Header{"Location": {"https://evil.test/"}}}, oauthkit.TemporarilyUnavailable},
		"a page":                   {&remote{status: 200, body: active, header: http.Header{"Content-Type": {"text/html"}}}, oauthkit.TemporarilyUnavailable},
		"half a response":          {&remote{status: 200, body: active[:50]}, oauthkit.TemporarilyUnavailable},
		"two responses":            {&remote{status: 200, body: active + active}, oauthkit.TemporarilyUnavailable},
		"active twice":             {&remote{status: 200, body: with(`"iat"`, `"active":true,"iat"`)}, oauthkit.TemporarilyUnavailable},
		"Active in another case":   {&remote{status: 200, body: `{"Active":true}`}, oauthkit.TemporarilyUnavailable},
		"active as a string":       {&remote{status: 200, body: with("true", `"true"`)}, oauthkit.TemporarilyUnavailable},
		"an endless response":      {&remote{status: 200, body: `{"active":false,"x":"` + strings.Repeat("x", 1<<20) + `"}`}, oauthkit.TemporarilyUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			caching := func(config *oauthapi.IntrospectorConfig) { config.CacheTime = time.Hour }
			introspector := newIntrospector(t, test.provider, caching)
			for asked := 1; asked <= 2; asked++ {
				token, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
				if test.want == "" && err == nil && token.Authorization.Subject == "alice" {
					continue
				}
				if token != nil || oauthkit.CodeOf(err) != test.want {
					t.Errorf("got %v, %v; want %q", token, err, test.want)
				}
				if test.provider.count() != asked { // no redirect was followed
					t.Errorf("got %d questions, want %d: only the response about a valid token is cached", test.provider.count(), asked)
				}
				if err != nil && strings.Contains(err.Error(), "oat_x") {
					t.Errorf("got error %v, want one without the token", err)
				}
			}
		})
	}
}

func TestIntrospectorIgnoresMalformedTokens(t *testing.T) {
	provider := &remote{status: 200, body: active}
	introspector := newIntrospector(t, provider, nil)
	for _, token := range []string{"", "a b", "a\x00", "é", strings.Repeat("a", 4097)} {
		if _, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken(token)); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
			t.Errorf("token %.20q: got %v, want invalid_token", token, err)
		}
	}
	if provider.count() != 0 {
		t.Errorf("got %d questions, want none", provider.count())
	}
}

// TestIntrospectorCache checks that a response is reused for CacheTime, but not after
// the token has expired, and never if CacheTime is zero.
func TestIntrospectorCache(t *testing.T) {
	tests := map[string]struct {
		cacheTime time.Duration
		after     []time.Duration
		asked     []int // how often, by then
		lastIsBad bool
	}{
		"no cache":         {0, []time.Duration{0, 0, time.Second}, []int{1, 2, 3}, false},
		"cache":            {10 * time.Second, []time.Duration{0, 9 * time.Second, 10 * time.Second, 19 * time.Second}, []int{1, 1, 2, 2}, false},
		"end of the token": {time.Hour, []time.Duration{0, 59 * time.Second, 60 * time.Second}, []int{1, 1, 1}, true},
		"time goes back":   {10 * time.Second, []time.Duration{0, -time.Second}, []int{1, 1}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now, provider := noon(), &remote{status: 200, body: active}
			introspector := newIntrospector(t, provider, func(config *oauthapi.IntrospectorConfig) {
				config.CacheTime, config.Now = test.cacheTime, func() time.Time { return now }
			})
			for i, after := range test.after {
				now = noon().Add(after)
				_, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
				bad := test.lastIsBad && i == len(test.after)-1
				if (err != nil) != bad || provider.count() != test.asked[i] {
					t.Errorf("after %s: got %v and %d questions, want %d", after, err, provider.count(), test.asked[i])
				}
			}
		})
	}
}

// TestIntrospectorCacheIsBounded checks three tokens with a cache for two.
func TestIntrospectorCacheIsBounded(t *testing.T) {
	provider := &remote{status: 200, body: active}
	introspector := newIntrospector(t, provider, func(config *oauthapi.IntrospectorConfig) {
		config.CacheTime, config.CacheSize = time.Minute, 2
	})
	for _, step := range []struct {
		token string
		asked int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} {
		if _, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken(step.token)); err != nil || provider.count() != step.asked {
			t.Errorf("token %s: got %v and %d questions, want %d", step.token, err, provider.count(), step.asked)
		}
	}
}

// TestIntrospectorCallersShareNothing changes one caller's token and checks that the
// next caller does not see the change.
func TestIntrospectorCallersShareNothing(t *testing.T) {
	introspector := newIntrospector(t, &remote{status: 200, body: active}, func(config *oauthapi.IntrospectorConfig) { config.CacheTime = time.Minute })
	first, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
	if err != nil {
		t.Fatal(err)
	}
	first.Scopes[0], first.Resources[0], first.Authorization.Subject = "admin", "https://evil.test", "root"
	second, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
	if err != nil || second.Scopes[0] != "read" || second.Resources[0] != "https://api.test" || second.Authorization.Subject != "alice" {
		t.Errorf("got %+v, %v; want the provider's token", second, err)
	}
}

// TestIntrospectorSharesQuestions lets a hundred requests wait for one response. The
// context of the first ends before it arrives, which must not affect the others.
func TestIntrospectorSharesQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &remote{status: 200, body: active, wait: make(chan struct{})}
		introspector := newIntrospector(t, provider, nil)
		errs := make(chan error, 100)
		ask := func(ctx context.Context, token string) {
			_, err := introspector.Authenticate(ctx, oauthkit.BearerToken(token))
			errs <- err
		}
		first, leave := context.WithCancel(t.Context())
		go ask(first, "same")
		synctest.Wait()
		for range 98 {
			go ask(t.Context(), "same")
		}
		go ask(t.Context(), "other")
		synctest.Wait()
		leave()
		if err := <-errs; !errors.Is(err, context.Canceled) { // while there is no answer yet
			t.Errorf("canceled caller: got %v, want its context error", err)
		}
		close(provider.wait)
		for range 99 {
			if err := <-errs; err != nil {
				t.Errorf("got %v, want a valid token", err)
			}
		}
		if provider.count() != 2 {
			t.Errorf("got %d questions, want one for each token", provider.count())
		}
	})
}

// TestIntrospectorCallerGoes ends the context of callers before the provider answers.
// Each gets the error of its own context, which says nothing about the token. The
// late response is cached.
func TestIntrospectorCallerGoes(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"canceled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, hangUp := context.WithCancel(ctx)
			hangUp()
			return ctx, hangUp
		}, context.Canceled},
		"deadline exceeded": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 20*time.Millisecond)
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider := &remote{status: 200, body: active, wait: make(chan struct{})}
				introspector := newIntrospector(t, provider, func(config *oauthapi.IntrospectorConfig) { config.CacheTime = time.Minute })
				ctx, cancel := test.end(t.Context())
				defer cancel()
				// It returns though the provider does not answer.
				token, err := introspector.Authenticate(ctx, oauthkit.BearerToken("oat_x"))
				if token != nil || !errors.Is(err, test.want) || oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
					t.Errorf("got %v, %v; want %v and no error about the token", token, err, test.want)
				}
				close(provider.wait)
				synctest.Wait()
				if token, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x")); err != nil || token.Authorization.Subject != "alice" || provider.count() != 1 {
					t.Errorf("the next: got %v, %v after %d questions; want the cached response", token, err, provider.count())
				}
			})
		})
	}
}

// TestIntrospectorQuestionEnds uses a provider that never answers. The abandoned
// question ends at its own timeout and does not block the next one.
func TestIntrospectorQuestionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &remote{wait: make(chan struct{})}
		// A negative timeout is none.
		introspector := newIntrospector(t, provider, func(config *oauthapi.IntrospectorConfig) { config.Client.Timeout = -1 })
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		for range 2 { // the second shares the question of the first
			if _, err := introspector.Authenticate(ctx, oauthkit.BearerToken("oat_x")); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context error of the caller", err)
			}
		}
		synctest.Wait()
		question := provider.last.Context()
		if provider.count() != 1 || question.Err() != nil {
			t.Errorf("got %d questions, the last with %v; want one that still runs", provider.count(), question.Err())
		}
		<-question.Done() // or the test never ends
		synctest.Wait()
		if _, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x")); errors.Is(err, context.Canceled) || oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
			t.Errorf("got %v, want a timeout", err)
		}
		if provider.count() != 2 {
			t.Errorf("got %d questions, want a second one", provider.count())
		}
	})
}

// transport is a function that implements http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// TestIntrospectorPanic checks that a panic of the host's transport ends the request
// and not the program.
func TestIntrospectorPanic(t *testing.T) {
	introspector := newIntrospector(t, &remote{}, func(config *oauthapi.IntrospectorConfig) {
		config.Client.Transport = transport(func(*http.Request) (*http.Response, error) { panic("the host's mistake") })
	})
	defer func() {
		if text, _ := recover().(string); !strings.HasPrefix(text, "the host's mistake") || !strings.Contains(text, "TestIntrospectorPanic") {
			t.Errorf("got %q, want the panic and its stack", text)
		}
	}()
	_, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
	t.Errorf("got %v, want a panic", err)
}

// TestIntrospectorTimeout (RL-35) uses a provider that never answers.
func TestIntrospectorTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		introspector := newIntrospector(t, &remote{wait: make(chan struct{})}, nil)
		begun := time.Now()
		_, err := introspector.Authenticate(t.Context(), oauthkit.BearerToken("oat_x"))
		if took := time.Since(begun); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable || took != 5*time.Second {
			t.Errorf("got %v after %s, want a failure after 5s", err, took)
		}
	})
}

func TestNewIntrospectorRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*oauthapi.IntrospectorConfig)
		says   string // empty if the config is valid
	}{
		"plain http":                        {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "http://as.test/o/introspect" }, "Endpoint"},
		"plain http, allowed":               {func(c *oauthapi.IntrospectorConfig) { c.Endpoint, c.AllowInsecureEndpoint = "http://as.test/i", true }, ""},
		"plain http on this machine":        {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "http://[::1]:8080/o/introspect" }, ""},
		"plain http on localhost":           {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "http://localhost:8080/o/introspect" }, ""},
		"a host that begins with localhost": {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "http://localhost.evil.test/" }, "Endpoint"},
		"no endpoint":                       {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "" }, "Endpoint"},
		"a path":                            {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "/o/introspect" }, "Endpoint"},
		"a password in the URL":             {func(c *oauthapi.IntrospectorConfig) { c.Endpoint = "https://a:b@as.test/" }, "Endpoint"},
		"another scheme":                    {func(c *oauthapi.IntrospectorConfig) { c.Endpoint, c.AllowInsecureEndpoint = "ftp://as.test/", true }, "Endpoint"},
		"no client":                         {func(c *oauthapi.IntrospectorConfig) { c.ClientID = "" }, "ClientID"},
		"no secret":                         {func(c *oauthapi.IntrospectorConfig) { c.ClientSecret = "" }, "ClientSecret"},
		"negative time":                     {func(c *oauthapi.IntrospectorConfig) { c.CacheTime = -1 }, "CacheTime"},
		"negative size":                     {func(c *oauthapi.IntrospectorConfig) { c.CacheSize = -1 }, "CacheSize"},
		"defaults":                          {func(c *oauthapi.IntrospectorConfig) { c.Now, c.Client, c.CacheTime = nil, nil, time.Second }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := oauthapi.IntrospectorConfig{Endpoint: "https://as.test/o/introspect", ClientID: "api", ClientSecret: "s"}
			test.change(&config)
			_, err := oauthapi.NewIntrospector(config)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error about %q", err, test.says)
			}
		})
	}
}

// boundBody is the response about a token that is bound to a key.
func boundBody(cnf string) string {
	return strings.NewReplacer("Bearer", "DPoP", `"iat"`, `"cnf":`+cnf+`,"iat"`).Replace(active)
}

// TestIntrospectorKeyBinding presents tokens with and without the proof of a key. The
// proof is a header that equals the key.
func TestIntrospectorKeyBinding(t *testing.T) {
	verify := func(_ context.Context, presented oauthkit.PresentedToken) (string, error) {
		presented.ResponseHeader.Set("Proof-Nonce", "n")
		if proof := presented.Request.Header.Get("Proof"); proof != "malformed" {
			return proof, nil
		}
		return "", oauthkit.Errorf("invalid_dpop_proof", "the proof is malformed")
	}
	tests := map[string]struct {
		body, scheme, proof string
		want                oauthkit.ErrorCode // empty if the token is valid
	}{
		"proof":                   {boundBody(`{"jkt":"key"}`), "DPoP", "key", ""},
		"another key":             {boundBody(`{"jkt":"key"}`), "DPoP", "other", oauthkit.InvalidToken},
		"no proof":                {boundBody(`{"jkt":"key"}`), "DPoP", "", oauthkit.InvalidToken},
		"malformed proof":         {boundBody(`{"jkt":"key"}`), "DPoP", "malformed", "invalid_dpop_proof"},
		"P-10 as Bearer":          {boundBody(`{"jkt":"key"}`), "Bearer", "key", oauthkit.InvalidToken},
		"P-10 not bound, as DPoP": {active, "DPoP", "key", oauthkit.InvalidToken},
		"not bound":               {active, "Bearer", "", ""},
		"no cnf, but DPoP":        {strings.Replace(active, "Bearer", "DPoP", 1), "DPoP", "key", oauthkit.InvalidToken},
		"cnf, but Bearer":         {strings.Replace(boundBody(`{"jkt":"key"}`), "DPoP", "Bearer", 1), "DPoP", "key", oauthkit.InvalidToken},
		"another method":          {boundBody(`{"x5t#S256":"key"}`), "DPoP", "key", oauthkit.InvalidToken},
		"two keys":                {boundBody(`{"jkt":"key","x5t#S256":"key"}`), "DPoP", "key", oauthkit.InvalidToken},
		"no key":                  {boundBody(`{}`), "DPoP", "", oauthkit.InvalidToken},
		"an empty key":            {boundBody(`{"jkt":""}`), "DPoP", "", oauthkit.InvalidToken},
		"a key that is no string": {boundBody(`{"jkt":["key"]}`), "DPoP", "key", oauthkit.InvalidToken},
		"cnf is no object":        {boundBody(`"key"`), "DPoP", "key", oauthkit.InvalidToken},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			introspector := newIntrospector(t, &remote{status: 200, body: test.body}, func(config *oauthapi.IntrospectorConfig) {
				config.KeyBindings, config.CacheTime = oauthkit.KeyBindings{{Method: "jkt", TokenType: "DPoP", Verify: verify}}, time.Hour
			})
			// The same token first with its proof, so that the response is cached.
			for _, proof := range []string{"key", test.proof} {
				request, recorder := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
				request.Header.Set("Authorization", test.scheme+" oat_x")
				request.Header.Set("Proof", proof)
				oauthapi.API{Tokens: introspector, Resource: "https://api.test"}.RequireScopes()(
					http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") }),
				).ServeHTTP(recorder, request)
				if proof != test.proof {
					continue
				}
				wantStatus, wantBody := 401, `"`+string(test.want)+`"`
				if test.want == "" {
					wantStatus, wantBody = 200, "done"
				}
				if recorder.Code != wantStatus || !strings.Contains(recorder.Body.String(), wantBody) {
					t.Errorf("got %d %s, want %d %s", recorder.Code, recorder.Body, wantStatus, wantBody)
				}
			}
		})
	}
	_, err := newIntrospector(t, &remote{status: 200, body: boundBody(`{"jkt":"key"}`)}, func(config *oauthapi.IntrospectorConfig) {
		config.KeyBindings = oauthkit.KeyBindings{{Method: "jkt", TokenType: "DPoP", Verify: verify}}
	}).Authenticate(t.Context(), oauthkit.PresentedToken{Scheme: "DPoP", Value: "oat_x"})
	if oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		t.Errorf("without a request: got %v, want invalid_token", err)
	}
}
