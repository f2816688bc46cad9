package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

//go:embed templates/*.html
var templates embed.FS

// pages are this program's own: sign in and home.
type pages struct {
	database *database
	secure   bool
	prefix   string // of the provider's own pages
	origin   *http.CrossOriginProtection
	logger   *slog.Logger
}

// page is what a template is given.
type page struct {
	Title, Prefix        string
	Username, Next, Fail string
}

func (p *pages) showLogin(w http.ResponseWriter, r *http.Request) {
	p.render(w, http.StatusOK, "login.html", page{Title: "Sign in", Next: oauthhttp.ReturnPath(r)})
}

// login checks the password. Another site cannot send this form: its origin is checked, and so nobody can be signed in to
// somebody else's account unawares.
func (p *pages) login(w http.ResponseWriter, r *http.Request) {
	if !p.isOwnForm(r) {
		http.Error(w, "This form was sent from another site.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return
	}
	username, next := r.PostForm.Get("username"), oauthhttp.ReturnPath(r)
	switch err := p.verify(r, username, r.PostForm.Get("password")); {
	case errors.Is(err, errNoUser):
		p.render(w, http.StatusUnauthorized, "login.html", page{
			Title: "Sign in", Next: next, Username: username, Fail: "That username and password do not belong together. Try again.",
		})
	case err != nil:
		p.fail(w, r, err)
	default:
		if err := p.signIn(w, r, username); err != nil {
			p.fail(w, r, err)
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// isOwnForm reports whether a page of this program sent the form. Where a browser says nothing but the origin, only the hosts are
// compared, and a page that came over plain http may be anybody's.
func (p *pages) isOwnForm(r *http.Request) bool {
	overPlainHTTP := r.Header.Get("Sec-Fetch-Site") == "" && strings.HasPrefix(r.Header.Get("Origin"), "http://")
	return p.origin.Check(r) == nil && !(p.secure && overPlainHTTP)
}

// noUserHash is compared with where there is no such user, so that the time does not tell.
var noUserHash = sync.OnceValue(func() []byte {
	made, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.DefaultCost)
	if err != nil {
		panic(err) // only for a bad cost
	}
	return made
})

func (p *pages) verify(r *http.Request, username, password string) error {
	found, err := p.database.user(r.Context(), username)
	if errors.Is(err, errNoUser) {
		_ = bcrypt.CompareHashAndPassword(noUserHash(), []byte(password))
		return errNoUser
	}
	if err != nil {
		return err
	}
	if bcrypt.CompareHashAndPassword([]byte(found.Password), []byte(password)) != nil {
		return errNoUser
	}
	return nil
}

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	found, err := p.session(r.Context(), r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	content := page{Title: "Identity provider"}
	if found != nil {
		content.Username = found.Username
	}
	p.render(w, http.StatusOK, "home.html", content)
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", "1")
	http.Error(w, "Something is not working just now. Try again in a moment.", http.StatusServiceUnavailable)
}

// render writes a page with headers that keep it out of frames and caches.
func (p *pages) render(w http.ResponseWriter, status int, name string, content page) {
	content.Prefix = p.prefix
	var body bytes.Buffer
	parsed, err := template.ParseFS(templates, "templates/layout.html", "templates/"+name)
	if err == nil {
		err = parsed.ExecuteTemplate(&body, "layout", content)
	}
	if err != nil {
		p.logger.Error("rendering", "page", name, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}
