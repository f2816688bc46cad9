package oauthhttp

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// metadataEndpoints returns a row for each name of the metadata. A document is
// served below the issuer, for OpenID Connect Discovery §4, and at the root of the
// host with the issuer's path behind the name, for RFC 8414 §3.
func (h *Handler) metadataEndpoints() []route {
	names := []string{"oauth-authorization-server"}
	for _, document := range h.provider.MetadataDocuments() {
		if h.serves(document.Group) {
			names = append(names, document.Name)
		}
	}
	var routes []route
	for _, name := range names {
		document := route{Endpoint: oauthkit.Endpoint{
			Path: ".well-known/" + name, Methods: []string{http.MethodGet}, Anyone: h.metadata, Group: GroupMetadata,
			CrossOrigin: oauthkit.CrossOriginAny, InMemory: h.provider.HasStaticScopes(),
		}}
		if prefix := h.provider.Prefix(); prefix != "" {
			document.rootPath = "/.well-known/" + name + prefix
		}
		routes = append(routes, document)
	}
	return routes
}

// metadata serves the document (RFC 8414 §3.2). It changes only if the scopes do.
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) error {
	description, err := h.describe(r.Context())
	if err != nil {
		return err
	}
	document, err := json.Marshal(description)
	if err != nil { // an extension added a member that cannot be encoded
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", wire.MetadataCacheControl)
	_, _ = w.Write(document)
	return nil
}

// describe returns the metadata (RFC 8414 §2), derived from the
// endpoint table and the provider.
func (h *Handler) describe(ctx context.Context) (map[string]any, error) {
	scopes, err := h.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, err
	}
	document := map[string]any{
		"issuer":                   h.provider.Issuer(),
		"scopes_supported":         slices.Sorted(maps.Keys(scopes)),
		"response_types_supported": h.provider.ResponseTypes(),
		"response_modes_supported": oauthkit.ResponseModes(),
		"grant_types_supported":    h.provider.GrantTypes(),
		"authorization_response_iss_parameter_supported": true, // RFC 9207 §3
	}
	h.describeEndpoints(document)
	if h.serves(GroupBase) { // which has the pages that ui_locales is for
		document["ui_locales_supported"] = slices.Clone(h.pages.catalogue.languages)
	}
	if h.acceptsSignOutRequests() { // OpenID Connect Front-Channel Logout 1.0 §3
		document["frontchannel_logout_supported"] = true
		document["frontchannel_logout_session_supported"] = true
	}
	h.provider.DecorateMetadata(document, h.serves)
	h.describeSignUp(document)
	maps.DeleteFunc(document, func(_ string, member any) bool { // RFC 8414 §3.2
		value := reflect.ValueOf(member)
		return value.Kind() == reflect.Slice && value.Len() == 0
	})
	return document, nil
}

// describeSignUp adds create to the values of prompt if the host has a page for it
// (Initiating User Registration via OpenID Connect 1.0 §4.2). Without an extension that
// reads prompt, there are none.
func (h *Handler) describeSignUp(document map[string]any) {
	const member = "prompt_values_supported"
	if values, ok := document[member].([]string); ok && h.config.SignUpURL != "" {
		document[member] = append(slices.Clone(values), string(demandSignUp))
	}
}

// describeEndpoints adds the URLs of the served endpoints, and their client
// authentication methods.
func (h *Handler) describeEndpoints(document map[string]any) {
	for _, found := range h.routes {
		if found.Metadata == "" || !h.serves(found.Group) {
			continue
		}
		document[found.Metadata] = h.provider.Issuer() + "/" + found.Path
		if found.authMethods != nil {
			document[found.Metadata+"_auth_methods_supported"] = found.authMethods
		}
	}
}
