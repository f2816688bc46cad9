package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Extension adds to a provider: endpoints, scopes, checks, members of the token
// response and of the metadata.
type Extension interface {
	// Extend registers the additions. New calls it once.
	Extend(registry *Registry) error
}

// Registry collects the additions of extensions. Use it only while Extend runs.
type Registry struct {
	provider *Provider
	errs     []error
}

// Provider returns the provider under construction. Its issuer, secret, clock and
// store can be used, its endpoints cannot.
func (r *Registry) Provider() *Provider { return r.provider }

// Secret returns Config.Secret.
func (r *Registry) Secret() string { return r.provider.config.Secret }

// AcceptSecrets returns Config.AcceptSecrets.
func (r *Registry) AcceptSecrets() []string { return slices.Clone(r.provider.config.AcceptSecrets) }

// Endpoint adds an endpoint. Its path must differ from those of other
// extensions and of the library; a host can replace an endpoint of the
// library through package http instead.
func (r *Registry) Endpoint(endpoint Endpoint) {
	if err := endpoint.check(); err != nil {
		r.errs = append(r.errs, err)
	}
	if slices.ContainsFunc(r.provider.endpoints, func(other Endpoint) bool { return other.Path == endpoint.Path }) {
		r.errs = append(r.errs, fmt.Errorf("endpoint %q: added twice", endpoint.Path))
	}
	r.provider.endpoints = append(r.provider.endpoints, endpoint)
}

// Scope adds a scope that applications may request, with a description for the
// consent page. A description in Config.Scopes takes precedence.
func (r *Registry) Scope(name, description string) {
	if !isScope(name) {
		r.errs = append(r.errs, fmt.Errorf("%q is not a scope (RFC 6749 §3.3)", name))
	}
	if _, exists := r.provider.scopes[name]; !exists {
		r.provider.scopes[name] = description
	}
}

// Responder adds a word of response_type. A response type with the word is supported
// only if [Config].ResponseTypes lists it.
func (r *Registry) Responder(responder Responder) {
	if responder == nil {
		r.errs = append(r.errs, errors.New("Responder: the responder is nil"))
		return
	}
	r.errs = append(r.errs, r.provider.addResponder(responder))
}

// ResolveAuthorize adds a function that is called for every authorization request,
// once its application is known and before its redirect URI is looked at. It may
// replace the parameters and set their Provenance, for example if request_uri names a
// pushed request (RFC 9126 §4). It must return nil if there is nothing to replace, as
// for a request that waited for its user and has its final parameters. Its error is
// shown to the user.
func (r *Registry) ResolveAuthorize(resolve func(ctx context.Context, source *AuthorizeSource) error) {
	if resolve == nil {
		r.errs = append(r.errs, errors.New("ResolveAuthorize: the function is nil"))
	}
	r.provider.authorizeResolvers = append(r.provider.authorizeResolvers, resolve)
}

// ValidateAuthorize adds a check of every authorization request, after the library's
// own checks. Its error is sent to the application.
func (r *Registry) ValidateAuthorize(check func(ctx context.Context, request *AuthorizeRequest) error) {
	r.provider.authorizeChecks = append(r.provider.authorizeChecks, check)
}

// AuthorizeParameters names the parameters of authorization requests that the
// extension reads in AuthorizeRequest.Form. Other parameters are dropped, so that a
// waiting request cannot be made larger than necessary.
func (r *Registry) AuthorizeParameters(names ...string) {
	for _, name := range names {
		r.provider.parameters[name] = true
	}
}

// DecorateToken adds a function that is called for every response of the token endpoint,
// before anything is consumed or stored. Its error ends the request without a trace. A
// [Responder] decides about the tokens of an authorization response.
func (r *Registry) DecorateToken(decorate func(ctx context.Context, issued *Issued) error) {
	r.provider.tokenDecorators = append(r.provider.tokenDecorators, decorate)
}

// NoticeReceiver adds a receiver of notices. The acts that end sessions and revoke
// access save a [Notice] for it, and [Run] delivers them. The store must be a
// [NoticeStore].
func (r *Registry) NoticeReceiver(receiver NoticeReceiver) {
	if receiver == nil {
		r.errs = append(r.errs, errors.New("NoticeReceiver: the receiver is nil"))
		return
	}
	r.errs = append(r.errs, r.provider.addReceiver(receiver))
}

