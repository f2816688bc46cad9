// Package oauthhttp answers the requests of a provider: its endpoints, its pages, and the protection of the host's API.
//
// Follow a request from [Handler.ServeHTTP]: the table of endpoints says who may call each, one function makes sure of it,
// and the endpoint itself is a function that calls its steps in the order of its specification.
package oauthhttp

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// Config is what the host answers. The zero value signs nobody in.
type Config struct {
	// CurrentUser returns who is signed in to the host, and nil when nobody is or a sign-in is not complete. An error is
	// answered with 503. Nil: nobody ever is.
	CurrentUser func(r *http.Request) (*oauthkit.User, error)
	// LoginURL is the host's login page. The browser is sent there with a parameter next, a path to return to, which
	// [ReturnPath] reads safely, and with prompt=login where somebody is signed in and has to sign in anew, or as somebody
	// else: the page must then ask. Empty: there is none, and whoever is not signed in gets an error page.
	LoginURL string
	// ConsentRows returns what the consent page shows of an application beside the library's own. Nil: nothing. Use
	// [ConsentRowsFor] to be given the host's own type.
	ConsentRows func(ctx context.Context, app oauthkit.Application) []ConsentRow
	// Templates replaces pages and their parts, each by a file of the same name as in the library's folder http/templates, such
	// as consent.html. Nil: none.
	Templates fs.FS
	// Texts adds languages to the pages, and changes single texts, by BCP 47 tag and key, as in the library's folder
	// http/texts. Nil: none.
	Texts map[string]Texts
}

// Handler serves everything below the issuer's path, and the documents that RFC 8414 §3 puts below /.well-known/. It matches
// whole paths, so mount it without stripping a prefix, under any router.
type Handler struct {
	provider    *oauthkit.Provider
	config      Config
	routes      map[string]route // by path, without a trailing slash
	crossOrigin *http.CrossOriginProtection
	stylesheet  string // its URL
	pages       *pages
}

// route is an endpoint as it is served.
type route struct {
	oauthkit.Endpoint
	// page says that people call it, with a browser: errors are pages, and HEAD, which would have effects, is refused.
	page bool
}

// NewHandler returns the handler of a provider. It panics at a template that cannot be parsed and at a language that is none.
func NewHandler(provider *oauthkit.Provider, config Config) *Handler {
	h := &Handler{
		provider: provider, config: config, routes: map[string]route{},
		crossOrigin: http.NewCrossOriginProtection(), stylesheet: stylesheetURL(provider.Prefix()),
		pages: newPages(newCatalogue(config.Texts), config.Templates),
	}
	// A proxy may change the Host header; the issuer's origin is the handler's own in any case.
	_ = h.crossOrigin.AddTrustedOrigin(strings.TrimSuffix(provider.Issuer(), provider.Prefix())) // cannot fail: New checked the issuer
	for _, endpoint := range h.endpoints() {
		h.routes[provider.Prefix()+"/"+endpoint.Path] = endpoint
	}
	for _, endpoint := range provider.Endpoints() {
		h.routes[provider.Prefix()+"/"+endpoint.Path] = route{Endpoint: endpoint, page: endpoint.User != nil}
	}
	h.addMetadata()
	return h
}

// endpoints is the table of the library's own endpoints: who may call each, and how. Everything else about them, routing,
// errors and metadata documents, follows from it.
func (h *Handler) endpoints() []route {
	get, post, both := []string{http.MethodGet}, []string{http.MethodPost}, []string{http.MethodGet, http.MethodPost}
	return []route{
		{page: true, Endpoint: oauthkit.Endpoint{Path: "authorize", Methods: both, Metadata: "authorization_endpoint", Anyone: h.authorize}},
		{page: true, Endpoint: oauthkit.Endpoint{Path: "consent", Methods: both, Anyone: h.consent}},
		{Endpoint: oauthkit.Endpoint{Path: "token", Methods: post, Metadata: "token_endpoint", Application: h.token}},
		{Endpoint: oauthkit.Endpoint{Path: "introspect", Methods: post, Metadata: "introspection_endpoint", Application: h.introspect}},
		{Endpoint: oauthkit.Endpoint{Path: "revoke_token", Methods: post, Metadata: "revocation_endpoint", Application: h.revoke}},
		{Endpoint: oauthkit.Endpoint{Path: stylesheetPath, Methods: get, Anyone: serveStylesheet}},
	}
}

