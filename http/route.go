package oauthhttp

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
)

// This file routes requests to the endpoints, and builds the addresses of endpoints.

// route is a row of the endpoint table.
type route struct {
	oauthkit.Endpoint
	// page says that people call the endpoint with a browser. Errors are pages, and
	// HEAD is refused because a GET may have effects.
	page bool
	// authMethods are the client authentication methods, for the metadata. If nil,
	// they are not announced.
	authMethods []string
	// tokenScope is a scope of tokens with which an application can authenticate,
	// instead of by its methods. It is set only if Application is. If empty, no token is
	// accepted.
	tokenScope string
	// rootPath is a second path of the endpoint, relative to the host. It may be empty.
	rootPath string
}

// isOpen reports whether requests carry no credentials of their own. Cookies do not
// count: only the host can judge them.
func (e route) isOpen() bool { return e.Anyone != nil || e.User != nil }

func (e route) allows(method string) bool {
	return slices.Contains(e.Methods, method) || method == http.MethodHead && !e.page && slices.Contains(e.Methods, http.MethodGet)
}

// addExtensions adds the endpoints of extensions to the table. An endpoint at a path of
// the library's would replace the library's checks of the caller, so it is an error.
func (h *Handler) addExtensions() error {
	own := http.NewServeMux()
	for path := range h.routes {
		own.Handle("/"+path, http.NotFoundHandler())
	}
	for _, endpoint := range h.provider.Endpoints() {
		_, taken := own.Handler(&http.Request{URL: &url.URL{Path: "/" + endpoint.Path}})
		if taken != "" {
			return fmt.Errorf("an extension has an endpoint at %q, which is a path of the library's", endpoint.Path)
		}
		added := route{Endpoint: endpoint, page: endpoint.User != nil}
		if endpoint.Application != nil {
			added.authMethods = h.clients.methods
		}
		h.routes[endpoint.Path] = added
	}
	return nil
}

// addPatterns adds the patterns of every served endpoint to the mux.
func (h *Handler) addPatterns() error {
	h.mux.HandleFunc("/", h.serveNotFound)
	for _, path := range h.Paths() {
		found, handler := h.routes[path], h.Endpoint(path)
		if replacement := h.config.Replace[path]; replacement != nil {
			handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				replacement.ServeHTTP(w, request.WithInfo(r))
			})
		}
		patterns := []string{h.provider.Prefix() + "/" + path}
		if found.rootPath != "" {
			patterns = append(patterns, found.rootPath)
		}
		for _, pattern := range patterns {
			if err := addPattern(h.mux, pattern, handler); err != nil {
				return fmt.Errorf("the endpoint %q: %w", path, err)
			}
		}
	}
	return nil
}

// addPattern adds a pattern with and without a slash at the end. ServeMux panics if
// a pattern is malformed or conflicts with another, which an extension's may.
func addPattern(mux *http.ServeMux, pattern string, handler http.Handler) (err error) {
	defer func() {
		if conflict := recover(); conflict != nil {
			err = fmt.Errorf("%v", conflict)
		}
	}()
	mux.Handle(pattern, handler)
	mux.Handle(pattern+"/{$}", handler)
	return nil
}

// isClean reports whether ServeMux takes a path unchanged. It would redirect others,
// which no endpoint has.
func isClean(escaped string) bool {
	return strings.HasPrefix(escaped, "/") && path.Clean(escaped) == strings.TrimSuffix(escaped, "/")
}

// path returns the path of an endpoint, with a slash at the end like Django OAuth
// Toolkit. It escapes the segments.
func (h *Handler) path(segments ...string) string {
	escaped := h.provider.Prefix()
	for _, segment := range segments {
		escaped += "/" + url.PathEscape(segment)
	}
	return escaped + "/"
}

// Group is a part of the handler that a host can leave out.
type Group = oauthkit.Group

// The library's groups. The stylesheet belongs to no group and is always served, and
// so is an extension's endpoint without a group.
const (
	// GroupBase is authorize, consent, logout, token, introspect and revoke_token.
	GroupBase Group = "base"
	// GroupMetadata is the metadata documents below /.well-known/.
	GroupMetadata Group = "metadata"
	// GroupOIDC is the endpoints of package oidc: userinfo, the key set, and the
	// metadata under the name openid-configuration.
	GroupOIDC Group = "oidc"
	// GroupManagement is the pages on which users manage applications and connected apps.
	GroupManagement Group = "management"
)

// serves reports whether the endpoints of a group are served.
func (h *Handler) serves(group Group) bool {
	return group == "" || h.config.Groups == nil || slices.Contains(h.config.Groups, group)
}

// Endpoint returns one endpoint of the library or of an extension, by its path
// relative to the issuer, such as "authorize". It returns nil if there is none.
//
// The handler does not depend on the address at which it is mounted, on
// Config.Groups or on Config.Replace. It sets security headers and checks origin and
// caller itself. Set a parameter of the path, such as {client_id}, with
// SetPathValue; http.ServeMux does that for the pattern it matched.
func (h *Handler) Endpoint(path string) http.Handler {
	found, exists := h.routes[path]
	if !exists {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, found) })
}

// Paths returns the paths of all served endpoints, relative to the issuer and
// sorted, as [Handler.Endpoint] takes them. The metadata documents are also served
// below /.well-known/ at the root of the host (RFC 8414 §3).
func (h *Handler) Paths() []string {
	var paths []string
	for path, found := range h.routes {
		if h.serves(found.Group) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// checkGroups returns an error if Config names a group or a path that does not exist.
func (h *Handler) checkGroups() error {
	groups := map[Group]bool{GroupBase: true, GroupMetadata: true, GroupOIDC: true, GroupManagement: true}
	for _, found := range h.routes {
		groups[found.Group] = true
	}
	for _, group := range h.config.Groups {
		if !groups[group] || group == "" {
			return fmt.Errorf("Config.Groups: group %q does not exist", group)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(h.config.Replace)) {
		found, exists := h.routes[path]
		if !exists || !h.serves(found.Group) || h.config.Replace[path] == nil {
			return fmt.Errorf("Config.Replace: %q is not the path of a served endpoint, or its handler is nil", path)
		}
	}
	return nil
}
