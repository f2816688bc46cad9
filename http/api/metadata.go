package oauthapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// metadata is the protected resource metadata (RFC 9728 §2).
type metadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Name                 string   `json:"resource_name,omitempty"`
	Documentation        string   `json:"resource_documentation,omitempty"`
}

// metadataPath is inserted between the host and the path of an API's name (RFC 9728 §3).
const metadataPath = "/.well-known/oauth-protected-resource"

// MetadataURL returns the URL of the API's metadata (RFC 9728 §3.1), which its
// challenges contain. It is empty unless Resource is an http or https URL and
// AuthorizationServers is set.
func (a API) MetadataURL() string {
	uri, err := url.Parse(a.Resource)
	if err != nil || len(a.AuthorizationServers) == 0 || uri.Host == "" || uri.Scheme != "https" && uri.Scheme != "http" || uri.Fragment != "" {
		return ""
	}
	if uri.Path == "/" { // a slash directly after the host is removed, every other one is part of the name
		uri.Path = ""
	}
	path := metadataPath + uri.EscapedPath()
	uri.Path, uri.RawPath = "", ""
	origin, query, hasQuery := strings.Cut(uri.String(), "?")
	if hasQuery {
		path += "?" + query
	}
	return origin + path
}

// Metadata returns the ServeMux pattern and the handler of the API's metadata, by
// which clients find the issuers of accepted tokens (RFC 9728):
//
//	mux.Handle(api.Metadata())
//
// The pattern is the path of [API.MetadataURL]. If that ends in a slash, the pattern
// ends in {$}, since paths below it belong to other APIs. If MetadataURL is empty,
// the pattern is empty, which ServeMux refuses, and the handler is nil.
func (a API) Metadata() (pattern string, handler http.Handler) {
	address, err := url.Parse(a.MetadataURL())
	if err != nil || address.Host == "" {
		return "", nil
	}
	document, _ := json.Marshal(metadata{ // strings can always be marshaled
		Resource: a.Resource, AuthorizationServers: a.AuthorizationServers, Scopes: a.Scopes,
		BearerMethods: []string{"header"}, Name: a.Name, Documentation: a.Documentation,
	})
	if pattern = address.EscapedPath(); strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	return pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveMetadata(w, r, document) })
}

func serveMetadata(w http.ResponseWriter, r *http.Request, document []byte) {
	methods := []string{http.MethodGet}
	wire.SetSecurityHeaders(w.Header())
	if wire.AnswerPreflight(w, r, "*", methods, nil) {
		return
	}
	wire.AllowOrigin(w.Header(), "*", nil)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		wire.WriteError(w, wire.MethodNotAllowed(methods))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", wire.MetadataCacheControl)
	_, _ = w.Write(document) // it fails only if the client is gone
}