// ServeHTTP answers a request, with or without a slash at the end of its path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	found, known := h.routes[strings.TrimSuffix(r.URL.Path, "/")]
	switch {
	case !known:
		h.writeErrorPage(w, r, withStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address")))
	case !found.allows(r.Method):
		w.Header().Set("Allow", strings.Join(found.Methods, ", "))
		h.fail(w, r, found, withStatus(http.StatusMethodNotAllowed, oauthkit.Errorf(oauthkit.InvalidRequest, "the method must be %s", strings.Join(found.Methods, " or "))))
	default:
		if err := h.call(w, r, found); err != nil {
			h.fail(w, r, found, err)
		}
	}
}

func (e route) allows(method string) bool {
	return slices.Contains(e.Methods, method) || method == http.MethodHead && !e.page && slices.Contains(e.Methods, http.MethodGet)
}

// call makes sure that the caller is who the endpoint is for, and calls it. It is the only place that does.
func (h *Handler) call(w http.ResponseWriter, r *http.Request, found route) error {
	switch {
	case found.Application != nil:
		return h.callAsApplication(w, r, found)
	case found.Bearer != nil:
		return h.callAsBearer(w, r, found)
	case found.User != nil:
		return h.callAsUser(w, r, found)
	default:
		return found.Anyone(w, r)
	}
}

func (h *Handler) callAsApplication(w http.ResponseWriter, r *http.Request, found route) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	app, err := h.authenticateClient(r, form)
	if err != nil {
		return err
	}
	return found.Application(w, r, form, app)
}

func (h *Handler) callAsBearer(w http.ResponseWriter, r *http.Request, found route) error {
	form := url.Values{}
	if r.Method == http.MethodPost && isForm(r.Header) {
		var err error
		if form, err = readForm(w, r); err != nil {
			return err
		}
	}
	token, err := authenticateBearer(h.provider, r, form, requiredScopes(found.Scope))
	if err != nil {
		return err
	}
	return found.Bearer(w, r, token)
}

func (h *Handler) callAsUser(w http.ResponseWriter, r *http.Request, found route) error {
	if err := h.checkOrigin(r); err != nil {
		return err
	}
	user, err := h.currentUser(r)
	if err != nil {
		return err
	}
	if user == nil {
		return h.redirectToLogin(w, r.URL.RequestURI(), nil)
	}
	return found.User(w, r, user)
}

// fail answers in the form that suits who calls.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, found route, err error) {
	switch {
	case found.page:
		h.writeErrorPage(w, r, err)
	case found.Bearer != nil:
		h.log(r, err)
		writeChallenge(w, r, err, requiredScopes(found.Scope))
	default:
		h.log(r, err)
		writeError(w, r, err)
	}
}

// log keeps what is not sent: failures as such, refusals for those who debug.
func (h *Handler) log(r *http.Request, err error, attributes ...any) {
	logError(h.provider.Logger(), r, err, attributes...)
}

func logError(logger *slog.Logger, r *http.Request, err error, attributes ...any) {
	attributes = append(attributes, "path", r.URL.Path, "status", statusOf(err), "error", err)
	if statusOf(err) >= http.StatusInternalServerError {
		logger.ErrorContext(r.Context(), "request failed", attributes...)
		return
	}
	logger.DebugContext(r.Context(), "request refused", attributes...)
}

func requiredScopes(scope string) oauthkit.Scopes {
	if scope == "" {
		return nil
	}
	return oauthkit.Scopes{scope}
}