// DecorateAuthorize adds a function that is called for every authorization response that
// contains what the application asked for, after the responders and before anything is
// stored. It may add parameters. Its error ends the request without a trace.
func (r *Registry) DecorateAuthorize(decorate func(ctx context.Context, request *AuthorizeRequest, answer *AuthorizeAnswer) error) {
	r.provider.authorizeDecorators = append(r.provider.authorizeDecorators, decorate)
}

// DecorateRefusal adds a function that is called for every error that the authorization
// endpoint sends to an application, with the request of the browser. It may add
// parameters. Scopes of the request are empty if the error is in an earlier parameter.
func (r *Registry) DecorateRefusal(decorate func(r *http.Request, request *AuthorizeRequest, parameters url.Values)) {
	r.provider.refusalDecorators = append(r.provider.refusalDecorators, decorate)
}

// ValidateSignOut adds a check of every request of an application to sign its user out
// (OpenID Connect RP-Initiated Logout 1.0 §2). The application that client_id names is
// known; post_logout_redirect_uri is checked afterwards, against the Application that the
// check leaves. The error is shown to the user, who stays signed in.
//
// Without such a check, the sign-out page takes no parameters.
func (r *Registry) ValidateSignOut(check func(ctx context.Context, request *SignOutRequest) error) {
	r.provider.signOutChecks = append(r.provider.signOutChecks, check)
}

// SessionCookie adds a function that returns a cookie about the session of a browser. It
// is set with each authorization response that contains what the application asked for,
// with the id of the session ([Provider.SessionID]), and with the empty id when the
// session ends. The cookie must not be a secret of the session.
func (r *Registry) SessionCookie(cookie func(sessionID string) *http.Cookie) {
	r.provider.sessionCookies = append(r.provider.sessionCookies, cookie)
}

// Metadata adds a function that adds members to the metadata documents (RFC 8414
// §2), after the library's own. They belong to a group, like an endpoint.
func (r *Registry) Metadata(group Group, add func(metadata map[string]any)) {
	r.provider.metadata = append(r.provider.metadata, metadataMembers{group, add})
}

// MetadataDocument serves the metadata under another name below .well-known, such as
// "openid-configuration". The name belongs to a group, like an endpoint.
func (r *Registry) MetadataDocument(group Group, name string) {
	r.provider.metadataDocuments = append(r.provider.metadataDocuments, MetadataDocument{group, name})
}

// extend runs the extensions, and the grants that are extensions.
func (p *Provider) extend() error {
	registry := &Registry{provider: p}
	for _, extension := range p.Extensions() {
		registry.errs = append(registry.errs, extension.Extend(registry))
	}
	return errors.Join(append(registry.errs, p.keyBindings.Validate())...)
}

// Endpoint is one row of the endpoint table. Exactly one of Anyone, Application, Bearer
// and User must be set: it says who may call the endpoint, and the handler checks that
// before it calls the function. An error of the function is answered in the form that
// suits the kind of caller; the function must not have written anything then.
//
// The context of the request ends at the deadline of Config.Timeout, not when the client
// hangs up. The first 64 KiB of a body are received before the time starts to run.
type Endpoint struct {
	// Path is relative to the issuer, without a leading slash.
	Path string
	// Methods are the HTTP methods. GET includes HEAD, except for User, because a
	// GET of a page may have effects.
	Methods []string
	// Group is the group of endpoints that this one belongs to. If empty, it is
	// served even if the host leaves out groups.
	Group Group
	// CrossOrigin tells which scripts of other origins may read the responses.
	CrossOrigin CrossOrigin
	// InMemory means that a response needs neither the store nor another server.
	// Such requests are served regardless of the number of requests in flight.
	InMemory bool
	// Metadata is the member of the metadata documents that holds the endpoint's
	// URL, such as "userinfo_endpoint". If empty, the endpoint is not published.
	Metadata string
	// Scope is the scope that the token of a Bearer endpoint must have. If empty,
	// any token is accepted.
	Scope string

	// Anyone handles requests of any caller. Only the method was
	// checked, and no body was read.
	Anyone func(w http.ResponseWriter, r *http.Request) error
	// Application handles requests of an authenticated application, as at the token
	// endpoint. Form is the body, with each parameter at most once except resource.
	Application func(w http.ResponseWriter, r *http.Request, form url.Values, app Application) error
	// Bearer handles requests that carry a valid access token with Scope.
	// Authorization.Subject is empty if the token was issued to the application
	// itself. The APIs that the token is for (RFC 8707) are not checked.
	Bearer func(w http.ResponseWriter, r *http.Request, token *AccessToken) error
	// User handles requests of a user who is signed in to the host, never nil, and
	// responds with a page. Other callers are sent to sign in. A request that is not
	// GET must have an Origin of this site; the form of the endpoint must prove that
	// the user meant to send it.
	User func(w http.ResponseWriter, r *http.Request, user *User) error
}

