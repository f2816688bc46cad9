// Package pushed adds an endpoint for pushed authorization requests (RFC 9126) with the
// exported names of the library alone. The requests are kept in memory, so it is for a
// program with one instance.
package pushed

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Requests is the extension. The zero value is ready to use.
type Requests struct {
	mutex    sync.Mutex
	pushed   map[string]request // by request_uri
	provider *oauthkit.Provider
}

type request struct {
	clientID   string
	form       url.Values
	provenance oauthkit.Provenance
	expires    time.Time
}

// The limits of the memory.
const (
	lifetime   = time.Minute
	maxPending = 10000
	maxRequest = 4 << 10 // bytes
)

// Extend implements [oauthkit.Extension].
func (p *Requests) Extend(registry *oauthkit.Registry) error {
	p.provider, p.pushed = registry.Provider(), map[string]request{}
	registry.ResolveAuthorize(p.resolve)
	registry.Endpoint(oauthkit.Endpoint{
		Path: "par", Methods: []string{http.MethodPost}, Application: p.push,
		Metadata: "pushed_authorization_request_endpoint",
	})
	return nil
}

// push keeps a valid authorization request of an authenticated application (RFC 9126
// §2.1, §2.2).
func (p *Requests) push(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	if form.Has("request_uri") {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "request_uri cannot be pushed")
	}
	form.Set("client_id", app.GetID())
	checked, err := p.provider.ResumeAuthorizeRequest(r.Context(), form, oauthkit.Provenance{Pushed: true})
	if err != nil {
		return err
	}
	if len(checked.Form.Encode()) > maxRequest {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the request is larger than %d bytes", maxRequest)
	}
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	if !p.keep(uri, request{app.GetID(), checked.Form, checked.Provenance, checked.Now.Add(lifetime)}, checked.Now) {
		return oauthkit.Errorf(oauthkit.TemporarilyUnavailable, "too many requests are pending")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(map[string]any{"request_uri": uri, "expires_in": int(lifetime.Seconds())})
}

// keep removes expired requests and adds one. It reports false if the memory is full.
func (p *Requests) keep(uri string, pushed request, now time.Time) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	maps.DeleteFunc(p.pushed, func(_ string, other request) bool { return !now.Before(other.expires) })
	if len(p.pushed) >= maxPending {
		return false
	}
	p.pushed[uri] = pushed
	return true
}

// resolve replaces the parameters of an authorization request by the pushed ones (RFC
// 9126 §4). A user may reload the page, so they can be used again until they expire.
func (p *Requests) resolve(_ context.Context, source *oauthkit.AuthorizeSource) error {
	uri := source.Form.Get("request_uri")
	if uri == "" {
		return nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	found, exists := p.pushed[uri]
	if !exists || found.clientID != source.Application.GetID() || !p.provider.Now().Before(found.expires) {
		return oauthkit.Errorf("invalid_request_uri", "request_uri is not known or has expired")
	}
	source.Form, source.Provenance = found.form, found.provenance
	return nil
}
