package oauthhttp_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// hostileName is the name that an application gave itself.
const hostileName = `Web</title><script>alert(1)</script>"'onload=x`

// mustHandler returns the handler of a provider with a valid Config.
func mustHandler(tb testing.TB, provider *oauthkit.Provider, config oauthhttp.Config) *oauthhttp.Handler {
	tb.Helper()
	handler, err := oauthhttp.NewHandler(provider, config)
	if err != nil {
		tb.Fatal(err)
	}
	return handler
}

// newPages returns a handler in which Alice is signed in and the application web
// requests openid and read.
func newPages(t *testing.T, config oauthhttp.Config, changes ...func(*oauthkit.Config)) *oauthhttp.Handler {
	t.Helper()
	handler, err := tryPages(t, config, changes...)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// tryPages is newPages for a Config that may be invalid.
func tryPages(t *testing.T, config oauthhttp.Config, changes ...func(*oauthkit.Config)) (*oauthhttp.Handler, error) {
	t.Helper()
	store := memstore.New()
	err := store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
		ClientID: "web", Name: hostileName, ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid", "read"},
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	providerConfig := oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
		Scopes:     oauthkit.StaticScopes{"read": "read your messages"},
	}
	for _, change := range changes {
		change(&providerConfig)
	}
	provider, err := oauthkit.New("https://as.test/o", store, providerConfig)
	if err != nil {
		t.Fatal(err)
	}
	config.CurrentUser = func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	return oauthhttp.NewHandler(provider, config)
}

// showConsent returns the consent page in the language that the application and the
// browser ask for.
func showConsent(t *testing.T, config oauthhttp.Config, uiLocales, accepted string, changes ...func(*oauthkit.Config)) *httptest.ResponseRecorder {
	t.Helper()
	page, _ := openConsent(t, newPages(t, config, changes...), uiLocales, accepted)
	return page
}

// openConsent returns the consent page and the cookie of the browser that opened it.
func openConsent(t *testing.T, handler http.Handler, uiLocales, accepted string) (page *httptest.ResponseRecorder, cookie string) {
	t.Helper()
	address := authorizeAddress() + "&" + url.Values{"ui_locales": {uiLocales}}.Encode()
	asked := httptest.NewRecorder()
	handler.ServeHTTP(asked, httptest.NewRequest(http.MethodGet, address, nil))
	cookie, _, _ = strings.Cut(asked.Header().Get("Set-Cookie"), ";")
	request := httptest.NewRequest(http.MethodGet, "https://as.test"+asked.Header().Get("Location"), nil)
	request.Header.Set("Cookie", cookie)
	request.Header.Set("Accept-Language", accepted)
	page = httptest.NewRecorder()
	handler.ServeHTTP(page, request)
	if page.Code != http.StatusOK {
		t.Fatalf("got %d: %s; want the consent page", page.Code, page.Body)
	}
	return page, cookie
}

