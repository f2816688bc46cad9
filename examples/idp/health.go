package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/oauthkit/oauthkit"
)

// health serves the probes of a load balancer or a supervisor. Anyone can send them, so
// the response is only a status; the reason is in the log.
type health struct {
	provider *oauthkit.Provider
	logger   *slog.Logger
	stopping atomic.Bool
	checks   singleflight.Group // concurrent probes share one query
}

// live responds 200 while the program serves. It does not query the database, because
// restarting the program would not repair it.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeProbe(w, http.StatusOK, "ok\n")
}

// ready responds 503 if requests should go to another instance: the database cannot be
// written to, or this instance is stopping.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	if h.stopping.Load() {
		writeProbe(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	_, err, _ := h.checks.Do("", func() (any, error) {
		err := h.provider.Ready(context.WithoutCancel(r.Context()))
		if err != nil {
			h.logger.WarnContext(r.Context(), "not ready", "error", err)
		}
		return nil, err
	})
	if err != nil {
		writeProbe(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	writeProbe(w, http.StatusOK, "ready\n")
}

func writeProbe(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the probe may be gone
}
