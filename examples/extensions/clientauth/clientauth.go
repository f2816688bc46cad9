// Package clientauth shows a client authentication method of a host. The client and the
// provider share a key, which is never sent: the client signs its client_id and the time.
//
// A proof is valid for a minute, in which anyone who reads it could send it again, so a
// program for production would also remember the proofs of the last minute.
package clientauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

const (
	// Method is the name of the method. A name that is not registered is an absolute URI
	// (RFC 7591 §2).
	Method = "https://example.com/oauth/client-hmac"
	// Parameter is the form parameter with the proof.
	Parameter = "client_hmac"
	// Validity is how far the time in a proof may be from the provider's.
	Validity = time.Minute
)

// HMAC is the method. Add it to [oauthkit.Config.ClientAuthenticators].
type HMAC struct {
	// Issuer is the provider's, so that a proof is of no use at another provider.
	Issuer string
	// Key returns the key of a client. If the client has none, it returns nil. An error
	// is answered with 503.
	Key func(ctx context.Context, clientID string) ([]byte, error)
}

// NewProof returns a proof for a client to send: the client_id in base64url, the time,
// and the signature in base64url, with dots between them.
func NewProof(key []byte, issuer, clientID string, now time.Time) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(clientID)) + "." + strconv.FormatInt(now.Unix(), 10)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign(key, issuer, signed))
}

func sign(key []byte, issuer, signed string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s\n%s", issuer, signed) // a hash never fails
	return mac.Sum(nil)
}

// Method implements [oauthkit.ClientAuthenticator].
func (HMAC) Method() string { return Method }

// Carrier implements [oauthkit.ClientAuthenticator].
func (HMAC) Carrier() oauthkit.ProofCarrier { return oauthkit.ProofCarrier{Parameter: Parameter} }

// Claim implements [oauthkit.ClientAuthenticator].
func (HMAC) Claim(_ *http.Request, form url.Values) (claim oauthkit.ClientClaim, used bool, err error) {
	if !form.Has(Parameter) {
		return oauthkit.ClientClaim{}, false, nil
	}
	encoded, _, _ := strings.Cut(form.Get(Parameter), ".")
	clientID, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return oauthkit.ClientClaim{}, false, oauthkit.Errorf(oauthkit.InvalidClient, "%s is malformed", Parameter).WithCause(err)
	}
	return oauthkit.ClientClaim{ClientID: string(clientID), Proof: form.Get(Parameter)}, true, nil
}

// Verify implements [oauthkit.ClientAuthenticator].
func (h HMAC) Verify(ctx context.Context, app oauthkit.Application, claim oauthkit.ClientClaim, now time.Time) error {
	key, err := h.Key(ctx, app.GetID())
	if err != nil {
		return oauthkit.Unavailable(fmt.Errorf("reading the key of a client: %w", err))
	}
	dot := max(strings.LastIndex(claim.Proof, "."), 0)
	signed, signature := claim.Proof[:dot], strings.TrimPrefix(claim.Proof[dot:], ".")
	expected := base64.RawURLEncoding.EncodeToString(sign(key, h.Issuer, signed))
	if len(key) == 0 || !hmac.Equal([]byte(signature), []byte(expected)) {
		return oauthkit.Errorf(oauthkit.InvalidClient, "the signature is wrong")
	}
	_, seconds, _ := strings.Cut(signed, ".")
	created, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || now.Sub(time.Unix(created, 0)).Abs() > Validity {
		return oauthkit.Errorf(oauthkit.InvalidClient, "the proof is not from the last %s", Validity)
	}
	return nil
}