func files(texts map[string]string) fs.FS {
	made := fstest.MapFS{}
	for name, text := range texts {
		made[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return made
}

const (
	hostLayout  = `{{define "layout"}}<!doctype html><html lang="{{.Language}}"><title>{{template "title" .}} | Gallery</title><body class="gallery">{{template "content" .}}</body></html>{{end}}`
	hostConsent = `{{define "content"}}<h1 title="{{.Application}}">Gallery asks for {{.Application}}</h1><a href="{{.Application}}">x</a>
<form method="post" action="{{.Action}}"><input type="hidden" name="interaction" value="{{.Interaction}}"><input type="hidden" name="token" value="{{.Token}}">
<button name="decision" value="allow">{{t "consent.allow"}}</button></form>{{end}}`
)

// TestTemplates replaces pages and blocks one by one. The rest of each page stays the
// library's.
func TestTemplates(t *testing.T) {
	tests := []struct {
		name          string
		files         map[string]string
		want, without []string
	}{
		{name: "none", want: []string{"An application asks for access", `class="mark"`, "<title>Allow access?</title>"}},
		{
			name: "the layout", files: map[string]string{"layout.html": hostLayout},
			want: []string{`class="gallery"`, "Allow access? | Gallery", "An application asks for access", ">Deny<"}, without: []string{`class="mark"`},
		},
		{
			name: "the consent page", files: map[string]string{"consent.html": hostConsent},
			want: []string{"Gallery asks for", `class="mark"`, ">Allow<"}, without: []string{"An application asks for access"},
		},
		{
			name: "layout and page", files: map[string]string{"layout.html": hostLayout, "consent.html": hostConsent},
			want: []string{`class="gallery"`, "Gallery asks for"}, without: []string{`class="mark"`, "An application asks"},
		},
		{
			name: "the title", files: map[string]string{"parts.html": `{{define "title"}}Gallery: {{.Title}}{{end}}`},
			want: []string{"<title>Gallery: Allow access?</title>", `class="mark"`, "An application asks for access"},
		},
		{
			name: "head, mark and footer",
			files: map[string]string{
				"parts.html": `{{define "head"}}<link rel="icon" href="/icon.png">{{end}}{{define "mark"}}<img src="/logo.svg" alt="Gallery">{{end}}{{define "footer"}}<footer>Gallery, Inc.</footer>{{end}}`,
			},
			want: []string{`<link rel="icon" href="/icon.png">`, `<img src="/logo.svg" alt="Gallery">`, "<footer>Gallery, Inc.</footer>"}, without: []string{`class="mark"`},
		},
		{
			name: "a block of the consent page", files: map[string]string{"parts.html": `{{define "scope"}}<b>{{.Name}}</b>{{end}}`},
			want: []string{"<b>read</b>", ">Deny<"}, without: []string{"read your messages"},
		},
		{
			name: "no mark", files: map[string]string{"parts.html": `{{define "mark"}}{{""}}{{end}}`},
			want: []string{"An application asks for access"}, without: []string{`class="mark"`},
		},
		{
			name:  "a block of the host's own, and files that are not ours",
			files: map[string]string{"parts.html": `{{define "footer"}}{{template "imprint" .}}{{end}}{{define "imprint"}}<footer>Gallery, Inc.</footer>{{end}}`, "own/login.html": `{{nonsense`, ".swp": "{{"},
			want:  []string{"An application asks for access", "<footer>Gallery, Inc.</footer>"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := oauthhttp.Config{}
			if test.files != nil {
				config.Templates = files(test.files)
			}
			page := showConsent(t, config, "", "")
			for _, want := range test.want {
				if !strings.Contains(page.Body.String(), want) {
					t.Errorf("got a page without %q:\n%s", want, page.Body)
				}
			}
			// The application's name is escaped.
			for _, without := range append(test.without, "<script", `title="Web<`, `"'onload`) {
				if strings.Contains(page.Body.String(), without) {
					t.Errorf("got a page with %q:\n%s", without, page.Body)
				}
			}
		})
	}
}

// TestTemplatesKeepProtection replaces every template. The headers and the protection
// of forms stay.
func TestTemplatesKeepProtection(t *testing.T) {
	own := newPages(t, oauthhttp.Config{})
	hosts := newPages(t, oauthhttp.Config{Templates: files(map[string]string{"layout.html": hostLayout, "consent.html": hostConsent})})
	want, _ := openConsent(t, own, "", "")
	page, cookie := openConsent(t, hosts, "", "")
	for name := range want.Header() {
		if got := page.Header().Get(name); got != want.Header().Get(name) {
			t.Errorf("%s: got %q, want %q", name, got, want.Header().Get(name))
		}
	}
	form := url.Values{"decision": {"allow"}}
	for _, field := range hiddenInput.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	send := func(site string, changed ...string) *httptest.ResponseRecorder {
		sent := url.Values{}
		for name, values := range form {
			sent[name] = values
		}
		for _, name := range changed {
			sent.Set(name, "x")
		}
		request := httptest.NewRequest(http.MethodPost, "https://as.test/o/consent", strings.NewReader(sent.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", site)
		request.Header.Set("Cookie", cookie)
		recorder := httptest.NewRecorder()
		hosts.ServeHTTP(recorder, request)
		return recorder
	}
	if got := send("cross-site"); got.Code != http.StatusForbidden {
		t.Errorf("got %d for a form from another site, want 403", got.Code)
	}
	if got := send("same-origin", "token"); got.Code != http.StatusForbidden {
		t.Errorf("got %d for a form with another token, want 403", got.Code)
	}
	if got := send("same-origin"); !strings.Contains(got.Header().Get("Location"), "https://rp.test/cb?code=") {
		t.Errorf("got %d to %q, want a code", got.Code, got.Header().Get("Location"))
	}
}

// TestBrokenTemplates checks that NewHandler finds each mistake.
func TestBrokenTemplates(t *testing.T) {
	for name, broken := range map[string]map[string]string{
		"syntax":           {"consent.html": `{{define "content"}}{{if}}{{end}}`},
		"an unknown field": {"consent.html": `{{define "content"}}{{range .Scopes}}{{.Meaning}}{{end}}{{end}}`},
		"an unknown field in a block that this host does not show": {"parts.html": `{{define "choices"}}{{.Nonsense}}{{end}}`},
		"an unknown field in a block that it shows":                {"parts.html": `{{define "scopes"}}{{.Nonsense}}{{end}}`},
		"an unknown block":     {"layout.html": `{{define "layout"}}{{template "contents" .}}{{end}}`},
		"a function":           {"parts.html": `{{define "title"}}{{translate .Title}}{{end}}`},
		"no layout":            {"layout.html": `<!doctype html>`},
		"no context to escape": {"error.html": `{{define "content"}}<a href="{{.Message}}{{end}}`},
		"a folder":             {"consent.html/x": ``},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tryPages(t, oauthhttp.Config{Templates: files(broken)}); err == nil {
				t.Error("got a handler, want an error")
			}
		})
	}
}
