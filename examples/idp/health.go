package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/oauthkit/oauthkit"
)

// health answers the probes of a load balancer or a supervisor. Anyone may send them, so the answers say no more than yes
// or no; the reason is in the log.
type health struct {
	provider *oauthkit.Provider
	logger   *slog.Logger
	stopping atomic.Bool
	asking   singleflight.Group // any number of probes ask the database once
}

// live answers while the program serves. It does not ask the database: to start the program again would not repair that.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	probeAnswer(w, http.StatusOK, "ok\n")
}

// ready answers 503 if requests should go to another instance: the database cannot be written to, or this one stops.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	if h.stopping.Load() {
		probeAnswer(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	_, err, _ := h.asking.Do("", func() (any, error) {
		err := h.provider.Ready(context.WithoutCancel(r.Context()))
		if err != nil {
			h.logger.WarnContext(r.Context(), "not ready", "error", err)
		}
		return nil, err
	})
	if err != nil {
		probeAnswer(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	probeAnswer(w, http.StatusOK, "ready\n")
}

func probeAnswer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the probe may be gone
}
