package oauthhttp

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/oauthkit/oauthkit"
)

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
