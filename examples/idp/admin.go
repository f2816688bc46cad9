package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// Limits of an admin.
const (
	minAdminToken    = 32          // bytes of IDP_ADMIN_TOKEN
	maxAdminRequests = 8           // requests at the same time
	wrongTokenDelay  = time.Second // how long a request with a wrong token takes
)

// admin serves the operator's endpoints on an address of their own, for callers on this
// machine that know a token.
type admin struct {
	token    [sha256.Size]byte // a digest: the comparison must not reveal the length
	openID   *oidc.Extension
	keys     oauthkit.KeyStore
	requests *semaphore.Weighted
	logger   *slog.Logger
}

func newAdmin(token string, site *site) *admin {
	return &admin{
		token: sha256.Sum256([]byte(token)), openID: site.openID, keys: site.database.store,
		requests: semaphore.NewWeighted(maxAdminRequests), logger: site.logger,
	}
}

// checkAdmin returns an error unless address is HOST:PORT with a loopback address, or if
// the token is too short. A name could resolve to another address, so of names only
// localhost is accepted.
func checkAdmin(address, token string) error {
	if len(token) < minAdminToken {
		return fmt.Errorf("-admin-addr needs the environment variable IDP_ADMIN_TOKEN with at least %d bytes; generate it with openssl rand -hex 32", minAdminToken)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-admin-addr must be HOST:PORT: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.Unmap().IsLoopback()) {
		return errors.New("-admin-addr must have the host localhost or a loopback address such as 127.0.0.1")
	}
	return nil
}

// listenAdmin listens on a loopback address.
func listenAdmin(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-admin-addr: %w", err)
	}
	// localhost can resolve to another address
	if bound, ok := listener.Addr().(*net.TCPAddr); !ok || !bound.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("-admin-addr: %s is not a loopback address", listener.Addr()), listener.Close())
	}
	return listener, nil
}

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/rotate-keys", a.rotateKeys)
	return a.authenticate(mux)
}

// authenticate serves only requests with the token. A wrong one takes a second, so that
// guesses are limited to a few in a second.
func (a *admin) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.requests.TryAcquire(1) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests at the same time.", http.StatusServiceUnavailable)
			return
		}
		defer a.requests.Release(1)
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		digest := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(digest[:], a.token[:]) != 1 || !strings.EqualFold(scheme, "Bearer") {
			a.refuse(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (a *admin) refuse(w http.ResponseWriter, r *http.Request) {
	a.logger.WarnContext(r.Context(), "admin.refused", "path", r.URL.Path, "remote_addr", r.RemoteAddr)
	timer := time.NewTimer(wrongTokenDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="idp admin"`)
	http.Error(w, "The token is missing or wrong.", http.StatusUnauthorized)
}

// publishedKey is a signing key in the response of the admin endpoint.
type publishedKey struct {
	KeyID     string    `json:"kid"`
	Algorithm string    `json:"alg"`
	CreatedAt time.Time `json:"created_at"`
	ActiveAt  time.Time `json:"active_at"` // when it starts to sign
}

// rotateKeys adds signing keys, publishes them at once, and responds with all keys.
func (a *admin) rotateKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := a.rotate(r.Context())
	if err != nil {
		a.logger.ErrorContext(r.Context(), "rotating the signing keys failed", "error", err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "The keys could not be rotated; the log says why.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
}

// rotate finishes if the caller hangs up.
func (a *admin) rotate(ctx context.Context) ([]publishedKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
	defer cancel()
	if err := a.openID.RotateKeys(ctx); err != nil {
		return nil, err
	}
	stored, err := a.keys.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []publishedKey
	for _, key := range stored {
		keys = append(keys, publishedKey{key.ID, key.Algorithm, key.CreatedAt, key.ActiveAt})
	}
	return keys, nil
}
