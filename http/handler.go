// Package oauthhttp serves the endpoints and pages of a provider over HTTP.
//
// To follow a request, begin at [Handler.ServeHTTP]. The endpoint table says who may
// call each endpoint, and one function checks the caller. The endpoint itself is a
// function that calls its steps in the order of its specification.
package oauthhttp

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// Config configures a Handler. The zero value is valid, but no user is ever signed in.
type Config struct {
	// CurrentUser returns the user who is signed in to the host. It returns nil if
	// there is none, or if the sign-in is incomplete. An error is answered with 503.
	// If nil, no user is ever signed in.
	CurrentUser func(r *http.Request) (*oauthkit.User, error)
	// LoginURL is the host's login page. If empty, a user who must sign
	// in gets an error page.
	//
	// The parameter next is the path to which the page returns; [ReturnPath] reads it
	// safely. With prompt=login the page must ask a signed-in user to sign in again, and
	// with prompt=select_account to choose an account (see SelectAccountURL). The
	// parameter ui_locales is passed on from the request (OpenID Connect Core §3.1.2.1).
	// [PendingLogin] returns the request with its application.
	LoginURL string
	// SelectAccountURL is the host's page on which the user chooses among the accounts of
	// the browser, for prompt=select_account. It gets the parameters of LoginURL. It may
	// return without a new sign-in if [oauthkit.User] then has SelectedAt. If empty,
	// LoginURL is used.
	SelectAccountURL string
	// SignUpURL is the host's page on which the user creates an account, for
	// prompt=create (Initiating User Registration via OpenID Connect 1.0). It gets the
	// parameters of LoginURL, and returns to next with the new user signed in. If empty,
	// such a request is refused, and the metadata does not list create.
	SignUpURL string
	// HomeURL is the target of a link on the pages to manage and sign out, and on
	// error pages. If empty, there is no link.
	HomeURL string
	// SignOut ends the host's own session and deletes its cookie. It must write
	// neither a status nor a body. If it returns an error, which is answered with
	// 503, the session must be unchanged. If nil, there is no page logout.
	SignOut func(w http.ResponseWriter, r *http.Request) error
	// ConsentRows returns additional rows about an application for the consent page.
	// See [ConsentRowsFor] for the host's own type. It may be nil.
	ConsentRows func(ctx context.Context, app oauthkit.Application) []ConsentRow
	// UserChoosesScopes lets the user approve some of the requested scopes.
	// Otherwise they approve all or none.
	UserChoosesScopes bool

	// Applications serves the pages below applications/ on which users
	// manage their applications, and the same in JSON below
	// api/applications. If nil, they are not served.
	Applications *oauthkit.Applications
	// Authorizations serves the pages below authorized_tokens/ on which users see
	// and revoke the access of applications, and the same in JSON below
	// api/authorized_tokens. If nil, they are not served.
	Authorizations *oauthkit.Authorizations

	// Templates replaces pages, their layout, and single blocks, by files with the
	// names in the library's folder http/templates and in [Pages] of extensions. It may
	// be nil.
	//
	// A file consent.html replaces that page, and layout.html the layout. Each
	// block in parts.html replaces the library's block. The data of a page is a
	// type such as [ConsentPage]. Security headers and the protection of forms do
	// not depend on templates. Folders and files that begin with a dot are
	// ignored; any other file is an error.
	Templates fs.FS
	// Texts adds languages to the pages and replaces single texts, by BCP 47
	// tag and key. The key scope.NAME describes a scope in place of the
	// provider's scopes. It may be nil.
	Texts map[string]Texts

	// MaxInFlight is the number of requests that are served at the same time. If
	// zero, it is the store's maximum number of connections (see
	// [oauthkit.ConnectionPool]), at least 4, or 128 if that is unlimited or
	// unknown. Set it higher if CurrentUser or another function of the host takes
	// longer than the database.
	//
	// Up to 640 further requests wait for up to a second, in the order of arrival.
	// All others are answered with 503 and Retry-After, and reported by one
	// [oauthkit.RequestsRefused] a second.
	//
	// Requests without an Authorization header, a TLS client certificate, or another
	// proof that a method of [oauthkit.Config.ClientAuthenticators] reads (to the
	// authorization endpoint, to all other pages, to the JSON for users, and to the token
	// endpoint) together use at most half of the connections and half of MaxInFlight.
	// Documents in memory, such as the metadata, and responses whose body is being sent
	// are not limited. Requests to the host's own API do not count.
	MaxInFlight int

	// Groups are the endpoints to serve and to announce in the
	// metadata. If nil, all are served.
	Groups []Group
	// Replace replaces endpoints with handlers of the host, by path relative to the
	// issuer, such as "authorize". They get requests with every method, before any
	// check, and no headers are set. They can call the library's endpoint with
	// [Handler.Endpoint]. It may be nil.
	Replace map[string]http.Handler
}

