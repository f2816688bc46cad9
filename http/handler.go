// Package oauthhttp answers the requests of a provider: its endpoints, its pages, and the protection of the host's API.
//
// Follow a request from [Handler.ServeHTTP]: the table of endpoints says who may call each, one function makes sure of it,
// and the endpoint itself is a function that calls its steps in the order of its specification.
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
)

// Config is what the host answers. The zero value signs nobody in.
type Config struct {
	// CurrentUser returns who is signed in to the host, and nil when nobody is or a sign-in is not complete. An error is
	// answered with 503. Nil: nobody ever is.
	CurrentUser func(r *http.Request) (*oauthkit.User, error)
	// LoginURL is the host's login page. The browser is sent there with a parameter next, a path to return to, which
	// [ReturnPath] reads safely, and with prompt=login where somebody is signed in and has to sign in anew, or as somebody
	// else: the page must then ask. It gets ui_locales as well, languages in the order of preference, where the request has it (OpenID
	// Connect Core §3.1.2.1). Empty: there is none, and whoever is not signed in gets an error page.
	LoginURL string
	// HomeURL is where people go on, by a link on the pages that manage something, that sign out, and that tell of an error. Empty: no
	// link.
	HomeURL string
	// SignOut ends the host's own session: it deletes the row and the cookie, by a header. It must not write a status or a body, and
	// where it returns an error, which is answered with 503, the session must be as it was. Nil: the page logout is not there.
	SignOut func(w http.ResponseWriter, r *http.Request) error
	// ConsentRows returns what the consent page shows of an application beside the library's own. Nil: nothing. Use
	// [ConsentRowsFor] to be given the host's own type.
	ConsentRows func(ctx context.Context, app oauthkit.Application) []ConsentRow
	// UserChoosesScopes lets the user approve some of the scopes that are asked for. False: all or nothing.
	UserChoosesScopes bool

	// Applications are what users manage on the pages below applications/, and in JSON below api/applications. Nil: those pages
	// are not there.
	Applications *oauthkit.Applications
	// Authorizations are what users see and withdraw on the pages below authorized_tokens/, and in JSON below
	// api/authorized_tokens. Nil: those pages are not there.
	Authorizations *oauthkit.Authorizations

	// Templates replaces pages, the layout around them, and single blocks of both, by files named as in the library's folder
	// http/templates. consent.html takes the place of that page, layout.html of the layout; of parts.html each block that it
	// defines takes the place of the library's. What a page's data is, its type says, such as [ConsentPage]. Headers and the
	// protection of forms are not the templates' and stay. Folders and files that begin with a dot are ignored; any other file must
	// have one of those names. Nil: none.
	Templates fs.FS
	// Texts adds languages to the pages, and changes single texts, by BCP 47 tag and key. The key scope.NAME is what a scope means,
	// in place of what the provider's scopes say. Nil: none.
	Texts map[string]Texts

	// MaxInFlight is how many requests are answered at the same time. More of them wait, in the
	// order in which they came: up to 640, each for up to a second. The rest is answered with
	// 503 and Retry-After, and told of by one [oauthkit.RequestsRefused] a second. If MaxInFlight
	// is zero, it is the number of connections that the store has at most, as an
	// [oauthkit.ConnectionPool] says, but not less than 4, and 128 if that is unlimited or unknown.
	// Set it higher if CurrentUser or another function of yours takes longer than the database.
	//
	// Requests that cost a stranger nothing, to the authorization endpoint and all other pages, to
	// what users are served in JSON, and to the token endpoint without client credentials, hold at
	// most half of the connections together, and at most half of MaxInFlight. Documents that are
	// served from memory, such as the metadata, always are. Requests to the host's own API are not
	// counted, and neither is an answer whose body is being sent.
	MaxInFlight int

	// Groups are what is served; the metadata documents announce nothing else. Nil: everything.
	Groups []Group
	// Replace holds handlers of the host's that take the place of single endpoints, by path relative to the issuer, such as
	// "authorize". They are called as they are, for every method, before anything is checked or any header set, and can go on
	// with [Handler.Endpoint]. Nil: none.
	Replace map[string]http.Handler
}

