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
	for _, contents := range samples {
		for _, content := range contents {
			*content.page() = Page{Title: "x", SignedInAs: "x", SignOutURL: "x", HomeURL: "x"}
		}
	}
	return samples
}

// newPages parses every page, and renders each in every language with sample data, so that a
// mistake in a template is found before a user sees the page.
func newPages(texts map[string]Texts, files fs.FS) (*pages, error) {
	host, err := readHostTemplates(files)
	if err != nil {
		return nil, err
	}
	words, err := newCatalogue(texts)
	if err != nil {
		return nil, err
	}
	if err := words.checkTexts(texts, host); err != nil {
		return nil, err
	}
	p := &pages{words: words}
	for range words.languages {
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
	for index, language := range p.words.languages {
		translated, err := page.Clone()
		if err != nil {
			return err
		}
		translated.Funcs(template.FuncMap{"t": p.words.text(index)})
		for _, sample := range samples {
			if err := translated.ExecuteTemplate(io.Discard, "layout", sample); err != nil {
				return fmt.Errorf("rendering the page %s in %s: %w", name, language, err)
			}
		}
		p.byName[index][name] = translated
	}
	return nil
}

// parsePage puts a page together: the layout, the blocks of parts.html, and the page's own file. The host's layout and page take
// the place of the library's. Its parts.html comes last, so that each block it defines takes the place of an earlier one of that
// name, while the others stay.
func parsePage(host hostTemplates, file string) (*template.Template, error) {
	page := template.New("page").Funcs(template.FuncMap{"t": fmt.Sprint}) // in the place of the words of a language
	for _, name := range []string{layoutFile, partsFile, file} {
		text, replaced := host[name]
		if !replaced || name == partsFile {
			var err error
			if text, err = ownTemplate(name); err != nil {
				return nil, err
			}
		}
		if _, err := page.New(name).Parse(text); err != nil {
			return nil, err
		}
	}
	_, err := page.New(partsFile).Parse(host[partsFile])
	return page, err
}

// Page is what every page has. The pages' own types embed it, and so do their templates' data.
type Page struct {
	// Language is the BCP 47 tag of the words on the page.
	Language string
	// Title is the document's, in that language.
	Title string
	// Stylesheet is the URL of the library's stylesheet.
	Stylesheet string
	// SignedInAs is the name of who is signed in, or else the subject, on the pages that manage something; empty on others.
	SignedInAs string
	// SignOutURL is the page to sign out, beside SignedInAs; empty: there is none.
	SignOutURL string
	// HomeURL is the host's, from Config.HomeURL; empty on the consent page, which waits for an answer.
	HomeURL string
}

func (p *Page) page() *Page { return p }

// pageContent is a pointer to a page's own type.
type pageContent interface{ page() *Page }

// pageResponse is how a page is sent.
type pageResponse struct {
	name       string // of its template
	status     int
	title      string         // the key of its title
	formAction string         // where its forms may lead, as in Content-Security-Policy
	uiLocales  string         // as the application asked when the request was kept; empty: none was
	user       *oauthkit.User // whose things the page manages; nil: nobody's
}

// writePage renders the whole page before it writes anything.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, response pageResponse, content pageContent) error {
	index := h.pages.words.choose(r, response.uiLocales)
	page, err := h.render(index, response, content)
	if err != nil {
		return err
	}
	h.sendPage(w, index, response, page)
	return nil
}

// render returns a page in a language.
func (h *Handler) render(index int, response pageResponse, content pageContent) ([]byte, error) {
	common := content.page()
	common.Language, common.Stylesheet = h.pages.words.languages[index], h.stylesheet
	common.Title = h.pages.words.text(index)(response.title)
	h.lead(common, response)
	var body bytes.Buffer
	if err := h.pages.byName[index][response.name].ExecuteTemplate(&body, "layout", content); err != nil {
		return nil, fmt.Errorf("rendering the page %s: %w", response.name, err)
	}
	return body.Bytes(), nil
}

// sendPage writes a page that was rendered in a language.
func (h *Handler) sendPage(w http.ResponseWriter, index int, response pageResponse, page []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", h.pages.words.languages[index])
	header.Add("Vary", "Accept-Language")
	header.Set("Referrer-Policy", "same-origin") // without any, browsers hide the origin of the page's own form from us
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+response.formAction)
	w.WriteHeader(response.status)
	_, _ = w.Write(page) //nolint:gosec // html/template has escaped it
}

// lead fills in where a page leads besides what it is for.
func (h *Handler) lead(page *Page, response pageResponse) {
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

// words returns the function t of the templates in the language of a request that no application made.
func (h *Handler) words(r *http.Request) words {
	return h.pages.words.text(h.pages.words.choose(r, ""))
}