// Handler serves all endpoints below the issuer's path, and the metadata documents
// that RFC 8414 §3 puts below /.well-known/. It matches whole paths: mount it in any
// router without stripping a prefix.
type Handler struct {
	provider    *oauthkit.Provider
	config      Config
	clients     clientAuthentication
	routes      map[string]route // by path, relative to the issuer
	mux         *http.ServeMux
	crossOrigin *http.CrossOriginProtection
	stylesheet  string // its URL
	pages       *pages
	busy        *busyAnswers
	inFlight    *inFlight
}

// NewHandler returns the handler of a provider, or an error if the Config is not valid:
//
//   - a template cannot be parsed or rendered, or defines a block that no page shows
//   - a page of an extension has no sample data, or the name of another page
//   - a text has a key that no page uses, different formatting verbs from the English
//     text, or an unknown language
//   - a group, or a path in Replace, does not exist
//   - MaxInFlight is negative
//   - an extension has an endpoint at a path of the library's
//   - a form field of the host's applications has the name of a field of the library's
func NewHandler(provider *oauthkit.Provider, config Config) (*Handler, error) {
	h, err := newHandler(provider, config)
	if err != nil {
		return nil, fmt.Errorf("oauthhttp: %w", err)
	}
	return h, nil
}

func newHandler(provider *oauthkit.Provider, config Config) (*Handler, error) {
	pages, err := newPages(config, provider.Extensions())
	if err != nil {
		return nil, err
	}
	inFlight, err := newInFlight(provider, config.MaxInFlight)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		provider: provider, config: config, clients: newClientAuthentication(provider), pages: pages, inFlight: inFlight,
		routes: map[string]route{}, mux: http.NewServeMux(),
		crossOrigin: http.NewCrossOriginProtection(), stylesheet: stylesheetURL(provider.Prefix()),
	}
	if h.busy, err = h.newBusyAnswers(); err != nil {
		return nil, err
	}
	if err := h.checkFormPost(); err != nil {
		return nil, err
	}
	// A proxy may change the Host header, so the issuer's origin is trusted in any case.
	err = h.crossOrigin.AddTrustedOrigin(strings.TrimSuffix(provider.Issuer(), provider.Prefix()))
	if err != nil {
		return nil, err
	}
	if err := h.addEndpoints(); err != nil {
		return nil, err
	}
	return h, h.checkHostFields()
}

// addEndpoints fills the table and the mux.
func (h *Handler) addEndpoints() error {
	for _, endpoint := range slices.Concat(
		h.endpoints(), h.metadataEndpoints(), h.signOutEndpoints(), h.managementEndpoints(),
	) {
		h.routes[endpoint.Path] = endpoint
	}
	if err := h.addExtensions(); err != nil {
		return err
	}
	if err := h.checkGroups(); err != nil {
		return err
	}
	return h.addPatterns()
}

// endpoints returns the rows of the OAuth endpoints. A row says
// everything about an endpoint: routing, errors, cross-origin access and
// the metadata documents follow from it.
func (h *Handler) endpoints() []route {
	get, post := []string{http.MethodGet}, []string{http.MethodPost}
	getAndPost := slices.Concat(get, post)
	return []route{
		{page: true, Endpoint: oauthkit.Endpoint{
			Path: authorizePath, Methods: getAndPost, Anyone: h.authorize, Group: GroupBase,
			Metadata: "authorization_endpoint",
		}},
		{page: true, Endpoint: oauthkit.Endpoint{
			Path: "consent", Methods: getAndPost, Anyone: h.consent, Group: GroupBase,
		}},
		{authMethods: h.clients.methods, Endpoint: oauthkit.Endpoint{
			Path: "token", Methods: post, Application: h.token, Group: GroupBase,
			CrossOrigin: oauthkit.CrossOriginApplication, Metadata: "token_endpoint",
		}},
		{authMethods: h.introspectionAuthMethods(), tokenScope: oauthkit.IntrospectionScope, Endpoint: oauthkit.Endpoint{
			Path: "introspect", Methods: post, Application: h.introspect, Group: GroupBase,
			Metadata: "introspection_endpoint",
		}},
		{authMethods: h.clients.methods, Endpoint: oauthkit.Endpoint{
			Path: "revoke_token", Methods: post, Application: h.revoke, Group: GroupBase,
			CrossOrigin: oauthkit.CrossOriginApplication, Metadata: "revocation_endpoint",
		}},
		{Endpoint: oauthkit.Endpoint{
			Path: stylesheetPath, Methods: get, Anyone: serveStylesheet, InMemory: true,
		}},
	}
}

// ServeHTTP serves a request, with or without a slash at the end of its path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isClean(r.URL.EscapedPath()) {
		h.serveNotFound(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// errNotFound answers a request for an unknown path.
var errNotFound = wire.WithStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address").
	WithReason(oauthkit.ReasonNotFound))

// serveNotFound answers a request for an unknown path: in JSON below api/, and
// otherwise with a page.
func (h *Handler) serveNotFound(w http.ResponseWriter, r *http.Request) {
	wire.SetSecurityHeaders(w.Header())
	r = request.WithInfo(r)
	if strings.HasPrefix(r.URL.Path, h.provider.Prefix()+"/api/") {
		h.log(r, errNotFound)
		wire.WriteUserError(w, errNotFound)
		return
	}
	h.writeErrorPage(w, r, route{}, errNotFound)
}

