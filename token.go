package oauthkit

import (
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Authorization is a permission that a user gave an application, or that an
// application has for itself. Every code and token belongs to one Authorization and
// is valid only while that is: revoking it is one update of one row, and a token
// that a concurrent request stores a moment later is invalid from the start.
type Authorization struct {
	// ID identifies the row. It is not secret.
	ID string
	// ClientID is the client_id of the application.
	ClientID string
	// ConsentID is the Consent that it rests on. It is empty if no consent was needed.
	ConsentID string
	// Subject is the user. It is empty if the application acts for
	// itself (RFC 6749 §4.4).
	Subject string
	// Scopes are all scopes that were allowed. A token may have fewer.
	Scopes Scopes
	// Resources are the APIs that it is for (RFC 8707), as absolute URIs. If empty,
	// it is not restricted to certain APIs.
	Resources URIs
	// AuthTime, ACR, AMR and SessionID describe the sign-in, as in [User]. Those
	// that are unknown are zero.
	AuthTime  time.Time
	ACR       string
	AMR       []string
	SessionID string
	// Params are the parameters of the authorization request that extensions need
	// later, such as OpenID Connect's nonce.
	Params map[string]string
	// CreatedAt is when it was approved.
	CreatedAt time.Time
	// ExpiresAt is when all its credentials expire, however often they are
	// refreshed. Until its code is redeemed, that is the expiry of the code, or of the
	// tokens that were saved beside it. If zero, [TokenRequest.Issue] sets it.
	ExpiresAt time.Time
	// RevokedAt is when it was revoked. It is zero if it was not revoked.
	RevokedAt time.Time
}

// Valid reports whether the Authorization is neither revoked nor expired.
func (a *Authorization) Valid(now time.Time) bool {
	return a.RevokedAt.IsZero() && now.Before(a.ExpiresAt)
}

// Consent is the remembered consent of a user to an application. There is at most
// one for each pair of user and application. Revoking it revokes every
// Authorization that rests on it.
type Consent struct {
	ID       string // identifies the row
	ClientID string // the client_id of the application
	Subject  string // the user
	Scopes   Scopes // approved for every API, by requests that named none
	// ResourceScopes are the scopes that were approved for single APIs, by requests
	// that named them (RFC 8707), by the URI of the API.
	ResourceScopes map[string]Scopes
	// ApplicationDigest is a hash of the name, the redirect URIs and the client type
	// of the application, as they were when the user approved. If it differs, the
	// user is asked again.
	ApplicationDigest string
	CreatedAt         time.Time
	UpdatedAt         time.Time // when the user was last asked for all of it
}

// Interaction is an authorization request that waits for the decision of a user.
// Pages carry only its id, so that a request cannot be changed between two pages.
type Interaction struct {
	Hash        string // of the id
	BrowserHash string // of the cookie of the browser that started it
	Subject     string // the user
	// Sealed holds the parameters of the request, encrypted with a key
	// derived from the id.
	Sealed     []byte
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ConsumedAt time.Time // when the user decided; zero before
}

// AuthorizationCode is the credential of RFC 6749 §4.1.2, with the values that the
// token request must match.
type AuthorizationCode struct {
	Hash                string // the CredentialHash of the code
	Authorization       *Authorization
	RedirectURI         string       // exactly as it was sent (RFC 6749 §4.1.3); empty: of another grant
	CodeChallenge       string       // RFC 7636 §4.2; empty: none was sent
	CodeChallengeMethod string       // S256 or plain; empty without a CodeChallenge
	Confirmation        Confirmation // the key that the token request must prove; zero: none
	IssuedAt            time.Time
	ExpiresAt           time.Time
	ConsumedAt          time.Time // when it was redeemed; zero before
}

// AccessToken is the credential of RFC 6749 §1.4.
type AccessToken struct {
	Hash          string
	Authorization *Authorization
	Scopes        Scopes       // all scopes of the Authorization or fewer
	Resources     URIs         // the APIs that it is for (RFC 8707 §2.2); empty: any
	Confirmation  Confirmation // the key that a request with it must prove; zero: none
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// RefreshToken is the credential of RFC 6749 §1.5. Each can be used once.
type RefreshToken struct {
	Hash          string
	Authorization *Authorization
	Confirmation  Confirmation // the key that its use must prove; zero: none
	IssuedAt      time.Time
	ExpiresAt     time.Time // unless it is used; that of the Authorization applies too
	ConsumedAt    time.Time // when it was used, by the store's clock; zero before
	// Sealed is the response to its use, encrypted with a key derived from the token. It
	// is nil before the use, and again once the response may not be repeated any more.
	Sealed []byte
}

// Tokens are saved together or not at all. Their Authorization fields
// point to the same value.
type Tokens struct {
	Access  *AccessToken
	Refresh *RefreshToken // nil if none is issued
}

// ConsentUse says how a store saves the Consent of an [Approval].
type ConsentUse int

const (
	// ConsentRemembered means that the user was not asked. The Consent must exist,
	// by its ID, and is not changed.
	ConsentRemembered ConsentUse = iota
	// ConsentNew means that the user was asked and no consent was remembered. The
	// Consent is inserted. If a concurrent request has inserted one for the same
	// application and user, the Scopes, ResourceScopes, ApplicationDigest and
	// UpdatedAt of that one are replaced.
	ConsentNew
	// ConsentWidened means that the user was asked for more than was remembered. The
	// Consent must exist, by its ID, and its Scopes, ResourceScopes,
	// ApplicationDigest and UpdatedAt are replaced. Inserting it instead would
	// restore a consent that was revoked concurrently.
	ConsentWidened
)

// Approval is the data that a store saves in one act when a user, or the trust in an
// application, allows a request.
type Approval struct {
	// Authorization is new. The store sets its ConsentID.
	Authorization *Authorization
	// Consent is the Consent that it rests on. If nil, none is needed.
	Consent *Consent
	// ConsentUse says how Consent is saved. It is ignored if Consent is nil.
	ConsentUse ConsentUse
	// InteractionHash is the Interaction to consume. If empty, there is none.
	InteractionHash string
	// Code is the code that is issued for the Authorization. If nil, there is none.
	Code *AuthorizationCode
	// Tokens are issued for the Authorization at once, without a code. If nil, there are
	// none.
	Tokens *Tokens
}

// CredentialHash returns the hash under which a store keeps a credential, such as
// [AuthorizationCode.Hash]. The credential must have at least 128 random bits.
func CredentialHash(credential string) string { return secret.Hash(credential) }

// SigningKey is a stored key that signs tokens. There can be several of one
// algorithm: one that is published before its use, one in use, and former ones whose
// signatures are still valid.
type SigningKey struct {
	// ID is the kid: the JWK thumbprint of the key (RFC 7638).
	ID string
	// Algorithm is RS256, ES256, PS256 or EdDSA.
	Algorithm string
	// Generation counts the keys of the algorithm, from 1. It decides between
	// instances that add a key at the same time. Of the keys that are active, the one
	// with the highest Generation signs. A former key that was imported has one below 1.
	Generation int
	// Private is the private key, or only the public one if the private key is outside
	// the store. It is sealed with Config.Secret if that is set.
	Private []byte
	// CreatedAt is when it was generated and first published.
	CreatedAt time.Time
	// ActiveAt is when it starts to sign, until a later key does.
	ActiveAt time.Time
}

// TokenResponse is a successful response of the token endpoint (RFC 6749 §5.1).
type TokenResponse struct {
	AccessToken  string
	TokenType    string // Bearer, or that of the key binding
	ExpiresIn    int64  // seconds
	RefreshToken string // empty if there is none
	Scope        string // empty if the token has none; then it is not sent
	// Extra holds further members, such as id_token. They cannot replace those above.
	Extra map[string]any
}

// Set adds a member.
func (t *TokenResponse) Set(name string, value any) {
	if t.Extra == nil {
		t.Extra = map[string]any{}
	}
	t.Extra[name] = value
}

// MarshalJSON returns the response as it is sent.
func (t *TokenResponse) MarshalJSON() ([]byte, error) {
	members := maps.Clone(t.Extra)
	if members == nil {
		members = map[string]any{}
	}
	members["access_token"] = t.AccessToken
	members["token_type"] = t.TokenType
	members["expires_in"] = t.ExpiresIn
	delete(members, "scope")
	if t.Scope != "" { // RFC 6749 §3.3: a scope has at least one word
		members["scope"] = t.Scope
	}
	delete(members, "refresh_token")
	if t.RefreshToken != "" {
		members["refresh_token"] = t.RefreshToken
	}
	return json.Marshal(members)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (t *TokenResponse) UnmarshalJSON(document []byte) error {
	var members struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
		Scope        string `json:"scope"`
	}
	extra := map[string]json.RawMessage{} // as it was written: numbers would lose digits
	if err := errors.Join(json.Unmarshal(document, &members), json.Unmarshal(document, &extra)); err != nil {
		return err
	}
	*t = TokenResponse{
		AccessToken: members.AccessToken, TokenType: members.TokenType, ExpiresIn: members.ExpiresIn,
		RefreshToken: members.RefreshToken, Scope: members.Scope,
	}
	for name, value := range extra {
		t.Set(name, value)
	}
	return nil
}

// Issued is a [TokenResponse] about to be sent, with its context.
type Issued struct {
	// Response is sent to the application.
	Response TokenResponse
	// Application is the application that sent the request.
	Application Application
	// GrantType is the grant type of the request.
	GrantType oauth2.GrantType
	// Authorization is the Authorization of the tokens.
	Authorization *Authorization
	// Scopes are the scopes of the access token.
	Scopes Scopes
	// Now is when the request arrived.
	Now time.Time
}
