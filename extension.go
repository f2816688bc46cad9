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

// Extension adds to a provider: endpoints, scopes, checks, members of the token response and of the metadata.
type Extension interface {
	// Extend is called once, by New.
	Extend(registry *Registry) error
}

// Endpoint is one row of the endpoint table. Exactly one of Anyone, Application, Bearer and User is set: it says who may
// call, and the handler makes sure of it before it is called. An error that it returns is answered in the form that suits
// the kind of caller; nothing may have been written then.
//
// The context of the request ends at the deadline of [Config] Timeout and not when the client hangs
// up. Of a body the first 64 KiB were received before the time began to run.
type Endpoint struct {
	// Path is relative to the issuer, without a leading slash.
	Path string
	// Methods are the HTTP methods; HEAD comes with GET, except for User, where a GET may have effects.
	Methods []string
	// Group is the part of the HTTP handler that the endpoint belongs to. If empty, it is served
	// whatever groups a host leaves out.
	Group Group
	// CrossOrigin says which scripts of other origins may read the responses.
	CrossOrigin CrossOrigin
	// InMemory says that a response needs neither the store nor another server. Such requests
	// are answered however many others are in flight.
	InMemory bool
	// Metadata is the member of the metadata documents that holds the endpoint's URL, such as "userinfo_endpoint". Empty:
	// the endpoint is not announced.
	Metadata string
	// Scope is what the token of a Bearer endpoint must have. Empty: any token will do.
	Scope string

	// Anyone answers whoever calls: nothing was checked but the method, and no body was read.
	Anyone func(w http.ResponseWriter, r *http.Request) error
	// Application answers an application that has authenticated, as at the token endpoint. Form is the body, each parameter at most
	// once except resource.
	Application func(w http.ResponseWriter, r *http.Request, form url.Values, app Application) error
	// Bearer answers who has an access token that is valid now and has Scope. Whose it is, Authorization.Subject says; empty: the
	// application's own. The APIs that the token is for (RFC 8707) are not looked at.
	Bearer func(w http.ResponseWriter, r *http.Request, token *AccessToken) error
	// User answers who is signed in to the host, never nil, with a page; others are sent to sign in. What is not GET must come from
	// this site, by its Origin; whether the user meant it, the endpoint's own form has to prove.
	User func(w http.ResponseWriter, r *http.Request, user *User) error
}

// Group is a part of the HTTP handler that a host can leave out, such as "oidc".
type Group string

// CrossOrigin says which scripts of other origins may read the responses of an endpoint (the
// CORS protocol of the Fetch standard). No response allows credentials, so browsers send no
// cookies with such requests.
type CrossOrigin int

const (
	// CrossOriginNone is for pages and for endpoints that only servers call.
	CrossOriginNone CrossOrigin = iota
	// CrossOriginAny is for endpoints that are public or require an access token.
	CrossOriginAny
	// CrossOriginApplication allows the origins of the application that the request names
	// (see [AllowsOrigin]). The endpoint must set Application.
	CrossOriginApplication
)

// check returns what is wrong with the endpoint.
func (e Endpoint) check() error {
	callers := 0
	for _, set := range []bool{e.Anyone != nil, e.Application != nil, e.Bearer != nil, e.User != nil} {
		if set {
			callers++
		}
	}
	switch {
	case e.Path == "" || strings.Trim(e.Path, "/") != e.Path:
		return fmt.Errorf("endpoint %q: the path must be relative to the issuer, without a slash at either end", e.Path)
	case len(e.Methods) == 0:
		return fmt.Errorf("endpoint %q: name its HTTP methods", e.Path)
	case callers != 1:
		return fmt.Errorf("endpoint %q: set exactly one of Anyone, Application, Bearer and User", e.Path)
	case e.CrossOrigin == CrossOriginApplication && e.Application == nil:
		return fmt.Errorf("endpoint %q: CrossOriginApplication requires Application", e.Path)
	default:
		return nil
	}
}

// Registry collects what extensions add. It is of use only while Extend runs.
type Registry struct {
	provider *Provider
	errs     []error
}

// Provider returns the provider that is being made. Its issuer, secret, clock and store can be used, its endpoints not yet.
func (r *Registry) Provider() *Provider { return r.provider }

// Secret returns Config.Secret.
func (r *Registry) Secret() string { return r.provider.config.Secret }

// Endpoint adds an endpoint. No other extension and no part of the library may have an endpoint
// at its path. A host can replace an endpoint of the library with oauthhttp.Config.Replace.
func (r *Registry) Endpoint(endpoint Endpoint) {
	if err := endpoint.check(); err != nil {
		r.errs = append(r.errs, err)
	}
	if slices.ContainsFunc(r.provider.endpoints, func(other Endpoint) bool { return other.Path == endpoint.Path }) {
		r.errs = append(r.errs, fmt.Errorf("endpoint %q: there are two", endpoint.Path))
	}
	r.provider.endpoints = append(r.provider.endpoints, endpoint)
}

// Scope adds a scope that applications may be allowed, with what it means in words for the consent page. The host's words
// in Config.Scopes win.
func (r *Registry) Scope(name, description string) {
	if !isScope(name) {
		r.errs = append(r.errs, fmt.Errorf("%q is not a scope (RFC 6749 §3.3)", name))
	}
	if _, exists := r.provider.scopes[name]; !exists {
		r.provider.scopes[name] = description
	}
}

// ValidateAuthorize adds a check of every authorization request, after the library's own. An error is sent to the
// application.
func (r *Registry) ValidateAuthorize(check func(ctx context.Context, request *AuthorizeRequest) error) {
	r.provider.authorizeChecks = append(r.provider.authorizeChecks, check)
}

// AuthorizeParameters names parameters of authorization requests that the extension reads in
// AuthorizeRequest.Form. Parameters that have no name here are dropped, so that strangers cannot make a
// request that waits larger than it needs to be.
func (r *Registry) AuthorizeParameters(names ...string) {
	for _, name := range names {
		r.provider.parameters[name] = true
	}
}

// DecorateToken adds to every token response, before anything is consumed or stored; an error ends the request without a
// trace.
func (r *Registry) DecorateToken(decorate func(ctx context.Context, issued *Issued) error) {
	r.provider.tokenDecorators = append(r.provider.tokenDecorators, decorate)
}

// Metadata adds members to the metadata documents (RFC 8414 §2), after the library's own. They
// belong to a group, like an endpoint.
func (r *Registry) Metadata(group Group, add func(metadata map[string]any)) {
	r.provider.metadata = append(r.provider.metadata, metadataMembers{group, add})
}

// MetadataDocument serves the metadata under another name below .well-known, such as
// "openid-configuration". The name belongs to a group, like an endpoint.
func (r *Registry) MetadataDocument(group Group, name string) {
	r.provider.metadataDocuments = append(r.provider.metadataDocuments, MetadataDocument{group, name})
}

// MetadataDocument is a name below .well-known of the metadata.
type MetadataDocument struct {
	Group Group
	Name  string
}

// metadataMembers adds the members of a group to the metadata.
type metadataMembers struct {
	group Group
	add   func(metadata map[string]any)
}

// extend runs the extensions, and the grants that are extensions too.
func (p *Provider) extend() error {
	registry := &Registry{provider: p}
	for _, grant := range p.config.Grants {
		if extension, ok := grant.(Extension); ok {
			registry.errs = append(registry.errs, extension.Extend(registry))
		}
	}
	for _, extension := range p.config.Extensions {
		registry.errs = append(registry.errs, extension.Extend(registry))
	}
	return errors.Join(registry.errs...)
}
