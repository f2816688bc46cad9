package oauthkit

import (
	"net/url"
	"slices"
	"strings"
)

// This file holds resource indicators (RFC 8707): which APIs a token is for.

// maxResources is the number of resources that a request may name.
const maxResources = 10

// HasResources reports whether there are APIs that a request can name, those in Config.Resources.
func (p *Provider) HasResources() bool { return len(p.config.Resources) > 0 }

// parseResources reads the resource parameters (RFC 8707 §2). Every one must be one of Config.Resources, byte by byte.
func (p *Provider) parseResources(form url.Values) (URIs, error) {
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
		if !slices.Contains(p.config.Resources, resource) {
			return nil, Errorf(InvalidTarget, "a resource is not one of this provider's APIs")
		}
	}
	return resources, nil
}

// resources returns those of the access token: what the token request names, which must not be more than what was allowed, or
// all of that (RFC 8707 §2.2).
func (r *TokenRequest) resources(authorization *Authorization) (URIs, error) {
	asked, err := r.provider.parseResources(r.Form)
	switch {
	case err != nil:
		return nil, err
	case len(asked) == 0:
		return authorization.Resources, nil
	case len(authorization.Resources) > 0 && !authorization.Resources.ContainsAll(asked):
		return nil, Errorf(InvalidTarget, "a resource is not one of those that were allowed")
	default:
		return asked, nil
	}
}

// isResource reports whether resource can be a resource indicator: an absolute URI without a fragment (RFC 8707 §2).
func isResource(resource string) bool {
	uri, err := url.Parse(resource)
	return err == nil && uri.IsAbs() && (uri.Host != "" || uri.Opaque != "") && uri.User == nil && !strings.ContainsAny(resource, "# ")
}