// Group is a group of endpoints that a host can leave out, such as "oidc".
type Group string

// CrossOrigin tells which scripts of other origins may read the responses of an
// endpoint (the CORS protocol of the Fetch standard). No response allows
// credentials, so browsers send no cookies with such requests.
type CrossOrigin int

// The values of [CrossOrigin].
const (
	// CrossOriginNone is for pages and for endpoints that only servers call.
	CrossOriginNone CrossOrigin = iota
	// CrossOriginAny is for endpoints that are public or require an access token.
	CrossOriginAny
	// CrossOriginApplication allows the origins of the application that the request
	// names (see [AllowsOrigin]). The endpoint must set Application.
	CrossOriginApplication
)

// check returns an error if the endpoint is invalid.
func (e Endpoint) check() error {
	callers := 0
	for _, set := range []bool{e.Anyone != nil, e.Application != nil, e.Bearer != nil, e.User != nil} {
		if set {
			callers++
		}
	}
	switch {
	case e.Path == "" || strings.Trim(e.Path, "/") != e.Path:
		return fmt.Errorf("endpoint %q: path must be relative to the issuer, without a slash at either end", e.Path)
	case len(e.Methods) == 0:
		return fmt.Errorf("endpoint %q: Methods is empty", e.Path)
	case callers != 1:
		return fmt.Errorf("endpoint %q: must set exactly one of Anyone, Application, Bearer and User", e.Path)
	case e.CrossOrigin == CrossOriginApplication && e.Application == nil:
		return fmt.Errorf("endpoint %q: CrossOriginApplication requires Application", e.Path)
	default:
		return nil
	}
}

// Endpoints returns the endpoints of the extensions.
func (p *Provider) Endpoints() []Endpoint { return slices.Clone(p.endpoints) }

// MetadataDocument is a name below .well-known of the metadata.
type MetadataDocument struct {
	Group Group
	Name  string
}

// MetadataDocuments returns the names below .well-known under which
// extensions serve the metadata.
func (p *Provider) MetadataDocuments() []MetadataDocument { return slices.Clone(p.metadataDocuments) }

// metadataMembers adds the members of a group to the metadata.
type metadataMembers struct {
	group Group
	add   func(metadata map[string]any)
}

// DecorateMetadata adds the members of extensions to the metadata, for
// the groups that are served.
func (p *Provider) DecorateMetadata(metadata map[string]any, serves func(Group) bool) {
	for _, members := range p.metadata {
		if serves(members.group) {
			members.add(metadata)
		}
	}
}

// DecorateRefusal lets extensions add parameters to an error for an application.
func (p *Provider) DecorateRefusal(r *http.Request, request *AuthorizeRequest, parameters url.Values) {
	for _, decorate := range p.refusalDecorators {
		decorate(r, request, parameters)
	}
}

// SessionCookies returns the cookies of extensions about the session of user. If user is
// nil, they are those of a browser whose session ended.
func (p *Provider) SessionCookies(user *User) []*http.Cookie {
	if len(p.sessionCookies) == 0 {
		return nil
	}
	id, cookies := p.SessionID(user), make([]*http.Cookie, len(p.sessionCookies))
	for i, cookie := range p.sessionCookies {
		cookies[i] = cookie(id)
	}
	return cookies
}

// Extensions returns the extensions, and before them the grants that are extensions.
func (p *Provider) Extensions() []Extension {
	var extensions []Extension
	for _, grant := range p.config.Grants {
		if extension, ok := grant.(Extension); ok {
			extensions = append(extensions, extension)
		}
	}
	return append(extensions, p.config.Extensions...)
}
