package oauthkit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClientAuthenticator is a client authentication method (RFC 6749 §2.3). List it in
// [Config.ClientAuthenticators].
//
// For each request the library asks every listed method for its claim, and refuses a
// request that carries two proofs, or one that no method reads. It looks up the
// application, which must be registered for the method, and then calls Verify. The
// response does not tell an unknown client_id from a wrong proof.
type ClientAuthenticator interface {
	// Method returns the name of the method, as in token_endpoint_auth_method (RFC 7591
	// §2), such as client_secret_basic.
	Method() string
	// Carrier returns the part of a request that carries the proof. Methods may share
	// one; then the method for which the application is registered is used.
	Carrier() ProofCarrier
	// Claim returns the client that the request claims to be. Used is false if the
	// request does not use the method. Claim must not look up the client, so that its
	// error, which is sent, is the same for every client: an [*Error] with
	// [InvalidClient] if the proof is malformed. Form is the body. There is at most one
	// Authorization header.
	Claim(r *http.Request, form url.Values) (claim ClientClaim, used bool, err error)
	// Verify returns nil if the claim of app is true, and an [*Error] with
	// [InvalidClient], for the log only, if it is false. Any other error means that the
	// claim could not be verified, and is answered with 503.
	Verify(ctx context.Context, app Application, claim ClientClaim, now time.Time) error
}

// ClientClaim is the client that a request claims to be, with the proof.
type ClientClaim struct {
	ClientID string
	Proof    string // such as the secret; Verify gets it unchanged
}

// ProofCarrier is the part of a request that carries a client's proof. At most one field
// is set. With the zero value the request has no part for the proof alone: there is none,
// or it is the TLS connection. Such a method is used only if no other method is.
type ProofCarrier struct {
	Scheme    string // the scheme of the Authorization header, such as Basic
	Header    string // a header of the method's own
	Parameter string // a form parameter, such as client_secret
}

// check returns an error if more than one field is set, a scheme or a header is not a
// name, the header is Authorization, for which there is Scheme, or the parameter is
// client_id, which public clients send too.
func (c ProofCarrier) check() error {
	fields := slices.DeleteFunc([]string{c.Scheme, c.Header, c.Parameter}, func(field string) bool { return field == "" })
	switch {
	case len(fields) > 1:
		return fmt.Errorf("the proof has more than one carrier: %q", fields)
	case c.Scheme+c.Header != "" && !isScheme(c.Scheme+c.Header):
		return fmt.Errorf("the carrier %q is not the name of a scheme or a header", c.Scheme+c.Header)
	case http.CanonicalHeaderKey(c.Header) == "Authorization":
		return errors.New("the carrier of the proof must name the scheme of the Authorization header")
	case c.Parameter == "client_id":
		return errors.New("the parameter client_id is no proof")
	default:
		return nil
	}
}

// differsInCase reports whether two carriers are one part of a request in two spellings,
// so that a proof in it would count as two.
func (c ProofCarrier) differsInCase(other ProofCarrier) bool {
	return c != other && c.Parameter == other.Parameter &&
		strings.EqualFold(c.Scheme, other.Scheme) && strings.EqualFold(c.Header, other.Header)
}

// ClientSecretBasic returns the method client_secret_basic: the client_id and the secret
// in the Authorization header (RFC 6749 §2.3.1).
func ClientSecretBasic() ClientAuthenticator { return clientSecretBasic{} }

// ClientSecretPost returns the method client_secret_post: the secret in the body (RFC
// 6749 §2.3.1).
func ClientSecretPost() ClientAuthenticator { return clientSecretPost{} }

// ClientNone returns the method none, for public applications: the client_id alone (RFC
// 6749 §3.2.1).
func ClientNone() ClientAuthenticator { return clientNone{} }

type clientSecretBasic struct{}

func (clientSecretBasic) Method() string { return AuthMethodSecretBasic }

func (clientSecretBasic) Carrier() ProofCarrier { return ProofCarrier{Scheme: "Basic"} }

// Claim reads the Authorization header (RFC 6749 §2.3.1, RFC 7617). Unlike in other uses
// of Basic, the client_id and the secret are form-encoded.
func (clientSecretBasic) Claim(r *http.Request, _ url.Values) (claim ClientClaim, used bool, err error) {
	return claimBasic(r, decodeBasic)
}

// claimBasic returns the claim that decode reads in the Authorization header, if its
// scheme is Basic.
func claimBasic(r *http.Request, decode func(encoded string) (ClientClaim, bool)) (claim ClientClaim, used bool, err error) {
	scheme, encoded, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return ClientClaim{}, false, nil
	}
	claim, ok := decode(encoded)
	if !ok {
		return ClientClaim{}, false, Errorf(InvalidClient, "the credentials in the Authorization header are malformed")
	}
	return claim, true, nil
}

func (clientSecretBasic) Verify(_ context.Context, app Application, claim ClientClaim, now time.Time) error {
	return verifySecret(app, claim, now)
}

