package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

//go:embed templates/*.html
var templates embed.FS

// parsed holds the pages by file name. They are parsed once, because a flood of
// sign-ins renders many.
var parsed = map[string]*template.Template{
	"login.html": template.Must(template.ParseFS(templates, "templates/layout.html", "templates/login.html")),
	"home.html":  template.Must(template.ParseFS(templates, "templates/layout.html", "templates/home.html")),
}

// pages are this program's own pages: sign in and home.
type pages struct {
	database *database
	signIns  *signIns
	// authorizations ends sessions for the applications too.
	authorizations *oauthkit.Authorizations
	// acrValues are the authentication context classes that a sign-in satisfies, the
	// preferred one first.
	acrValues []string
	secure    bool
	provider  *oauthhttp.Handler
	prefix    string // path of the provider's pages
	origin    *http.CrossOriginProtection
	logger    *slog.Logger
	homes     *semaphore.Weighted // limits requests for the home page
}

// maxHomes is how many requests for the home page use the database at the same time.
// Anyone can send them with an invented cookie, and the provider limits only its own
// requests; without this limit they could take all connections.
const maxHomes = 4

// page is the data of a template.
type page struct {
	Language, Title, Prefix string
	Texts                   *siteTexts // only for home.html
	Username                string
	Login                   *loginPage // only for login.html
}

func (p *pages) showLogin(w http.ResponseWriter, r *http.Request) {
	content, err := p.newLoginPage(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.renderLogin(w, http.StatusOK, content)
}

// login checks the password. It rejects forms from other sites, which could otherwise
// sign a user in to the attacker's account.
func (p *pages) login(w http.ResponseWriter, r *http.Request) {
	if !p.isOwnForm(r) {
		http.Error(w, "Cross-site request rejected.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "Invalid form.", http.StatusBadRequest)
		return
	}
	username := r.PostForm.Get("username")
	found, err := p.signIns.verify(r.Context(), username, r.PostForm.Get("password"))
	if err == nil {
		err = p.startSession(w, r, found)
	}
	if err != nil {
		p.showFailure(w, r, username, err)
		return
	}
	http.Redirect(w, r, oauthhttp.ReturnPath(r), http.StatusSeeOther)
}

// showFailure shows the form again with the reason.
func (p *pages) showFailure(w http.ResponseWriter, r *http.Request, username string, err error) {
	var locked *lockedError
	isLocked := errors.As(err, &locked)
	if !isLocked && !errors.Is(err, errWrongPassword) && !errors.Is(err, errBusy) {
		p.fail(w, r, err)
		return
	}
	content, failure := p.newLoginPage(r)
	if failure != nil {
		p.fail(w, r, failure)
		return
	}
	content.Username = username
	status, texts := http.StatusUnauthorized, content.Texts
	switch {
	case isLocked:
		status, content.Fail = http.StatusTooManyRequests, texts.Locked
		w.Header().Set("Retry-After", retryAfter(locked.wait))
	case errors.Is(err, errBusy):
		status, content.Fail = http.StatusServiceUnavailable, texts.Busy
		w.Header().Set("Retry-After", retryAfter(maxWait))
	default:
		content.Fail = texts.WrongPassword
	}
	p.renderLogin(w, status, content)
}

// retryAfter returns whole seconds, rounded up (RFC 9110 §10.2.3).
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}

// isOwnForm reports whether a page of this program sent the form. If a browser sends
// only the Origin header, only hosts are compared, and a page loaded over plain http
// could be an attacker's.
func (p *pages) isOwnForm(r *http.Request) bool {
	overPlainHTTP := r.Header.Get("Sec-Fetch-Site") == "" && strings.HasPrefix(r.Header.Get("Origin"), "http://")
	return p.origin.Check(r) == nil && !(p.secure && overPlainHTTP)
}

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	found, err := p.homeSession(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	texts := chooseTexts(nil, r.Header.Get("Accept-Language"))
	content := page{Language: texts.Language, Title: texts.Home, Texts: texts}
	if found != nil {
		content.Username = found.Username
	}
	p.render(w, http.StatusOK, "home.html", content)
}

// homeSession returns the session after waiting for a turn. It returns errBusy after a
// second without one.
func (p *pages) homeSession(r *http.Request) (*session, error) {
	ctx, cancel := context.WithTimeout(r.Context(), maxWait)
	defer cancel()
	if err := p.homes.Acquire(ctx, 1); err != nil {
		return nil, errBusy
	}
	defer p.homes.Release(1)
	return p.session(r)
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	overloaded := errors.Is(err, errBusy) || errors.Is(err, oauthhttp.ErrBusy)
	if r.Context().Err() == nil && !overloaded { // not just a closed connection
		p.logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path,
			"trace_id", oauthkit.RequestInfoFrom(r.Context()).TraceID, "error", err)
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "The service is temporarily unavailable. Try again in a moment.", http.StatusServiceUnavailable)
}

// render writes a page with headers that keep it out of frames and caches.
func (p *pages) render(w http.ResponseWriter, status int, name string, content page) {
	content.Prefix = p.prefix
	var body bytes.Buffer
	if err := parsed[name].ExecuteTemplate(&body, "layout", content); err != nil {
		p.logger.Error("rendering a page", "page", name, "error", err)
		http.Error(w, "Internal server error.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", content.Language)
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}
