package oauthkit

import (
	"time"
)

// Authorization is what a user allowed an application, or what an application is allowed for itself. Every code and token
// is a credential for one Authorization and is valid only while that is: revoking it is one update of one row, and a token
// that a racing request stores a moment later is dead on arrival.
type Authorization struct {
	// ID names the row. Knowing it allows nothing.
	ID string
	// ClientID is the client_id of the application.
	ClientID string
	// ConsentID is the Consent that it stands under; empty where no consent was needed.
	ConsentID string
	// Subject is the user's identifier; empty where the application acts for itself (RFC 6749 §4.4).
	Subject string
	// Scopes are all that was allowed. A token may have fewer.
	Scopes Scopes
	// Resources are the APIs that it is for (RFC 8707), as absolute URIs. None: it is restricted to no API.
	Resources URIs
	// AuthTime, ACR, AMR and SessionID describe the sign-in that it rests on, as the host told; zero where unknown.
	AuthTime  time.Time
	ACR       string
	AMR       []string
	SessionID string
	// Params is what extensions kept of the authorization request, such as OpenID Connect's nonce.
	Params map[string]string
	// CreatedAt is when it was approved.
	CreatedAt time.Time
	// ExpiresAt is the moment past which no credential of it is valid, however often it was refreshed. Until its code is
	// redeemed, that is the end of the code. If zero, [TokenRequest.Issue] sets it.
	ExpiresAt time.Time
	// RevokedAt is when it was revoked; zero while it is not.
	RevokedAt time.Time
}

// Valid reports whether the Authorization is neither revoked nor expired.
func (a *Authorization) Valid(now time.Time) bool {
	return a.RevokedAt.IsZero() && now.Before(a.ExpiresAt)
}

// Consent is what a user has approved for an application, remembered. There is at most one for both; every Authorization
// that rests on it is revoked together with it.
type Consent struct {
	ID       string // names the row
	ClientID string // the client_id
	Subject  string // the user
	Scopes   Scopes // what was approved so far for every API, by requests that named none
	// ResourceScopes are what was approved for single APIs, by the requests that named them (RFC 8707): the scopes by the URI.
	ResourceScopes map[string]Scopes
	// ApplicationDigest is a hash of what the user was shown of the application, its name and redirect URIs, and of its
	// client type. With another one the user has to be asked again.
	ApplicationDigest string
	CreatedAt         time.Time
	UpdatedAt         time.Time // when the user was last asked for all of it
}

// Interaction is an authorization request that waits for the decision of a user. Pages carry only its id,
// so nothing of it can be changed between two of them.
type Interaction struct {
	Hash        string // of the id
	BrowserHash string // of the cookie of the browser that began it
	Subject     string // of the user
	// Sealed holds the parameters of the request, encrypted with a key derived from the id.
	Sealed     []byte
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ConsumedAt time.Time // when it was decided; zero before
}

// AuthorizationCode is the credential of RFC 6749 §4.1.2, with what the token request must prove.
type AuthorizationCode struct {
	Hash                string
	Authorization       *Authorization
	RedirectURI         string // exactly as it was sent (RFC 6749 §4.1.3)
	CodeChallenge       string // RFC 7636 §4.2
	CodeChallengeMethod string // S256
	IssuedAt            time.Time
	ExpiresAt           time.Time
	ConsumedAt          time.Time // when it was redeemed; zero before
}

// AccessToken is the credential of RFC 6749 §1.4.
type AccessToken struct {
	Hash          string
	Authorization *Authorization
	Scopes        Scopes // a part of the Authorization's
	Resources     URIs   // those of the Authorization, or some of them (RFC 8707 §2.2). None: no API by name
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// RefreshToken is the credential of RFC 6749 §1.5. Each is good for one use.
type RefreshToken struct {
	Hash          string
	Authorization *Authorization
	IssuedAt      time.Time
	ExpiresAt     time.Time // if it is not used until then; the Authorization's ExpiresAt holds as well
	ConsumedAt    time.Time // when it was exchanged for its successor, by the store's clock; zero before
	// Sealed is the response that it was exchanged for, encrypted with a key that only its bearer
	// has. It is nil before, and nil again once the response may not be repeated any more.
	Sealed []byte
}

// Tokens are saved together or not at all. Their Authorization fields point to the same value.
type Tokens struct {
	Access  *AccessToken
	Refresh *RefreshToken // nil: none is issued
}

// ConsentUse says what the Consent of an Approval rests on, and so what a store does with it.
type ConsentUse int

const (
	// ConsentRemembered says that nobody was asked. The Consent must still exist, by its ID, and stays as it is.
	ConsentRemembered ConsentUse = iota
	// ConsentNew says that the user was asked just now, and nothing was remembered. The Consent is inserted, or, where
	// another request has just inserted one for the same application and user, the Scopes, ResourceScopes,
	// ApplicationDigest and UpdatedAt of that one are replaced.
	ConsentNew
	// ConsentWidened says that the user was asked just now, beyond what was remembered. The Consent must still exist, by its
	// ID, and its Scopes, ResourceScopes, ApplicationDigest and UpdatedAt are replaced: written anyway, it would bring back what was
	// withdrawn meanwhile.
	ConsentWidened
)

// Approval is what the authorization endpoint writes in one act, together with the credential it hands out.
type Approval struct {
	// Authorization is new. Its ConsentID is set by the store.
	Authorization *Authorization
	// Consent is what it stands under; nil: none is needed.
	Consent *Consent
	// ConsentUse says what Consent rests on. It is of no meaning without one.
	ConsentUse ConsentUse
	// InteractionHash is the Interaction to consume; empty: the user had nothing to do.
	InteractionHash string
}

// SigningKey is a key that signs tokens, as it is stored. Of one algorithm there are several at a time: one that is
// published before it is used, one in use, and those whose signatures are still about.
type SigningKey struct {
	// ID is the kid: the key's JWK thumbprint (RFC 7638).
	ID string
	// Algorithm is RS256 or ES256.
	Algorithm string
	// Generation counts the keys of the algorithm, from 1. It decides between instances that add a key at the same time.
	Generation int
	// Private is the private key, sealed with Config.Secret where there is one.
	Private []byte
	// CreatedAt is when it was made, and published from.
	CreatedAt time.Time
	// ActiveAt is from when it signs, unless there is a later one that does.
	ActiveAt time.Time
}
