package oauthkit

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Resource indicators (RFC 8707) restrict a token to certain APIs.

// HasResources reports whether Config.Resources is not empty.
func (p *Provider) HasResources() bool { return len(p.config.Resources) > 0 }

// ResourceChooser is an [Application] that chooses the APIs that its tokens are for.
type ResourceChooser interface {
	// AllowsResource reports whether the application may request a token for an API. It
	// is called only for those in Config.Resources.
	AllowsResource(resource string) bool
	// ResourcesByDefault returns the APIs of a request that names none. If empty, its
	// token is not restricted to certain APIs.
	ResourcesByDefault() URIs
}

// AllowsResource reports whether app may request a token for an API of the provider. If
// app is not a [ResourceChooser], it returns true.
func AllowsResource(app Application, resource string) bool {
	chooser, ok := app.(ResourceChooser)
	return !ok || chooser.AllowsResource(resource)
}

// resourcesByDefault returns the APIs of a request of app that names none. If app is
// not a [ResourceChooser], it returns none.
func resourcesByDefault(app Application) URIs {
	if chooser, ok := app.(ResourceChooser); ok {
		return chooser.ResourcesByDefault()
	}
	return nil
}

// maxResources is the maximum number of resources in a request.
const maxResources = 10

// requestedResources returns the resources of a request: the named ones, or the defaults
// of app.
func (p *Provider) requestedResources(ctx context.Context, app Application, form url.Values) (URIs, error) {
	named, err := p.namedResources(app, form)
	if err != nil || len(named) > 0 {
		return named, err
	}
	return p.defaultResources(ctx, app)
}

// namedResources reads the resource parameters (RFC 8707 §2). Each must be one of
// Config.Resources, byte by byte, and allowed to app.
func (p *Provider) namedResources(app Application, form url.Values) (URIs, error) {
	var resources URIs
	for _, resource := range form["resource"] {
		if resource != "" && !slices.Contains(resources, resource) {
			resources = append(resources, resource)
		}
	}
	if len(resources) > maxResources {
		return nil, Errorf(InvalidTarget, "there are more than %d resources", maxResources)
	}
	for _, resource := range resources {
		switch {
		case !slices.Contains(p.config.Resources, resource):
			return nil, Errorf(InvalidTarget, "a resource is not one of this provider's APIs")
		case !AllowsResource(app, resource):
			return nil, Errorf(InvalidTarget, "a resource is not among the resources of the application")
		}
	}
	return resources, nil
}

// defaultResources returns the defaults of app. An unknown one is refused and not left
// out: without it, the token could be valid at more APIs.
func (p *Provider) defaultResources(ctx context.Context, app Application) (URIs, error) {
	defaults := resourcesByDefault(app)
	for _, resource := range defaults {
		if !p.servesResource(app, resource) {
			p.config.Logger.WarnContext(ctx, "a default resource of an application does not exist or is not allowed",
				"client_id", app.GetID(), "resource", resource)
			return nil, Errorf(InvalidTarget, "the default_resources of the application are not all among this provider's APIs and its resources")
		}
	}
	return slices.Clone(defaults), nil
}

// servesResource reports whether app may get a token for the API.
func (p *Provider) servesResource(app Application, resource string) bool {
	return slices.Contains(p.config.Resources, resource) && AllowsResource(app, resource)
}

// resources returns the resources of the access token: those of the token request, which
// must be among those of the Authorization, or, if it names none, all of the
// Authorization's (RFC 8707 §2.2). An application without a user, which has requested
// nothing before, gets its defaults.
func (r *TokenRequest) resources(ctx context.Context, authorization *Authorization) (URIs, error) {
	if authorization.Subject == "" && len(authorization.Resources) == 0 {
		return r.provider.requestedResources(ctx, r.Application, r.Form)
	}
	requested, err := r.provider.namedResources(r.Application, r.Form)
	switch {
	case err != nil:
		return nil, err
	case len(requested) == 0:
		return r.remainingResources(authorization)
	case len(authorization.Resources) > 0 && !containsAll(authorization.Resources, requested):
		return nil, Errorf(InvalidTarget, "a resource is not one of those that were allowed")
	default:
		return requested, nil
	}
}

// remainingResources returns the resources of the Authorization that the application
// may still have, and an error if none is left: a token for none would not be restricted.
func (r *TokenRequest) remainingResources(authorization *Authorization) (URIs, error) {
	allowed := func(resource string) bool { return AllowsResource(r.Application, resource) }
	forbidden := func(resource string) bool { return !allowed(resource) }
	switch {
	case !slices.ContainsFunc(authorization.Resources, forbidden):
		return authorization.Resources, nil
	case !slices.ContainsFunc(authorization.Resources, allowed):
		return nil, Errorf(InvalidTarget, "the application may not have the allowed resources any more")
	default:
		return slices.DeleteFunc(slices.Clone(authorization.Resources), forbidden), nil
	}
}

// isResource reports whether resource is a valid resource indicator: an absolute URI
// without a fragment (RFC 8707 §2).
func isResource(resource string) bool {
	uri, err := url.Parse(resource)
	return err == nil && uri.IsAbs() && (uri.Host != "" || uri.Opaque != "") && uri.User == nil && !strings.ContainsAny(resource, "# ")
}

// validateResources adds the problems of the lists of resources. Only a provider knows
// which resources exist.
func (a *AbstractApplication) validateResources(problems *Problems) {
	for _, list := range []struct {
		field     string
		resources URIs
	}{{"resources", a.Resources}, {"default_resources", a.DefaultResources}} {
		for _, resource := range list.resources {
			if !isResource(resource) || strings.ContainsFunc(resource, notVisible) {
				problems.Add(list.field, "%q: must be an absolute URI without fragment (RFC 8707 §2)", resource)
			}
		}
	}
	if len(a.DefaultResources) > maxResources {
		problems.Add("default_resources", "must not have more than %d entries", maxResources)
	}
	for _, resource := range a.DefaultResources {
		if len(a.Resources) > 0 && !slices.Contains(a.Resources, resource) {
			problems.Add("default_resources", "%q is not among resources", resource)
		}
	}
}