// decodeBasic accepts strict base64 of two form-encoded texts with a colon between them.
func decodeBasic(encoded string) (claim ClientClaim, ok bool) {
	rawID, rawPassword, found := splitBasic(encoded)
	id, errID := url.QueryUnescape(rawID)
	password, errPassword := url.QueryUnescape(rawPassword)
	ok = found && errID == nil && errPassword == nil && id != "" && isText(id) && isText(password)
	return ClientClaim{ClientID: id, Proof: password}, ok
}

// splitBasic decodes strict base64 and splits it at the first colon.
func splitBasic(encoded string) (id, password string, ok bool) {
	if strings.ContainsAny(encoded, "\r\n") { // the decoder ignores line breaks
		return "", "", false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

type clientSecretPost struct{}

func (clientSecretPost) Method() string { return AuthMethodSecretPost }

func (clientSecretPost) Carrier() ProofCarrier { return ProofCarrier{Parameter: "client_secret"} }

func (clientSecretPost) Claim(_ *http.Request, form url.Values) (claim ClientClaim, used bool, err error) {
	return ClientClaim{ClientID: form.Get("client_id"), Proof: form.Get("client_secret")}, form.Has("client_secret"), nil
}

func (clientSecretPost) Verify(_ context.Context, app Application, claim ClientClaim, now time.Time) error {
	return verifySecret(app, claim, now)
}

func verifySecret(app Application, claim ClientClaim, now time.Time) error {
	if !VerifyPassword(app, claim.Proof, now) {
		return Errorf(InvalidClient, "the client secret is wrong")
	}
	return nil
}

type clientNone struct{}

func (clientNone) Method() string { return AuthMethodNone }

func (clientNone) Carrier() ProofCarrier { return ProofCarrier{} }

func (clientNone) Claim(_ *http.Request, form url.Values) (claim ClientClaim, used bool, err error) {
	return ClientClaim{ClientID: form.Get("client_id")}, form.Get("client_id") != "", nil
}

// Verify refuses a confidential application even if it is registered for none, so that
// it cannot omit its secret.
func (clientNone) Verify(_ context.Context, app Application, _ ClientClaim, _ time.Time) error {
	if !app.IsPublic() {
		return Errorf(InvalidClient, "the client is confidential but sent no proof")
	}
	return nil
}

// checkAuthenticators returns the listed methods or, if there is no list, the library's.
func checkAuthenticators(listed []ClientAuthenticator) ([]ClientAuthenticator, error) {
	if listed == nil {
		return []ClientAuthenticator{ClientSecretBasic(), ClientSecretPost(), ClientNone()}, nil
	}
	if len(listed) == 0 {
		return nil, errors.New("oauthkit: Config.ClientAuthenticators is empty")
	}
	for i, authenticator := range listed {
		if authenticator == nil {
			return nil, errors.New("oauthkit: Config.ClientAuthenticators contains nil")
		}
		if err := checkAuthenticator(authenticator, listed[:i]); err != nil {
			return nil, fmt.Errorf("oauthkit: Config.ClientAuthenticators: method %q: %w", authenticator.Method(), err)
		}
	}
	return slices.Clone(listed), nil
}

// checkAuthenticator checks a method beside earlier ones.
func checkAuthenticator(authenticator ClientAuthenticator, earlier []ClientAuthenticator) error {
	method, carrier := authenticator.Method(), authenticator.Carrier()
	if !isAuthMethod(method) {
		return errors.New("the name is empty, too long, or not visible ASCII")
	}
	for _, other := range earlier {
		switch {
		case other.Method() == method:
			return errors.New("listed twice")
		case carrier.differsInCase(other.Carrier()):
			return fmt.Errorf("the carrier of the proof is spelled in another way than that of %q", other.Method())
		}
	}
	return carrier.check()
}

// maxAuthMethod is the size of the column token_endpoint_auth_method.
const maxAuthMethod = 255

// isAuthMethod reports whether method is well-formed: a registered name or an absolute
// URI (RFC 7591 §2).
func isAuthMethod(method string) bool {
	return method != "" && len(method) <= maxAuthMethod && !strings.ContainsFunc(method, notVisible)
}

// ClientAuthenticators returns the client authentication methods in the order of
// [Config.ClientAuthenticators].
func (p *Provider) ClientAuthenticators() []ClientAuthenticator {
	return slices.Clone(p.config.ClientAuthenticators)
}

// AuthMethods returns the names of the client authentication methods, in the same order.
func (p *Provider) AuthMethods() []string {
	methods := make([]string, len(p.config.ClientAuthenticators))
	for i, authenticator := range p.config.ClientAuthenticators {
		methods[i] = authenticator.Method()
	}
	return methods
}

// canAuthenticate reports whether app may use one of the methods.
func (p *Provider) canAuthenticate(app Application) bool {
	return slices.ContainsFunc(p.AuthMethods(), app.AllowsAuthMethod)
}