// Handler serves everything below the issuer's path, and the documents that RFC 8414 §3 puts below /.well-known/. It matches
// whole paths, so mount it without stripping a prefix, under any router.
type Handler struct {
	provider    *oauthkit.Provider
	config      Config
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
//   - a text has a key that no page uses, other verbs than the English text, or an
//     unknown language
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
	pages, err := newPages(config.Texts, config.Templates)
	if err != nil {
		return nil, err
	}
	inFlight, err := newInFlight(provider, config.MaxInFlight)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		provider: provider, config: config, pages: pages, inFlight: inFlight,
		routes: map[string]route{}, mux: http.NewServeMux(),
		crossOrigin: http.NewCrossOriginProtection(), stylesheet: stylesheetURL(provider.Prefix()),
	}
	if h.busy, err = h.newBusyAnswers(); err != nil {
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

// endpoints returns the rows of the OAuth endpoints. A row says everything about an endpoint:
// routing, errors, cross-origin access and the metadata documents follow from it.
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
		{authMethods: authMethods(), Endpoint: oauthkit.Endpoint{
			Path: "token", Methods: post, Application: h.token, Group: GroupBase,
			CrossOrigin: oauthkit.CrossOriginApplication, Metadata: "token_endpoint",
		}},
		{authMethods: secretMethods(), Endpoint: oauthkit.Endpoint{
			Path: "introspect", Methods: post, Application: h.introspect, Group: GroupBase,
			Metadata: "introspection_endpoint",
		}},
		{authMethods: authMethods(), Endpoint: oauthkit.Endpoint{
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

// serveNotFound answers a request for an unknown path: in JSON below api/, and otherwise with
// a page.
func (h *Handler) serveNotFound(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	r = withRequestInfo(r)
	if strings.HasPrefix(r.URL.Path, h.provider.Prefix()+"/api/") {
		h.log(r, errNotFound)
		writeUserError(w, r, errNotFound)
		return
	}
	h.writeErrorPage(w, r, route{}, errNotFound)
}

// serve answers a request to an endpoint of ours.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, found route) {
	if h.inFlight.isFull(found) && !hasTurn(r.Context(), h.inFlight) {
		h.writeBusy(w, r, found) // before anything was spent on it
		return
	}
	setSecurityHeaders(w.Header())
	if serveCrossOrigin(w, r, found) {
		return
	}
	if !found.allows(r.Method) {
		w.Header().Set("Allow", strings.Join(found.Methods, ", "))
		h.fail(w, withRequestInfo(r), found, wrongMethod(found.Methods))
		return
	}
	var begun serving
	begun.body.readAhead(r) // before the time begins to run
	r, end := begun.begin(r, h.provider.Timeout())
	defer end()
	if !found.InMemory && !hasTurn(r.Context(), h.inFlight) {
		stranger := isStrangers(r, found, &begun.body)
		if !h.inFlight.enter(r.Context(), stranger) {
			h.writeBusy(w, r, found)
			return
		}
		begun.answer.turn, begun.answer.stranger = h.inFlight, stranger
		defer begun.answer.leave()
		begun.context.turn = h.inFlight
	}
	begun.answer.ResponseWriter = w
	h.answer(&begun.answer, r, found)
}

// answer calls the endpoint, and answers in its place if it fails.
func (h *Handler) answer(w *answer, r *http.Request, found route) {
	err := h.call(w, r, found)
	switch {
	case err == nil:
	case w.begun && asPanic(err) != nil:
		recordFailure(h.provider, r, found.Path, err)
		h.log(r, err)
		panic(http.ErrAbortHandler) // so that the client does not take half an answer for a whole one
	default:
		h.fail(w, r, found, timely(r.Context(), err))
	}
}

// serving is a request that is being answered.
type serving struct {
	context detached
	body    body
	answer  answer
}

// begin returns the request as the endpoint gets it. End must be called when it was answered.
func (s *serving) begin(r *http.Request, timeout time.Duration) (begun *http.Request, end context.CancelFunc) {
	s.context.request = contextWithRequestInfo(r)
	ctx, cancel := s.context.within(timeout)
	r = r.WithContext(ctx)
	if s.body.rest != nil {
		r.Body = &s.body
	}
	return r, cancel
}

// call makes sure that the caller is who the endpoint is for, and calls it. It is the only place that does. A panic is its error.
func (h *Handler) call(w http.ResponseWriter, r *http.Request, found route) (err error) {
	defer recoverTo(&err)
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
	token, err := authenticateBearer(r.Context(), h.provider, r.Header, form, requiredScopes(found.Scope))
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
	switch {
	case user == nil && !found.page:
		return errNotSignedIn
	case user == nil:
		return h.redirectToLogin(w, r, login{next: r.URL.RequestURI(), uiLocales: askedLocales(r)})
	default:
		return found.User(w, r, user)
	}
}

// fail answers in the form that suits who calls.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, found route, err error) {
	recordFailure(h.provider, r, found.Path, err)
	switch {
	case found.page:
		h.writeErrorPage(w, r, found, err)
	case found.User != nil:
		h.log(r, err)
		writeUserError(w, r, err)
	case found.Bearer != nil:
		h.log(r, err)
		writeChallenge(w, r, err, requiredScopes(found.Scope), "")
	default:
		h.log(r, err)
		writeError(w, r, err)
	}
}

func requiredScopes(scope string) oauthkit.Scopes {
	if scope == "" {
		return nil
	}
	return oauthkit.Scopes{scope}
}
