package oauthhttp

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
)

//go:embed templates
var templates embed.FS

// pages are the templates of every page in every language.
type pages struct {
	words  *catalogue
	byName []map[string]*template.Template // by language
}

// pageNames returns the pages, each a file in templates/ with the layout around it.
func pageNames() []string { return []string{"consent", "error"} }

// newPages parses every page in every language, so that a mistake in one cannot wait for a user: it panics. A file of the host's
// of the same name takes the place of the library's: layout.html, parts.html, or a page such as consent.html. Beside a page of
// the library's, the host's parts.html and layout.html can redefine single blocks.
func newPages(words *catalogue, host fs.FS) *pages {
	p := &pages{words: words}
	for index := range words.languages {
		parsed := map[string]*template.Template{}
		for _, name := range pageNames() {
			page := template.New(name).Funcs(template.FuncMap{"t": words.text(index)})
			for _, file := range []string{"layout.html", name + ".html"} {
				template.Must(page.Parse(readTemplate(host, file)))
			}
			parsed[name] = page
		}
		p.byName = append(p.byName, parsed)
	}
	return p
}

// readTemplate prefers the host's file.
func readTemplate(host fs.FS, file string) string {
	if host != nil {
		if text, err := fs.ReadFile(host, file); err == nil {
			return string(text)
		}
	}
	text, err := templates.ReadFile(path.Join("templates", file))
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
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

// text returns words in the language of a request.
func (h *Handler) text(r *http.Request, uiLocales, key string, args ...any) string {
	return h.pages.words.text(h.pages.words.choose(r, uiLocales))(key, args...)
}
