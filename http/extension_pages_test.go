package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// namePage is the data of the page of nameExtension.
type namePage struct {
	oauthhttp.Page
	Action, Token, Known string
}

// nameExtension has a page on which users enter their name.
type nameExtension struct {
	pages oauthhttp.Pages
	read  url.Values // the last form
}

const namePath = "/o/name"

const nameTemplate = `{{define "content"}}<h1>{{t "name.heading" .Known}}</h1><form method="post" action="{{.Action}}">` +
	`<input type="hidden" name="token" value="{{.Token}}"><input name="name"></form>{{end}}`

// namePages returns the pages of nameExtension. A change may spoil them.
func namePages(change func(templates fstest.MapFS, pages *oauthhttp.Pages)) oauthhttp.Pages {
	templates := fstest.MapFS{"name.html": {Data: []byte(nameTemplate)}}
	pages := oauthhttp.Pages{
		Templates: templates,
		Texts: map[string]oauthhttp.Texts{
			"en": {"name.title": "Name", "name.heading": "%s, what is your name?"},
			"de": {"name.title": "Name", "name.heading": "%s, wie heißen Sie?", "scope.read": "Ihre Nachrichten lesen"},
			"fr": {"name.heading": "%s, quel est votre nom ?"},
		},
		Samples: map[string][]oauthhttp.PageContent{"name": {&namePage{Known: "x"}}},
	}
	if change != nil {
		change(templates, &pages)
	}
	return pages
}

func (e *nameExtension) Pages() oauthhttp.Pages { return e.pages }

func (e *nameExtension) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{Path: "name", Methods: []string{http.MethodGet, http.MethodPost}, User: e.serve})
	return nil
}

func (e *nameExtension) serve(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	handler, err := oauthhttp.HandlerFrom(r.Context())
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		e.read, err = handler.ReadForm(w, r, namePath, user, "tag")
		return err
	}
	_ = handler.NewFormToken(w, r, namePath+"/other", user) // of another form on the page
	content := &namePage{Action: namePath, Token: handler.NewFormToken(w, r, namePath, user), Known: user.Subject}
	return handler.WritePage(w, r, oauthhttp.PageResponse{Name: "name", Title: "name.title", User: user}, content)
}

// withExtension adds the extension to the provider.
func withExtension(extension oauthkit.Extension) func(*oauthkit.Config) {
	return func(config *oauthkit.Config) { config.Extensions = append(config.Extensions, extension) }
}

// TestExtensionPage shows a page of an extension: in the library's design, in the
// languages of the extension, and with the templates and texts of the host.
func TestExtensionPage(t *testing.T) {
	french := map[string]oauthhttp.Texts{"fr": {"consent.heading": "Une application"}}
	tests := []struct {
		name     string
		config   oauthhttp.Config
		accepted string
		language string
		want     []string
	}{
		{"the library's design", oauthhttp.Config{}, "", "en", []string{"<title>Name</title>", "alice, what is your name?", `class="mark"`, "Signed in as"}},
		{"its language", oauthhttp.Config{}, "de", "de", []string{"alice, wie heißen Sie?", "Angemeldet als"}},
		{"a language that only it has", oauthhttp.Config{}, "fr", "en", []string{"what is your name?"}},
		{"a language of the host", oauthhttp.Config{Texts: french}, "fr", "fr", []string{"quel est votre nom ?"}},
		{"a text of the host", oauthhttp.Config{Texts: map[string]oauthhttp.Texts{"en": {"name.heading": "%s?"}}}, "", "en", []string{"<h1>alice?</h1>"}},
		{"a page of the host", oauthhttp.Config{Templates: files(map[string]string{"name.html": `{{define "content"}}<b>{{.Known}}</b>{{end}}`})}, "", "en", []string{"<b>alice</b>", `class="mark"`}},
		{"a layout of the host", oauthhttp.Config{Templates: files(map[string]string{"layout.html": hostLayout})}, "", "en", []string{`class="gallery"`, "what is your name?"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			handler := newPages(t, test.config, withExtension(&nameExtension{pages: namePages(nil)}))
			request := httptest.NewRequest(http.MethodGet, "https://as.test"+namePath, nil)
			request.Header.Set("Accept-Language", test.accepted)
			page := httptest.NewRecorder()
			handler.ServeHTTP(page, request)
			if got := page.Header().Get("Content-Language"); page.Code != http.StatusOK || got != test.language {
				t.Errorf("got %d in %s, want 200 in %s", page.Code, got, test.language)
			}
			if got := page.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "form-action 'self'") || !strings.HasPrefix(got, "default-src 'none'") {
				t.Errorf("got the policy %q, want that of a form of this site", got)
			}
			for _, want := range test.want {
				if !strings.Contains(page.Body.String(), want) {
					t.Errorf("got a page without %q:\n%s", want, page.Body)
				}
			}
		})
	}
	consent := showConsent(t, oauthhttp.Config{}, "de", "", withExtension(&nameExtension{pages: namePages(func(_ fstest.MapFS, pages *oauthhttp.Pages) {
		pages.Texts["en"]["scope.read"] = "read your messages" // as the provider describes it
	})}))
	if !strings.Contains(consent.Body.String(), "Ihre Nachrichten lesen") {
		t.Errorf("got a page without the extension's text for a scope:\n%s", consent.Body)
	}
}

