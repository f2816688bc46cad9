package main

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// newServer returns a server with the limits that a public server needs. WriteTimeout
// covers reading the request and responding, so it exceeds ReadTimeout plus the second
// that a sign-in may be held plus the 5 seconds that the provider may take.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// strictTransport makes browsers use only TLS for a year (RFC 6797). Over plain HTTP
// browsers ignore the header (§7.2), so it is sent only over TLS or if the issuer shows
// that a proxy terminates TLS. It does not include subdomains, which may belong to
// others.
func strictTransport(issuer string, next http.Handler) http.Handler {
	behindTLS := strings.HasPrefix(issuer, "https:")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if behindTLS || r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
