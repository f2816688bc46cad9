// Package consent adds a grant for devices without a browser, with the exported names of
// the library alone. It resembles RFC 8628. The user approves on the library's consent
// page, although no redirect URI gets the response. Undecided requests are kept in
// memory, so it is for a program with one instance.
package consent

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
)

// GrantType is the grant type of the devices.
const GrantType oauth2.GrantType = "urn:example:device"

// prefix begins the credentials, so that no other grant accepts them.
const prefix = "device_"

// Devices is the grant. List it in Config.Grants.
type Devices struct {
	store    oauthkit.CodeStore
	provider *oauthkit.Provider

	mutex   sync.Mutex
	pending map[string]*pending // by the hash of the credential
}

// New returns the grant. It keeps the credential of an approved device as an
// authorization code in the store.
func New(store oauthkit.CodeStore) *Devices {
	return &Devices{store: store, pending: map[string]*pending{}}
}

// Extend implements [oauthkit.Extension].
func (d *Devices) Extend(registry *oauthkit.Registry) error {
	d.provider = registry.Provider()
	getAndPost := []string{http.MethodGet, http.MethodPost}
	registry.Endpoint(oauthkit.Endpoint{
		Path: "device_request", Methods: []string{http.MethodPost}, Application: d.begin, Metadata: "device_request_endpoint",
	})
	registry.Endpoint(oauthkit.Endpoint{Path: "device", Methods: getAndPost, User: d.enter})
	registry.Endpoint(oauthkit.Endpoint{Path: "device/{id}", Methods: getAndPost, User: d.decide})
	return nil
}

func (d *Devices) path(path string) string { return d.provider.Prefix() + "/" + path }

// begin answers a request of a device with a credential and a code for the user.
func (d *Devices) begin(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	request, err := d.provider.NewConsentRequest(r.Context(), app, GrantType, form)
	if err != nil {
		return err
	}
	if len(request.Form.Encode()) > maxRequest {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the request is larger than %d bytes", maxRequest)
	}
	credential, userCode := prefix+rand.Text(), rand.Text()[:8]
	if !d.add(pending{
		clientID: app.GetID(), form: request.Form, hash: oauthkit.CredentialHash(credential), userCode: userCode,
		expires: request.Now.Add(lifetime),
	}, request.Now) {
		return oauthkit.Errorf(oauthkit.TemporarilyUnavailable, "too many requests are pending")
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]any{
		"credential": credential, "user_code": userCode, "verification_uri": d.provider.Issuer() + "/device",
		"expires_in": int(lifetime.Seconds()),
	})
}

// request returns the request for consent. The application may have changed since the
// device sent it.
func (d *Devices) request(ctx context.Context, found pending) (*oauthkit.ConsentRequest, error) {
	app, err := d.provider.Application(ctx, found.clientID)
	if err != nil {
		return nil, err
	}
	return d.provider.NewConsentRequest(ctx, app, GrantType, found.form)
}

// answer carries out the decision of the user. It saves the credential of the device as
// a code without a redirect URI, which the code grant does not accept.
func (d *Devices) answer(ctx context.Context, id string, request *oauthkit.ConsentRequest, user *oauthkit.User, decision oauthkit.Decision) error {
	taken := d.take(id)
	if taken == nil {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the request was answered").WithReason(oauthkit.ReasonRequestAnswered)
	}
	err := d.provider.Approve(ctx, request, user, decision, func(approval *oauthkit.Approval) error {
		approval.AddCode(taken.hash, taken.expires)
		return nil
	})
	d.settle(taken, err)
	return err
}

// GrantType implements [oauthkit.Grant].
func (d *Devices) GrantType() oauth2.GrantType { return GrantType }

// Exchange implements [oauthkit.Grant]. It redeems the credential of an approved device.
func (d *Devices) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	credential := request.Form.Get("credential")
	if !strings.HasPrefix(credential, prefix) { // of another grant
		return nil, errInvalid
	}
	response, err := grants.RedeemCode(ctx, d.store, request, credential)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return nil, d.undecided(oauthkit.CredentialHash(credential), request.Application.GetID())
	}
	return response, err
}

// undecided returns the error for a credential that is not in the store.
func (d *Devices) undecided(hashed, clientID string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	found := d.find(func(p *pending) bool { return p.hash == hashed && p.clientID == clientID })
	switch {
	case found == nil:
		return errInvalid
	case found.denied:
		return oauthkit.Errorf(oauthkit.AccessDenied, "the user denied the request")
	default:
		return oauthkit.Errorf("authorization_pending", "the user has not decided")
	}
}

var errInvalid = oauthkit.Errorf(oauthkit.InvalidGrant, "the credential is not valid")
