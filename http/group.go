package oauthhttp

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Group is a part of the handler that a host can leave out.
type Group string

// The groups. The stylesheet belongs to none: it is served with any of them.
const (
	// GroupBase is authorize, consent, logout, token, introspect and revoke_token.
	GroupBase Group = "base"
	// GroupMetadata is the metadata documents below /.well-known/.
	GroupMetadata Group = "metadata"
	// GroupOIDC is what extensions add: with package oidc, userinfo, the key set and the name openid-configuration.
	GroupOIDC Group = "oidc"
	// GroupManagement is the pages on which people manage applications and what they have allowed.
	GroupManagement Group = "management"
)

func groups() []Group { return []Group{GroupBase, GroupMetadata, GroupOIDC, GroupManagement} }

// serves reports whether an endpoint is there. One of no group always is.
func (h *Handler) serves(group Group) bool {
	return group == "" || h.config.Groups == nil || slices.Contains(h.config.Groups, group)
}

// Endpoint returns one endpoint of the library or of an extension as a handler of its own, by its path relative to the issuer,
// such as "authorize"; nil where there is none. It answers at whatever address it is mounted, whether or not its group is served,
// and is never what Config.Replace holds for it. Security headers, origin checks and who may call are its own. A parameter of its
// path, such as {client_id}, must have been set with SetPathValue, as http.ServeMux does for the pattern that it has matched.
func (h *Handler) Endpoint(path string) http.Handler {
	found, known := h.routes[h.provider.Prefix()+"/"+path]
	if !known {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, found) })
}

// Paths returns the paths of everything that is served, relative to the issuer and sorted, as [Handler.Endpoint] takes them. The
// metadata documents are also below /.well-known/ at the root of the host (RFC 8414 §3).
func (h *Handler) Paths() []string {
	paths := map[string]bool{}
	for _, found := range h.routes {
		if h.serves(found.group) {
			paths[found.Path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// checkGroups returns an error if Config names a group or a path that does not exist.
func (h *Handler) checkGroups() error {
	for _, group := range h.config.Groups {
		if !slices.Contains(groups(), group) {
			return fmt.Errorf("Config.Groups: group %q does not exist", group)
		}
	}
	for path, replacement := range h.config.Replace {
		found, known := h.routes[h.provider.Prefix()+"/"+path]
		if !known || !h.serves(found.group) || replacement == nil {
			return fmt.Errorf("Config.Replace: %q is not the path of a served endpoint, or its handler is nil", path)
		}
	}
	return nil
}