// TestExtensionPageMistakes checks that NewHandler reports each mistake in the pages of
// an extension.
func TestExtensionPageMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(templates fstest.MapFS, pages *oauthhttp.Pages)
		want   string
	}{
		"no sample": {func(_ fstest.MapFS, p *oauthhttp.Pages) { p.Samples = nil }, "name.html has no sample"},
		"a sample without a page": {func(f fstest.MapFS, _ *oauthhttp.Pages) {
			f["pages/name.html"] = f["name.html"]
			delete(f, "name.html")
		}, "fs.Sub"},
		"the name of a page":    {func(f fstest.MapFS, p *oauthhttp.Pages) { f["error.html"] = f["name.html"] }, "error.html exists already"},
		"the name of the parts": {func(f fstest.MapFS, p *oauthhttp.Pages) { f["parts.html"] = f["name.html"] }, "parts.html exists already"},
		"syntax":                {func(f fstest.MapFS, _ *oauthhttp.Pages) { f["name.html"].Data = []byte("{{if}}") }, "name.html:1"},
		"a field": {func(_ fstest.MapFS, p *oauthhttp.Pages) {
			p.Samples["name"] = []oauthhttp.PageContent{&oauthhttp.ErrorPage{}}
		}, "Known"},
		"a nil sample": {func(_ fstest.MapFS, p *oauthhttp.Pages) { p.Samples["name"] = []oauthhttp.PageContent{nil} }, "name.html has no sample"},
		"a nil pointer as a sample": {func(_ fstest.MapFS, p *oauthhttp.Pages) {
			p.Samples["name"] = []oauthhttp.PageContent{(*namePage)(nil)}
		}, "name.html has no sample"},
		"a sample with a nil page": {func(_ fstest.MapFS, p *oauthhttp.Pages) {
			p.Samples["name"] = []oauthhttp.PageContent{&struct{ *oauthhttp.Page }{}}
		}, "name.html has no sample"},
		"no content": {func(f fstest.MapFS, _ *oauthhttp.Pages) { f["name.html"].Data = []byte("<h1>x</h1>") }, `block "content"`},
		"no English": {func(_ fstest.MapFS, p *oauthhttp.Pages) { delete(p.Texts["en"], "name.heading") }, `"name.heading"`},
		"an unknown text": {func(f fstest.MapFS, _ *oauthhttp.Pages) {
			f["name.html"].Data = []byte(`{{define "content"}}{{t "name.head"}}{{end}}`)
		}, `"name.head"`},
		"a text of the library": {func(_ fstest.MapFS, p *oauthhttp.Pages) { p.Texts["de"]["consent.heading"] = "x" }, `"consent.heading" exists already`},
		"other verbs":           {func(_ fstest.MapFS, p *oauthhttp.Pages) { p.Texts["de"]["name.heading"] = "x" }, `"name.heading" has the verbs`},
		"no language":           {func(_ fstest.MapFS, p *oauthhttp.Pages) { p.Texts["no such language"] = nil }, "no such language"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryPages(t, oauthhttp.Config{}, withExtension(&nameExtension{pages: namePages(test.change)}))
			if got := fmt.Sprint(err); !strings.HasPrefix(got, "oauthhttp: ") || !strings.Contains(got, test.want) {
				t.Errorf("got the error %v, want one with %s", err, test.want)
			}
		})
	}
	twice := func(config *oauthkit.Config) {
		config.Extensions = []oauthkit.Extension{&nameExtension{pages: namePages(nil)}, pagesOnly{namePages(nil)}}
	}
	if _, err := tryPages(t, oauthhttp.Config{}, twice); err == nil || !strings.Contains(err.Error(), "pagesOnly") {
		t.Errorf("got the error %v, want one that names the second extension", err)
	}
}

// pagesOnly is an extension that adds only pages.
type pagesOnly struct{ pages oauthhttp.Pages }

