package oauthhttp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/oauthkit/oauthkit"
)

// This file writes a page: the data that all pages have, and the response's headers.

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
	// SignedInAs is, except on the error page of a refused sign-out.
	SignOutURL string
	// HomeURL is Config.HomeURL. The consent page, which waits for a decision, and the
	// page that posts a response have none.
	HomeURL string
}

func (p *Page) page() *Page { return p }

// PageContent is the data of a page: a pointer to a struct that embeds [Page].
type PageContent interface{ page() *Page }

// PageResponse describes the response with a page.
type PageResponse struct {
	// Name is the name of the page: its template is the file NAME.html.
	Name string
	// Status is the HTTP status. If zero, it is 200.
	Status int
	// Title is the key of the text that is the title of the document.
	Title string
	// FormAction is the list of sources to which the page's forms can be sent, the
	// directive form-action of the Content-Security-Policy. If empty, it is 'self'.
	FormAction string
	// User is the signed-in user to show below the page, with a link to sign out. If
	// nil, none is shown.
	User *oauthkit.User
	// UILocales is the ui_locales of the application's request (OpenID Connect Core
	// §3.1.2.1). If empty, it is that of the page's own request.
	UILocales string

	script string // the script-src source of the page's script, or empty
	frames string // the frame-src sources of the page's frames, or empty
	// offerSignOut shows the link to sign out although no user is shown.
	offerSignOut bool
}

// HandlerFrom returns the Handler that serves the request with this context. An extension
// uses it to write its pages. It returns an error outside the endpoints of a Handler.
func HandlerFrom(ctx context.Context) (*Handler, error) {
	handler, ok := ctx.Value(handlerKey{}).(*Handler)
	if !ok {
		return nil, errors.New("oauthhttp: HandlerFrom: no Handler serves the request")
	}
	return handler, nil
}

// WritePage writes a page of the library or of an extension, in the language of the
// request and with the security headers of all pages. Content must be of the type of the
// page's samples, and a new value for each request, since WritePage sets its [Page]. If
// WritePage returns an error, it has written nothing.
func (h *Handler) WritePage(w http.ResponseWriter, r *http.Request, response PageResponse, content PageContent) error {
	response.Status, response.FormAction = cmp.Or(response.Status, http.StatusOK), cmp.Or(response.FormAction, "'self'")
	switch {
	case h.pages.byName[0][response.Name] == nil:
		return fmt.Errorf("oauthhttp: WritePage: the page %q does not exist", response.Name)
	case h.pages.catalogue.texts[0][response.Title] == "":
		return fmt.Errorf("oauthhttp: WritePage: the title %q is not the key of a text", response.Title)
	}
	return h.writePage(w, r, response, content)
}

// Translate returns the text of key in the language of the request, formatted with args
// like [fmt.Sprintf]. It returns a key that has no text unchanged.
func (h *Handler) Translate(r *http.Request, key string, args ...any) string {
	return h.translator(r)(key, args...)
}

// writePage renders the page completely before it writes anything.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, response PageResponse, content PageContent) error {
	index := h.pages.catalogue.choose(r, response.UILocales)
	page, err := h.render(index, response, content)
	if err != nil {
		return err
	}
	h.sendPage(w, index, response, page)
	return nil
}

// render returns a page in the language with that index.
func (h *Handler) render(index int, response PageResponse, content PageContent) ([]byte, error) {
	common := content.page()
	*common = Page{ // nothing of another request, if an extension keeps content
		Language: h.pages.catalogue.languages[index], Stylesheet: h.stylesheet, Title: h.pages.catalogue.translator(index)(response.Title),
	}
	h.setLinks(common, response)
	var body bytes.Buffer
	if err := h.pages.byName[index][response.Name].ExecuteTemplate(&body, "layout", content); err != nil {
		return nil, fmt.Errorf("rendering the page %s: %w", response.Name, err)
	}
	return body.Bytes(), nil
}

// sendPage writes a rendered page.
func (h *Handler) sendPage(w http.ResponseWriter, index int, response PageResponse, page []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", h.pages.catalogue.languages[index])
	header.Add("Vary", "Accept-Language")
	policy := "default-src 'none'; "
	if response.frames != "" {
		policy += "frame-src " + response.frames + "; "
	}
	if response.script != "" { // the page leads to another site, which must not learn its address
		policy += "script-src " + response.script + "; "
	} else {
		header.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers send a form without its origin
	}
	header.Set("Content-Security-Policy", policy+"style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+response.FormAction)
	w.WriteHeader(response.Status)
	_, _ = w.Write(page) // html/template has escaped it
}

// setLinks sets the links that do not depend on the page's purpose.
func (h *Handler) setLinks(page *Page, response PageResponse) {
	if response.Name != "consent" && response.Name != formPostPage {
		page.HomeURL = h.config.HomeURL
	}
	if response.User != nil {
		page.SignedInAs = cmp.Or(response.User.Name, response.User.Subject)
	}
	if (response.User != nil || response.offerSignOut) && h.config.SignOut != nil && h.serves(GroupBase) {
		page.SignOutURL = h.signOutPath()
	}
}

// translator returns the template function t for a request that no application made.
func (h *Handler) translator(r *http.Request) translator {
	return h.pages.catalogue.translator(h.pages.catalogue.choose(r, ""))
}
