package oauthhttp

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"

	"github.com/oauthkit/oauthkit"
)

//go:embed templates
var templates embed.FS

// pages holds the template of every page in every language.
type pages struct {
	catalogue *catalogue
	byName    []map[string]*template.Template // by language
}

// pageSamples returns sample data for each page by its name. A page is a file in
// templates/ that defines the block content.
func pageSamples() map[string][]pageContent {
	samples := map[string][]pageContent{
		"consent": consentSamples(), "error": {&ErrorPage{Code: oauthkit.ReasonNotFound, Detail: "x", TraceID: "x"}},
		"signout": {&SignOutPage{}}, "signed_out": {&SignedOutPage{SignInURL: "x", ConnectionsURL: "x"}},
	}
	for name, sample := range managementSamples() {
		samples[name] = []pageContent{sample}
	}
	for _, contents := range samples {
		for _, content := range contents {
			*content.page() = Page{Title: "x", SignedInAs: "x", SignOutURL: "x", HomeURL: "x"}
		}
	}
	return samples
}

// newPages parses every page and renders it in every language with sample data, so that a
// mistake in a template is found before a user sees the page.
func newPages(texts map[string]Texts, files fs.FS) (*pages, error) {
	host, err := readHostTemplates(files)
	if err != nil {
		return nil, err
	}
	catalogue, err := newCatalogue(texts)
	if err != nil {
		return nil, err
	}
	if err := catalogue.checkOverrides(texts, host); err != nil {
		return nil, err
	}
	p := &pages{catalogue: catalogue}
	for range catalogue.languages {
		p.byName = append(p.byName, map[string]*template.Template{})
	}
	for name, samples := range pageSamples() {
		if err := p.add(host, name, samples); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add parses one page and renders its samples in every language.
func (p *pages) add(host hostTemplates, name string, samples []pageContent) error {
	page, err := parsePage(host, name+".html")
	if err != nil {
		return err
	}
	for index, language := range p.catalogue.languages {
		translated, err := page.Clone()
		if err != nil {
			return err
		}
		translated.Funcs(template.FuncMap{"t": p.catalogue.translator(index)})
		for _, sample := range samples {
			if err := translated.ExecuteTemplate(io.Discard, "layout", sample); err != nil {
				return fmt.Errorf("rendering the page %s in %s: %w", name, language, err)
			}
		}
		p.byName[index][name] = translated
	}
	return nil
}

// parsePage combines a page from the layout, the blocks of parts.html and the page's
// own file. The host's layout and page replace the library's. The host's parts.html
// is parsed last, so that each block in it replaces an earlier block of that name and
// the other blocks stay.
func parsePage(host hostTemplates, file string) (*template.Template, error) {
	page := template.New("page").Funcs(template.FuncMap{"t": fmt.Sprint}) // a placeholder until the language is known
	for _, name := range []string{layoutFile, partsFile, file} {
		source, replaced := host[name]
		if !replaced || name == partsFile {
			var err error
			if source, err = libraryTemplate(name); err != nil {
				return nil, err
			}
		}
		if _, err := page.New(name).Parse(source.text); err != nil {
			return nil, err
		}
	}
	if parts, ok := host[partsFile]; ok {
		if _, err := page.New(partsFile).Parse(parts.text); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// Page is the data that every page has. The types of the pages embed it.
type Page struct {
	// Language is the BCP 47 tag of the page's language.
	Language string
	// Title is the title of the document.
	Title string
	// Stylesheet is the URL of the library's stylesheet.
	Stylesheet string
	// SignedInAs is the name or the subject of the signed-in user. Only the
	// management pages have it.
	SignedInAs string
	// SignOutURL is the sign-out page. It is empty if there is none, and where
	// SignedInAs is.
	SignOutURL string
	// HomeURL is Config.HomeURL. The consent page, which waits for a decision, has none.
	HomeURL string
}

func (p *Page) page() *Page { return p }

// pageContent is a pointer to the type of a page.
type pageContent interface{ page() *Page }

// pageResponse describes the response with a page.
type pageResponse struct {
	name       string // of the template
	status     int
	title      string         // the key of the title's text
	formAction string         // the form-action sources of the Content-Security-Policy
	uiLocales  string         // of the application's request, or empty
	user       *oauthkit.User // the user of a management page, or nil
}

// writePage renders the page completely before it writes anything.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, response pageResponse, content pageContent) error {
	index := h.pages.catalogue.choose(r, response.uiLocales)
	page, err := h.render(index, response, content)
	if err != nil {
		return err
	}
	h.sendPage(w, index, response, page)
	return nil
}

// render returns a page in the language with that index.
func (h *Handler) render(index int, response pageResponse, content pageContent) ([]byte, error) {
	common := content.page()
	common.Language, common.Stylesheet = h.pages.catalogue.languages[index], h.stylesheet
	common.Title = h.pages.catalogue.translator(index)(response.title)
	h.setLinks(common, response)
	var body bytes.Buffer
	if err := h.pages.byName[index][response.name].ExecuteTemplate(&body, "layout", content); err != nil {
		return nil, fmt.Errorf("rendering the page %s: %w", response.name, err)
	}
	return body.Bytes(), nil
}

// sendPage writes a rendered page.
func (h *Handler) sendPage(w http.ResponseWriter, index int, response pageResponse, page []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", h.pages.catalogue.languages[index])
	header.Add("Vary", "Accept-Language")
	header.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers send the page's form without its origin
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+response.formAction)
	w.WriteHeader(response.status)
	_, _ = w.Write(page) // html/template has escaped it
}

// setLinks sets the links that do not depend on the page's purpose.
func (h *Handler) setLinks(page *Page, response pageResponse) {
	if response.name != "consent" {
		page.HomeURL = h.config.HomeURL
	}
	if response.user == nil {
		return
	}
	page.SignedInAs = cmp.Or(response.user.Name, response.user.Subject)
	if h.config.SignOut != nil && h.serves(GroupBase) {
		page.SignOutURL = h.signOutPath()
	}
}

// translator returns the template function t for a request that no application made.
func (h *Handler) translator(r *http.Request) translator {
	return h.pages.catalogue.translator(h.pages.catalogue.choose(r, ""))
}
