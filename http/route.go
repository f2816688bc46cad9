package oauthhttp

import (
	"fmt"
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
		h.routes[endpoint.Path] = route{Endpoint: endpoint, page: endpoint.User != nil}
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
