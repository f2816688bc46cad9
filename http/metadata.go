package oauthhttp

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// metadataMaxAge is how long clients may keep the documents. They change only when the host's program does.
const metadataMaxAge = "public, max-age=300"

// addMetadata serves the metadata under every name it has: below the issuer, where OpenID Connect Discovery §4 looks, and at
// the root of the host with the issuer's path behind the name, where RFC 8414 §3 does.
func (h *Handler) addMetadata() {
	serve := route{Endpoint: oauthkit.Endpoint{Methods: []string{http.MethodGet}, Anyone: h.metadata}}
	prefix := h.provider.Prefix()
	for _, name := range append([]string{"oauth-authorization-server"}, h.provider.MetadataDocuments()...) {
		h.routes[prefix+"/.well-known/"+name] = serve
		h.routes["/.well-known/"+name+prefix] = serve
	}
}

// metadata answers with the document, which is the same for every request as long as the scopes are (RFC 8414 §3.2).
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) error {
	description, err := h.describe(r.Context())
	if err != nil {
		return err
	}
	document, err := json.Marshal(description)
	if err != nil { // an extension added what cannot be written
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", metadataMaxAge)
	_, _ = w.Write(document)
	return nil
}

// describe is the metadata (RFC 8414 §2), taken from the table of endpoints and what the provider was made of.
func (h *Handler) describe(ctx context.Context) (map[string]any, error) {
	scopes, err := h.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, err
	}
	secretMethods := slices.DeleteFunc(authMethods(), func(method string) bool { return method == oauthkit.AuthMethodNone })
	document := map[string]any{
		"issuer":                                         h.provider.Issuer(),
		"scopes_supported":                               slices.Sorted(maps.Keys(scopes)),
		"response_types_supported":                       h.provider.ResponseTypes(),
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          h.provider.GrantTypes(),
		"token_endpoint_auth_methods_supported":          authMethods(),
		"revocation_endpoint_auth_methods_supported":     authMethods(),
		"introspection_endpoint_auth_methods_supported":  secretMethods,
		"authorization_response_iss_parameter_supported": true, // RFC 9207 §3
	}
	if slices.Contains(h.provider.GrantTypes(), oauth2.AuthorizationCode) {
		document["code_challenge_methods_supported"] = []oauth2.CodeChallengeMethod{oauth2.CodeChallengeS256}
	}
	for path, found := range h.routes {
		if found.Metadata != "" {
			document[found.Metadata] = h.provider.Issuer() + path[len(h.provider.Prefix()):]
		}
	}
	h.provider.DecorateMetadata(document)
	maps.DeleteFunc(document, func(_ string, member any) bool { // RFC 8414 §3.2
		value := reflect.ValueOf(member)
		return value.Kind() == reflect.Slice && value.Len() == 0
	})
	return document, nil
}