func (e pagesOnly) Extend(*oauthkit.Registry) error { return nil }
func (e pagesOnly) Pages() oauthhttp.Pages          { return e.pages }

// TestExtensionForm sends the form of an extension's page. The handler accepts it only as
// it was shown.
func TestExtensionForm(t *testing.T) {
	extension := &nameExtension{pages: namePages(nil)}
	handler := newPages(t, oauthhttp.Config{}, withExtension(extension))
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "https://as.test"+namePath, nil))
	cookie, _, _ := strings.Cut(page.Header().Get("Set-Cookie"), ";")
	if cookies := page.Header().Values("Set-Cookie"); len(cookies) != 1 {
		t.Errorf("got the cookies %q, want one for both forms", cookies)
	}
	token := hiddenInput.FindStringSubmatch(page.Body.String())[2]
	for name, test := range map[string]struct {
		form         url.Values
		site, cookie string
		status       int
	}{
		"as shown":                      {url.Values{"token": {token}, "name": {"A"}, "tag": {"x", "y"}, "empty": {""}}, "same-origin", cookie, 200},
		"B-02 no token":                 {url.Values{"name": {"A"}}, "same-origin", cookie, 403},
		"B-02 another token":            {url.Values{"token": {"x"}, "name": {"A"}}, "same-origin", cookie, 403},
		"B-02 another site":             {url.Values{"token": {token}, "name": {"A"}}, "cross-site", cookie, 403},
		"B-02 another browser":          {url.Values{"token": {token}, "name": {"A"}}, "same-origin", "", 403},
		"B-02 a field that is not text": {url.Values{"token": {token}, "name": {"A\x00"}}, "same-origin", cookie, 400},
		"P-01 a repeated field":         {url.Values{"token": {token}, "name": {"A", "B"}}, "same-origin", cookie, 400},
	} {
		t.Run(name, func(t *testing.T) {
			extension.read = nil
			request := httptest.NewRequest(http.MethodPost, "https://as.test"+namePath, strings.NewReader(test.form.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Sec-Fetch-Site", test.site)
			request.Header.Set("Cookie", test.cookie)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if recorder.Code != test.status || (extension.read != nil) != (test.status == 200) || extension.read.Has("empty") {
				t.Errorf("got %d with the form %v, want %d", recorder.Code, extension.read, test.status)
			}
		})
	}
}

// TestWritePageMistakes writes pages that do not exist. The user gets an error page.
func TestWritePageMistakes(t *testing.T) {
	for name, response := range map[string]oauthhttp.PageResponse{
		"no page": {Name: "nome", Title: "name.title"}, "no title": {Name: "name", Title: "name.titel"},
	} {
		extension := pageFunc(func(w http.ResponseWriter, r *http.Request, _ *oauthkit.User) error {
			handler, err := oauthhttp.HandlerFrom(r.Context())
			if err != nil {
				t.Error(err)
				return err
			}
			return handler.WritePage(w, r, response, &namePage{})
		})
		handler := newPages(t, oauthhttp.Config{}, withExtension(pagesOnly{namePages(nil)}), withExtension(extension))
		if got := status(handler, http.MethodGet, "/o/page"); got != http.StatusInternalServerError {
			t.Errorf("%s: got %d, want 500", name, got)
		}
	}
	if handler, err := oauthhttp.HandlerFrom(t.Context()); err == nil || handler != nil {
		t.Errorf("got %v, %v without a request; want an error", handler, err)
	}
}

// TestWritePageForgetsUsers writes a page with content that an extension wrongly keeps.
func TestWritePageForgetsUsers(t *testing.T) {
	kept, shown := &namePage{}, true
	extension := pageFunc(func(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
		handler, err := oauthhttp.HandlerFrom(r.Context())
		if err != nil {
			return err
		}
		if !shown {
			user = nil
		}
		return handler.WritePage(w, r, oauthhttp.PageResponse{Name: "name", Title: "name.title", User: user}, kept)
	})
	handler := newPages(t, oauthhttp.Config{}, withExtension(pagesOnly{namePages(nil)}), withExtension(extension))
	for _, shown = range []bool{true, false} {
		page := httptest.NewRecorder()
		handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "https://as.test/o/page", nil))
		if got := strings.Contains(page.Body.String(), "Signed in as"); page.Code != http.StatusOK || got != shown {
			t.Errorf("got %d with the user: %t; want %t:\n%s", page.Code, got, shown, page.Body)
		}
	}
}

// pageFunc is an extension with an endpoint for users.
type pageFunc func(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error

func (f pageFunc) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{Path: "page", Methods: []string{http.MethodGet, http.MethodPost}, User: f})
	return nil
}
