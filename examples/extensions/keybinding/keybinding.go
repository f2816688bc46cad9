// Package keybinding binds codes and tokens to an Ed25519 key of the client, with the
// exported names of the library alone. It resembles DPoP (RFC 9449): the client signs
// each request with its key, so that a stolen token is of no use.
//
// A proof is valid for a minute, in which anyone who reads it could send it again, so a
// program for production would also remember the proofs of the last minute.
package keybinding

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

const (
	// Header carries the proof: the public key, the time and the signature, with dots
	// between them. Key and signature are in base64url.
	Header = "Signed-Request"
	// TokenType is the token_type of bound tokens, and the scheme that presents them.
	TokenType = "Signed"
	// Method is the member of cnf, with the public key in base64url.
	Method = "ed25519"
	// Parameter is the parameter of the authorization request that binds the code.
	Parameter = "signing_key"
	// InvalidProof is the error code of a proof that is not valid.
	InvalidProof oauthkit.ErrorCode = "invalid_proof"
	// Validity is how far the time in a proof may be from the server's.
	Validity = time.Minute
)

// SignedRequests is the extension. List it in Config.Extensions of the provider. An API
// in another program needs only its KeyBinding, for oauthapi.IntrospectorConfig.
type SignedRequests struct {
	// Origin is the origin of the program, such as https://example.com, so that a proof
	// is of no use at another server.
	Origin string
	// Now returns the time.
	Now func() time.Time
}

// Extend implements [oauthkit.Extension].
func (s SignedRequests) Extend(registry *oauthkit.Registry) error {
	registry.KeyBinding(s.KeyBinding())
	registry.AuthorizeParameters(Parameter)
	registry.ValidateAuthorize(func(_ context.Context, request *oauthkit.AuthorizeRequest) error {
		if key := request.Form.Get(Parameter); key != "" {
			request.Confirmation = oauthkit.Confirmation{Method: Method, Value: key}
		}
		return nil
	})
	return nil
}

// KeyBinding returns the binding.
func (s SignedRequests) KeyBinding() oauthkit.KeyBinding {
	return oauthkit.KeyBinding{
		Method: Method, TokenType: TokenType, ChallengeParameters: `algs="Ed25519"`, RequestHeaders: []string{Header},
		Confirm: func(_ http.ResponseWriter, r *http.Request, _ oauthkit.Application) (string, error) {
			if len(r.Header.Values(Header)) == 0 {
				return "", nil // a bearer token
			}
			return s.verify(r, "")
		},
		Verify: func(_ context.Context, presented oauthkit.PresentedToken) (string, error) {
			return s.verify(presented.Request, presented.Value)
		},
	}
}

// verify returns the key of the proof of r for a token, or for none if token is empty.
func (s SignedRequests) verify(r *http.Request, token string) (string, error) {
	values, base64url := r.Header.Values(Header), base64.RawURLEncoding.Strict()
	parts := strings.Split(strings.Join(values, ","), ".")
	if len(values) != 1 || len(parts) != 3 {
		return "", oauthkit.Errorf(InvalidProof, "the request needs one header %s with three parts", Header)
	}
	key, keyErr := base64url.DecodeString(parts[0])
	seconds, timeErr := strconv.ParseInt(parts[1], 10, 64)
	signature, signatureErr := base64url.DecodeString(parts[2])
	if err := errors.Join(keyErr, timeErr, signatureErr); err != nil || len(key) != ed25519.PublicKeySize {
		return "", oauthkit.Errorf(InvalidProof, "the proof is malformed").WithCause(err)
	}
	if s.Now().Sub(time.Unix(seconds, 0)).Abs() > Validity {
		return "", oauthkit.Errorf(InvalidProof, "the proof is too old or from the future")
	}
	if !ed25519.Verify(key, message(r.Method, s.Origin+r.URL.EscapedPath(), parts[1], token), signature) {
		return "", oauthkit.Errorf(InvalidProof, "the signature is not valid for this request")
	}
	return parts[0], nil
}

func message(parts ...string) []byte { return []byte(strings.Join(parts, "\n")) }

// PublicKey returns the key as in cnf and in the parameter signing_key.
func PublicKey(key ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

// Sign adds the proof to a request of the client. Token is the access token that the
// request presents, and empty at the token endpoint.
func Sign(r *http.Request, key ed25519.PrivateKey, token string, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	signature := ed25519.Sign(key, message(r.Method, r.URL.Scheme+"://"+r.URL.Host+r.URL.EscapedPath(), at, token))
	r.Header.Set(Header, PublicKey(key)+"."+at+"."+base64.RawURLEncoding.EncodeToString(signature))
	if token != "" {
		r.Header.Set("Authorization", TokenType+" "+token)
	}
}
