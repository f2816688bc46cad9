package oauthhttp

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

//go:embed templates
var templates embed.FS

// parsePage returns a page with the layout around it. It is called at start, so that a mistake in a page cannot wait for a user.
func parsePage(name string) *template.Template {
	return template.Must(template.ParseFS(templates, "templates/layout.html", "templates/"+name))
}

// consentPage is what the consent page shows.
type consentPage struct {
	Title, Stylesheet string
	Application       string // its name, in its own words
	Host              string // where the answer goes
	Verified          bool
	Rows              []ConsentRow
	Scopes            []consentScope
	User              string
	SwitchURL         string
	Action, ID, Token string
}

// consentScope is one scope, in words.
type consentScope struct {
	Name, Description string
	New               bool // asked for the first time
}

// errorPage is what an error page shows. Nothing of the request is on it.
type errorPage struct {
	Title, Stylesheet string
	Heading, Message  string
	Code              oauthkit.ErrorCode
	TraceID           string
}

func (h *Handler) writeConsentPage(w http.ResponseWriter, r *http.Request, request *kept, user *oauthkit.User, consent *oauthkit.Consent) error {
	app := request.Application
	content := consentPage{
		Title:       "Allow access?",
		Application: oauthkit.DisplayName(app),
		Host:        answerHost(request.RedirectURI()),
		Verified:    oauthkit.IsVerified(app),
		User:        user.Name,
		SwitchURL:   h.loginURL(h.consentPath(request.id), true),
		Action:      h.provider.Prefix() + "/consent",
		ID:          request.id,
		Token:       request.formToken(user),
	}
	if content.User == "" {
		content.User = user.Subject
	}
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return err
	}
	for _, scope := range request.Scopes {
		content.Scopes = append(content.Scopes, consentScope{
			Name: scope, Description: texts[scope], New: consent != nil && !consent.Scopes.Contains(scope),
		})
	}
	if h.config.ConsentRows != nil {
		content.Rows = h.config.ConsentRows(r.Context(), app)
	}
	content.Stylesheet = h.stylesheet
	return writePage(w, http.StatusOK, h.consentPage, "form-action 'self' "+formTargets(request.RedirectURI()), content)
}

// answerHost names where the answer goes, in words for people.
func answerHost(redirectURI string) string {
	parsed, err := url.Parse(redirectURI)
	if err != nil || parsed.Scheme != "https" {
		return "an app on this device" // a loopback address or a private-use scheme (RFC 8252 §7)
	}
	return parsed.Host
}

// formTargets are the source expressions for where the form leads. Browsers hold every redirect after it to form-action, those
// of the application's own pages included, and know no IPv6 address there. So only schemes can be named.
func formTargets(redirectURI string) string {
	scheme, _, _ := strings.Cut(redirectURI, ":")
	if scheme == "https" || scheme == "http" {
		return "https: http:"
	}
	return "https: http: " + scheme + ":"
}

// writeErrorPage answers a person. What went wrong is said in words; the details are in the log, under the same trace id.
func (h *Handler) writeErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	trace, status := secret.NewID(), statusOf(err)
	h.log(r, err, "trace_id", trace)
	content := errorPage{
		Title:      "This did not work",
		Stylesheet: h.stylesheet,
		Heading:    "This request cannot be answered",
		Message:    "The application that sent you here made a request that is not valid: " + descriptionOf(err) + ".",
		Code:       oauthkit.CodeOf(err),
		TraceID:    trace,
	}
	switch {
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
		content.Heading, content.Message = "Not available just now", "Wait a moment, then reload this page. Nothing was lost."
	case status >= http.StatusInternalServerError:
		content.Heading, content.Message = "Something went wrong here", "This is not your fault. If it happens again, tell us the reference below."
	case status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusForbidden:
		content.Heading, content.Message = "This page is not for you, or no longer", sentence(descriptionOf(err))
	case r.URL.Path != h.provider.Prefix()+"/authorize": // no application made this request
		content.Message = sentence(descriptionOf(err))
	}
	if err := writePage(w, status, h.errorPage, "form-action 'none'", content); err != nil {
		h.log(r, err, "trace_id", trace)
		http.Error(w, http.StatusText(status), status)
	}
}

// sentence makes a description one.
func sentence(description string) string {
	if description == "" {
		return ""
	}
	return strings.ToUpper(description[:1]) + description[1:] + "."
}

// writePage renders the whole page before it writes anything.
func writePage(w http.ResponseWriter, status int, page *template.Template, formAction string, content any) error {
	var body bytes.Buffer
	if err := page.ExecuteTemplate(&body, "layout", content); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Referrer-Policy", "same-origin") // without any, browsers hide the origin of the page's own form from us
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "+formAction)
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
	return nil
}

// setSecurityHeaders is the strictest for everything; an answer that may be more says so itself.
func setSecurityHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
}

const stylesheetPath = "oauthkit.css"

// stylesheetURL changes with the stylesheet, so that browsers can keep it for as long as it is the same.
func stylesheetURL(prefix string) string {
	sum := sha256.Sum256(stylesheet)
	return fmt.Sprintf("%s/%s?v=%x", prefix, stylesheetPath, sum[:6])
}

//go:embed templates/oauthkit.css
var stylesheet []byte

func serveStylesheet(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(stylesheet)
	return nil
}
