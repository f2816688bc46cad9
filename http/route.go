package oauthhttp

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// This file says which endpoints there are beside the library's, finds that of a request, and the address of one.

// route is an endpoint as it is served.
type route struct {
	oauthkit.Endpoint
	group Group
	// page says that people call it, with a browser: errors are pages, and HEAD, which would have effects, is refused.
	page bool
	// memory says that what it answers is in memory, so that it waits for nothing.
	memory bool
}

// isOpen reports whether no request says by itself that its sender may call.
func (e route) isOpen() bool { return e.Anyone != nil || e.User != nil }

func (e route) allows(method string) bool {
	return slices.Contains(e.Methods, method) || method == http.MethodHead && !e.page && slices.Contains(e.Methods, http.MethodGet)
}

// addExtensions adds the endpoints of extensions. One at a path of ours would take its place together with who may call it.
func (h *Handler) addExtensions() error {
	own := slices.Collect(maps.Values(h.routes))
	for _, endpoint := range h.provider.Endpoints() {
		path := h.provider.Prefix() + "/" + endpoint.Path
		_, taken := h.routes[path]
		if taken || slices.ContainsFunc(own, func(ours route) bool { _, meets := matchPath(ours.Path, endpoint.Path); return meets }) {
			return fmt.Errorf("an extension has an endpoint at %q, which is a path of the library's", endpoint.Path)
		}
		h.routes[path] = route{Endpoint: endpoint, group: GroupOIDC, page: endpoint.User != nil, memory: endpoint.Metadata == "jwks_uri"}
	}
	return nil
}

// find returns the endpoint of a request. A parameter of a path is a whole segment as it was sent, so that a client_id may
// have an escaped slash in it; what stands for it is then r.PathValue.
func (h *Handler) find(r *http.Request) (found route, known bool) {
	escaped := strings.Count(r.URL.EscapedPath(), "/") != strings.Count(r.URL.Path, "/") // a slash, which others may not take for one
	if found, known = h.routes[strings.TrimSuffix(r.URL.Path, "/")]; known && !escaped && !strings.Contains(found.Path, "{") {
		return found, true
	}
	path, below := strings.CutPrefix(strings.TrimSuffix(r.URL.EscapedPath(), "/"), h.provider.Prefix()+"/")
	if !below {
		return route{}, false
	}
	for _, candidate := range h.routes {
		if values, ok := matchPath(candidate.Path, path); ok {
			for name, value := range values {
				r.SetPathValue(name, value)
			}
			return candidate, true
		}
	}
	return route{}, false
}

// matchPath returns the values of the parameters of a pattern such as "applications/{client_id}". A pattern without any matches
// nothing: such a path is in the table as it is.
func matchPath(pattern, path string) (values map[string]string, ok bool) {
	names, segments := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(names) != len(segments) || !strings.Contains(pattern, "{") {
		return nil, false
	}
	values = map[string]string{}
	for i, name := range names {
		value, err := url.PathUnescape(segments[i])
		parameter := strings.HasPrefix(name, "{")
		switch {
		case err != nil, value == "", !parameter && value != name:
			return nil, false
		case parameter:
			values[strings.Trim(name, "{}")] = value
		}
	}
	return values, true
}

// path returns the address of an endpoint below the issuer, with a slash at the end as Django OAuth Toolkit has it. Segments are
// escaped.
func (h *Handler) path(segments ...string) string {
	escaped := h.provider.Prefix()
	for _, segment := range segments {
		escaped += "/" + url.PathEscape(segment)
	}
	return escaped + "/"
}
