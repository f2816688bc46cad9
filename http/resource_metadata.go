package oauthhttp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// resourceMetadata is the document about an API (RFC 9728 §2).
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Name                 string   `json:"resource_name,omitempty"`
	Documentation        string   `json:"resource_documentation,omitempty"`
}

// resourceMetadataPath stands between the host and the path of an API's name (RFC 9728 §3).
const resourceMetadataPath = "/.well-known/oauth-protected-resource"

// MetadataURL returns where clients look for the API's metadata (RFC 9728 §3.1), and where its challenges point. It is empty
// unless Resource is a URL and AuthorizationServers are named.
func (a API) MetadataURL() string {
	uri, err := url.Parse(a.Resource)
	if err != nil || len(a.AuthorizationServers) == 0 || uri.Host == "" || uri.Scheme != "https" && uri.Scheme != "http" || uri.Fragment != "" {
		return ""
	}
	if uri.Path == "/" { // a slash right behind the host is removed, every other one belongs to the name
		uri.Path = ""
	}
	path := resourceMetadataPath + uri.EscapedPath()
	uri.Path, uri.RawPath = "", ""
	origin, query, hasQuery := strings.Cut(uri.String(), "?")
	if hasQuery {
		path += "?" + query
	}
	return origin + path
}

// Metadata returns the pattern and the handler of the document by which clients find out whose tokens the API accepts (RFC 9728),
// as ServeMux takes them:
//
//	mux.Handle(api.Metadata())
//
// The pattern is the path of [API.MetadataURL], and ends in {$} where that ends in a slash, since what is below it belongs to
// other APIs. If MetadataURL is empty, the pattern is empty, which ServeMux refuses, and the
// handler is nil.
func (a API) Metadata() (pattern string, handler http.Handler) {
	address, err := url.Parse(a.MetadataURL())
	if err != nil || address.Host == "" {
		return "", nil
	}
	document, _ := json.Marshal(resourceMetadata{ // strings can always be written
		Resource: a.Resource, AuthorizationServers: a.AuthorizationServers, Scopes: a.Scopes,
		BearerMethods: []string{"header"}, Name: a.Name, Documentation: a.Documentation,
	})
	if pattern = address.EscapedPath(); strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	served := route{Endpoint: oauthkit.Endpoint{Methods: []string{http.MethodGet}, CrossOrigin: oauthkit.CrossOriginAny}}
	return pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header())
		if serveCrossOrigin(w, r, served) {
			return
		}
		if !served.allows(r.Method) {
			w.Header().Set("Allow", http.MethodGet)
			writeError(w, r, wrongMethod(served.Methods))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", metadataMaxAge)
		_, _ = w.Write(document) // the client is gone if this fails, and there is nobody to tell
	})
}
