package oauthkit

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// ClientSecretBasicUnencoded returns the method client_secret_basic with an exception:
// applications for which allows returns true may also send a secret that is not
// form-encoded (RFC 7617 §2), as many clients do. That matters only for secrets with
// characters such as % and +, which are imported; generated ones have none. List it
// instead of [ClientSecretBasic].
//
// A secret is first read as form-encoded, as RFC 6749 §2.3.1 demands. A client_id is
// always read so, unless that is impossible because of a malformed escape. If allows is
// nil, no application is an exception.
func ClientSecretBasicUnencoded(allows func(app Application) bool) ClientAuthenticator {
	return clientSecretBasicUnencoded{allows: allows}
}

type clientSecretBasicUnencoded struct {
	clientSecretBasic
	allows func(app Application) bool
}

// Claim returns the secret as it was sent, since only the application tells how to read
// it.
func (clientSecretBasicUnencoded) Claim(r *http.Request, _ url.Values) (claim ClientClaim, used bool, err error) {
	return claimBasic(r, func(encoded string) (ClientClaim, bool) {
		rawID, password, found := splitBasic(encoded)
		id, err := url.QueryUnescape(rawID)
		if err != nil {
			id = rawID
		}
		return ClientClaim{ClientID: id, Proof: password}, found && id != "" && isText(id) && isText(password)
	})
}

// Verify compares both readings of an exception, even if the first is right, so that the
// time does not depend on the secret.
func (m clientSecretBasicUnencoded) Verify(_ context.Context, app Application, claim ClientClaim, now time.Time) error {
	decoded, err := url.QueryUnescape(claim.Proof)
	right := err == nil && isText(decoded) && VerifyPassword(app, decoded, now)
	if decoded != claim.Proof && m.allows != nil && m.allows(app) {
		right = VerifyPassword(app, claim.Proof, now) || right
	}
	if !right {
		return Errorf(InvalidClient, "the client secret is wrong")
	}
	return nil
}