// serve serves a request to an endpoint of the library or of an extension.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, found route) {
	if h.inFlight.isFull(found) && !hasTurn(r.Context(), h.inFlight) {
		h.writeBusy(w, r, found) // cheaply, before the body is read
		return
	}
	wire.SetSecurityHeaders(w.Header())
	if h.serveCrossOrigin(w, r, found) {
		return
	}
	if !found.allows(r.Method) {
		w.Header().Set("Allow", strings.Join(found.Methods, ", "))
		h.fail(w, request.WithInfo(r), found, wire.MethodNotAllowed(found.Methods))
		return
	}
	s := serving{context: detached{handler: h}}
	s.body.readAhead(r) // before the timeout begins
	r, end := s.begin(r, h.provider.Timeout())
	defer end()
	if !found.InMemory && !hasTurn(r.Context(), h.inFlight) {
		anonymous := h.isAnonymous(r, found, &s.body)
		if !h.inFlight.enter(r.Context(), anonymous) {
			h.writeBusy(w, r, found)
			return
		}
		s.response.turn, s.response.anonymous = h.inFlight, anonymous
		defer s.response.leave()
		s.context.turn = h.inFlight
	}
	s.response.ResponseWriter = w
	h.respond(&s.response, r, found)
}

// respond calls the endpoint and writes the error that it returns.
func (h *Handler) respond(w *response, r *http.Request, found route) {
	err := h.call(w, r, found)
	switch {
	case err == nil:
	case w.begun && request.AsPanic(err) != nil:
		request.RecordFailure(h.provider, r, found.Path, err)
		h.log(r, err)
		panic(http.ErrAbortHandler) // the client must not take half a response for a complete one
	default:
		h.fail(w, r, found, asTimeout(r.Context(), err))
	}
}

// serving is the state of a request, allocated together.
type serving struct {
	context  detached
	body     body
	response response
}

// begin returns the request for the endpoint. The caller must call end
// after the response.
func (s *serving) begin(r *http.Request, timeout time.Duration) (begun *http.Request, end context.CancelFunc) {
	s.context.Request = request.ContextWithInfo(r)
	ctx, cancel := request.WithTimeout(&s.context, r.Context(), timeout)
	r = r.WithContext(ctx)
	if s.body.rest != nil {
		r.Body = &s.body
	}
	return r, cancel
}

// call checks the caller and calls the endpoint. No other function checks a caller or
// calls an endpoint. It returns a panic as an error.
func (h *Handler) call(w http.ResponseWriter, r *http.Request, found route) (err error) {
	defer request.RecoverTo(&err)
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
	form, err := readForm(w, r, "resource") // RFC 8707 §2
	if err != nil {
		return err
	}
	h.allowOrigin(w, r, form, found)
	var app oauthkit.Application
	if h.acceptsToken(r, found) {
		app, err = h.authenticateByToken(w, r, form, found.tokenScope)
	} else {
		app, err = h.authenticateClient(r, form)
	}
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
	presented, err := wire.ReadToken(w, r, form, h.provider.KeyBindings())
	if err != nil {
		return err
	}
	token, err := h.provider.Authenticate(r.Context(), presented)
	if err != nil {
		return wire.RefusedToken(err)
	}
	if !token.Scopes.ContainsAll(requiredScopes(found.Scope)) {
		return wire.InsufficientScope()
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
	switch {
	case user == nil && !found.page:
		return errNotSignedIn
	case user == nil:
		return h.redirectToLogin(w, r, login{next: r.URL.RequestURI(), uiLocales: queryLocales(r)})
	default:
		return found.User(w, r, user)
	}
}

// fail writes an error in the format of the endpoint.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, found route, err error) {
	request.RecordFailure(h.provider, r, found.Path, err)
	switch {
	case found.page:
		h.writeErrorPage(w, r, found, err)
	case found.User != nil:
		h.log(r, err)
		wire.WriteUserError(w, err)
	case found.Bearer != nil:
		h.log(r, err)
		wire.WriteChallenge(w, r, err, wire.Challenge{Scopes: requiredScopes(found.Scope), Bindings: h.provider.KeyBindings()})
	case h.acceptsToken(r, found):
		h.log(r, err)
		wire.WriteChallenge(w, r, err, wire.Challenge{Scopes: requiredScopes(found.tokenScope), Bindings: h.provider.KeyBindings()})
	default:
		h.log(r, err)
		h.clients.challenge(w, r, err)
		wire.WriteError(w, err)
	}
}

func requiredScopes(scope string) oauthkit.Scopes {
	if scope == "" {
		return nil
	}
	return oauthkit.Scopes{scope}
}

// log logs failures at level error, and refusals at level debug.
func (h *Handler) log(r *http.Request, err error) {
	request.Log(h.provider.Logger(), r, err)
}
