package oauthhttp

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"

	"github.com/oauthkit/oauthkit"
)

//go:embed templates
var templates embed.FS

// pages are the templates of every page in every language.
type pages struct {
	words  *catalogue
	byName []map[string]*template.Template // by language
}

// pageSamples returns the pages by name, each a file in templates/ that defines the block content, with data to try it with.
func pageSamples() map[string][]pageContent {
	samples := map[string][]pageContent{
		"consent": consentSamples(), "error": {&ErrorPage{Code: oauthkit.ReasonNotFound, Detail: "x", TraceID: "x"}},
		"signout": {&SignOutPage{}}, "signed_out": {&SignedOutPage{SignInURL: "x", ConnectionsURL: "x"}},
	}
	for name, sample := range managementSamples() {
		samples[name] = []pageContent{sample}
	}
	return samples
}

// newPages parses every page, and renders each in English, so that a mistake cannot wait for a user: it panics. The pages in
// other languages are the same but for the words.
func newPages(words *catalogue, host fs.FS) *pages {
	p := &pages{words: words}
	for range words.languages {
		p.byName = append(p.byName, map[string]*template.Template{})
	}
	for name, samples := range pageSamples() {
		page := parsePage(host, name)
		for index := range words.languages {
			p.byName[index][name] = template.Must(page.Clone()).Funcs(template.FuncMap{"t": words.text(index)})
		}
		for _, sample := range samples {
			if err := p.byName[0][name].ExecuteTemplate(io.Discard, "layout", sample); err != nil {
				panic(err)
			}
		}
	}
	return p
}

func parsePage(host fs.FS, name string) *template.Template {
	page := template.New(name).Funcs(template.FuncMap{"t": fmt.Sprint}) // in the place of the words of a language
	for _, text := range pageTexts(host, name+".html") {
		template.Must(page.Parse(text))
	}
	return page
}

// pageTexts returns what a page is made of: the layout, the blocks of parts.html, and the page's own file. The host's layout and
// page take the place of the library's. Its parts.html comes last, so that each block it defines takes the place of an earlier
// one of that name, while the others stay.
func pageTexts(host fs.FS, page string) []string {
	var texts []string
	for _, file := range []string{"layout.html", "parts.html", page} {
		text, found := readTemplate(host, file)
		if !found || file == "parts.html" {
			text, _ = readTemplate(templates, path.Join("templates", file))
		}
		texts = append(texts, text)
	}
	if parts, found := readTemplate(host, "parts.html"); found {
		texts = append(texts, parts)
	}
	return texts
}

// readTemplate returns a file, and whether there is one. It panics at a file that cannot be read.
func readTemplate(files fs.FS, name string) (text string, found bool) {
	if files == nil {
		return "", false
	}
	content, err := fs.ReadFile(files, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(err)
	}
	return string(content), err == nil
}

// Page is what every page has. The pages' own types embed it, and so do their templates' data.
type Page struct {
	// Language is the BCP 47 tag of the words on the page.
	Language string
	// Title is the document's, in that language.
	Title string
	// Stylesheet is the URL of the library's stylesheet.
	Stylesheet string
}

func (p *Page) page() *Page { return p }

// pageContent is a pointer to a page's own type.
type pageContent interface{ page() *Page }

// pageResponse is how a page is sent.
type pageResponse struct {
	name       string // of its template
	status     int
	title      string // the key of its title
	formAction string // where its forms may lead, as in Content-Security-Policy
	uiLocales  string // as the application asked; empty: it did not
}

// writePage renders the whole page before it writes anything.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, response pageResponse, content pageContent) error {
	index := h.pages.words.choose(r, response.uiLocales)
	common := content.page()
	common.Language, common.Stylesheet = h.pages.words.languages[index], h.stylesheet
	common.Title = h.pages.words.text(index)(response.title)
	var body bytes.Buffer
	if err := h.pages.byName[index][response.name].ExecuteTemplate(&body, "layout", content); err != nil {
		return fmt.Errorf("rendering the page %s: %w", response.name, err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", common.Language)
	header.Add("Vary", "Accept-Language")
	header.Set("Referrer-Policy", "same-origin") // without any, browsers hide the origin of the page's own form from us
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+response.formAction)
	w.WriteHeader(response.status)
	_, _ = body.WriteTo(w)
	return nil
}

// words returns the function t of the templates in the language of a request that no application made.
func (h *Handler) words(r *http.Request) words {
	return h.pages.words.text(h.pages.words.choose(r, ""))
}
