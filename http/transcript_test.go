package oauthhttp_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

var update = flag.Bool("update", false, "write the responses in testdata/*.txtar")

// fileMark precedes each file of a txtar archive.
var fileMark = regexp.MustCompile(`(?m)^-- .* --\n`)

// TestTranscripts compares HTTP on the wire with testdata. Each archive is a conversation
// with its own provider: files NAME.request and NAME.response, in order. A random value
// is written as «access_token» and the like in a response; in a request, the name stands
// for the last value. With -update the test writes the responses.
func TestTranscripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %v, %v; want transcripts", names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			marks, texts := fileMark.FindAllString(string(archive), -1), fileMark.Split(string(archive), -1)
			c, written := newConversation(t), texts[0]
			for i := 0; i+1 < len(marks); i += 2 {
				request, response := texts[i+1], texts[i+2]
				got := c.say(request)
				written += marks[i] + request + marks[i+1] + got
				if !*update && got != response {
					t.Errorf("%s got\n%s\nwant\n%s", marks[i], got, response)
				}
			}
			if *update {
				if err := os.WriteFile(name, []byte(written), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// conversation is a provider with the random values that it has issued.
type conversation struct {
	t       *testing.T
	handler http.Handler
	seen    map[string]string // by name
}

// random matches the random values by name. A sealed request follows an escaped "=".
var random = map[string]*regexp.Regexp{
	"access_token":  regexp.MustCompile(`oat_[\w-]{43}`),
	"refresh_token": regexp.MustCompile(`ort_[\w-]{43}`),
	"code":          regexp.MustCompile(`oac_[\w-]{43}`),
	"interaction":   regexp.MustCompile(`oin_[\w-]{43}`),
	"browser":       regexp.MustCompile(`obr_[\w-]{43}`),
	"sealed":        regexp.MustCompile(`3DA[\w-]{200,}`),
	"id_token":      regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`),
}

func newConversation(t *testing.T) *conversation {
	t.Helper()
	store := memstore.New()
	for _, app := range []*oauthkit.AbstractApplication{
		{
			ClientID: "web", Name: "Web", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
			GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials},
			Scopes:     oauthkit.Scopes{"openid", "read"}, SkipAuthorization: true,
		},
		{ClientID: "spa", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://spa.test/cb"}, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}},
	} {
		if !app.IsPublic() {
			app.ImportSecret("secret")
		}
		if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
		Scopes:     oauthkit.StaticScopes{"read": "read your messages"},
		Now:        func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	api := oauthapi.RequireScopes(provider, "read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	mux := http.NewServeMux()
	mux.Handle("/", mustHandler(t, provider, oauthhttp.Config{
		CurrentUser: func(r *http.Request) (*oauthkit.User, error) {
			if r.Header.Get("X-User") == "" {
				return nil, nil
			}
			return &oauthkit.User{Subject: r.Header.Get("X-User"), AuthTime: now}, nil
		},
		LoginURL: "/login",
	}))
	mux.Handle("/api", api)
	return &conversation{t: t, handler: mux, seen: map[string]string{}}
}

// say sends a request in wire format, without the headers that follow from the rest.
func (c *conversation) say(text string) string {
	c.t.Helper()
	for name, value := range c.seen {
		text = strings.ReplaceAll(text, "«"+name+"»", value)
	}
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	body = strings.ReplaceAll(strings.TrimSuffix(body, "\n"), "\n", "")
	request := httptest.NewRequest(method, strings.ReplaceAll(target, " ", ""), strings.NewReader(body))
	request.Host = "as.test"
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	if body != "" && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, request)
	return c.written(recorder.Result(), recorder.Body.String())
}

var (
	heading   = regexp.MustCompile(`(?s)<h1>(.*?)</h1>`)
	paragraph = regexp.MustCompile(`(?s)<p>(.*?)</p>`)
	shownCode = regexp.MustCompile(`<dt>Error</dt><dd><code>(.*?)</code>`)
)

// written returns a response in wire format with sorted headers. A page is reduced
// to its heading, its first paragraph, and the error code.
func (c *conversation) written(response *http.Response, body string) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d %s\n", response.StatusCode, http.StatusText(response.StatusCode))
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		for _, value := range response.Header[name] {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		page := body
		body = "# " + heading.FindStringSubmatch(page)[1] + "\n" + paragraph.FindStringSubmatch(page)[1]
		if code := shownCode.FindStringSubmatch(page); code != nil {
			body += "\nError: " + code[1]
		}
	}
	if body != "" {
		fmt.Fprintf(&text, "\n%s\n", body)
	}
	shown := text.String()
	for name, pattern := range random {
		if found := pattern.FindString(shown); found != "" {
			c.seen[name] = found
			shown = pattern.ReplaceAllString(shown, "«"+name+"»")
		}
	}
	return shown
}
