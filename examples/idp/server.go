package main

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// newServer returns a server with all limits that a public one needs. Its WriteTimeout covers reading the request and
// answering it, so it is longer than the ReadTimeout, the second that a sign-in may be held, and the 5 seconds that the
// provider takes at most.
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

// strictTransport tells browsers to come over TLS only, for a year (RFC 6797). Over plain HTTP the header would mean
// nothing (§7.2), unless the issuer says that a proxy has the certificate. It does not speak for subdomains, which may not
// be ours.
func strictTransport(issuer string, next http.Handler) http.Handler {
	behindTLS := strings.HasPrefix(issuer, "https:")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if behindTLS || r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
