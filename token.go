package oauthkit

import (
	"context"
	"time"
)

// Authorization is what a user allowed an application, or what an application is allowed for itself. Every code and token
// is a credential for one Authorization and is valid only while that is: revoking it is one update of one row, and a token
// that a racing request stores a moment later is dead on arrival.
type Authorization struct {
	// ID names the row. Knowing it allows nothing.
	ID string
	// ApplicationID is the client_id of the application.
	ApplicationID string
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
	ID            string // names the row
	ApplicationID string // the client_id
	Subject       string // the user
	Scopes        Scopes // what was approved so far for every API, by requests that named none
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
	// ConsentAnew says that the user was asked just now, and nothing was remembered. The Consent is inserted, or, where
	// another request has just inserted one for the same application and user, the Scopes, ResourceScopes,
	// ApplicationDigest and UpdatedAt of that one are replaced.
	ConsentAnew
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

// Store is what every provider needs of its database. It makes promises about acts, not about rows: each method is one
// transaction, and of any number of concurrent calls that consume the same thing exactly one succeeds. Package
// store/storetest checks an implementation against all of it.
//
// An implementation must return an error wrapping [ErrNotFound], [ErrReplayed], [ErrRevoked] or [ErrEnded] for those answers and
// any other error when it failed; it must keep either everything of an act or nothing; it must take the time from its
// arguments, except that of [RefreshTokenStore]; it must keep times to the microsecond. Strings are guaranteed to be valid UTF-8 without NUL.
type Store interface {
	ApplicationStore
	TokenStore
	ConsentStore
	InteractionStore
}

// TokenStore keeps authorizations and their access tokens.
type TokenStore interface {
	// SaveTokens saves a new Authorization and its first tokens. It must return ErrEnded, and save nothing, if the store was told
	// that the application was disabled or deleted, and may while everything of the application or the user is being revoked.
	SaveTokens(ctx context.Context, authorization *Authorization, tokens Tokens) error
	// AccessToken returns the token with this hash and its Authorization, expired and revoked ones included. It may be
	// asked a replica only if the replica cannot lag.
	AccessToken(ctx context.Context, hash string) (*AccessToken, error)
	// RevokeAuthorization revokes an Authorization and thereby all its credentials. It reports whether it was not revoked
	// before; an unknown one is not an error.
	RevokeAuthorization(ctx context.Context, id string, now time.Time) (changed bool, err error)
}

// ConsentStore remembers consent.
type ConsentStore interface {
	// Consent returns what subject has approved for the application.
	Consent(ctx context.Context, applicationID, subject string) (*Consent, error)
	// RevokeConsent forgets it and revokes every Authorization of the application for subject, those included that rest
	// on no consent and those that a concurrent request is just about to save under it. It returns the ids of those
	// that were not revoked before.
	RevokeConsent(ctx context.Context, applicationID, subject string, now time.Time) (revoked []string, err error)
}

// InteractionStore keeps authorization requests that wait for their user.
type InteractionStore interface {
	// SaveInteraction saves a new one, or returns ErrReplayed if there is one with this hash. In the same
	// act it removes the oldest of those that are not consumed, until at most limit of the same browser
	// and at most limit of the same user are left, the new one included; limit is at least 1. Concurrent
	// calls may leave as many more as there are calls, until the next one.
	SaveInteraction(ctx context.Context, interaction *Interaction, limit int) error
	// Interaction returns the one with this hash, expired and consumed ones included.
	Interaction(ctx context.Context, hash string) (*Interaction, error)
	// ConsumeInteraction consumes one without any other effect, or returns ErrReplayed or ErrNotFound.
	ConsumeInteraction(ctx context.Context, hash string, now time.Time) error
	// SharedSecret returns the secret that all instances share. If there is none, it saves proposed and
	// returns it; of concurrent calls all return the same one.
	SharedSecret(ctx context.Context, proposed string) (string, error)
}

// CodeStore is what the authorization code grant needs beyond [Store].
type CodeStore interface {
	// SaveCode saves an approval and its code. It must return ErrReplayed when the interaction was consumed before, and
	// ErrRevoked when the consent it stands under, or was to widen, is gone, and ErrEnded as SaveTokens does; nothing is saved or
	// consumed then.
	SaveCode(ctx context.Context, approval *Approval, code *AuthorizationCode) error
	// Code returns the code with this hash and its Authorization. Consumed codes must be returned until they expired
	// and for an hour more, so that a replay can be told from nonsense.
	Code(ctx context.Context, hash string) (*AuthorizationCode, error)
	// RedeemCode consumes the code, saves the tokens, and sets the ExpiresAt of the stored Authorization to that of the
	// tokens' Authorization: SaveCode stored one that ends with the code. It must return ErrReplayed when the code was
	// consumed before, and ErrRevoked when its Authorization was revoked; the Authorization is locked, so that a
	// concurrent revocation comes wholly before or wholly after.
	RedeemCode(ctx context.Context, hash string, tokens Tokens, now time.Time) error
}

// RefreshTokenStore is what the refresh token grant needs beyond [Store].
//
// Expiry is judged by the times that a store is given. The window in which a used refresh token may
// be repeated is judged by the store's own clock alone, so that neither a wait for a lock nor the
// clocks of several instances change its length: clock_timestamp() on PostgreSQL, for example. A
// store without a clock calls Now of the act. Either is read inside the act, once every lock that
// the act needs is held.
type RefreshTokenStore interface {
	// RefreshToken returns the token with this hash and its Authorization. Consumed tokens are
	// returned until they expire.
	RefreshToken(ctx context.Context, hash string) (*RefreshToken, error)
	// RotateRefreshToken consumes a token, keeps rotation.Sealed with it, and saves its successors.
	// It returns the same errors as RedeemCode. In the same act it must drop what is sealed with
	// earlier tokens of the Authorization. Otherwise anyone holding one old token could decrypt
	// the chain of sealed responses up to the live one.
	RotateRefreshToken(ctx context.Context, rotation Rotation) error
	// RepeatRefreshToken counts a repeat of a consumed token, and saves repeat.Access if it is not
	// nil. It returns [ErrRevoked] if the Authorization was revoked; [ErrReplayed] if nothing is
	// sealed with the token, its window is over, or the successor does not exist or was consumed;
	// and otherwise [ErrExhausted] if the token was repeated repeat.Limit times already. Nothing is
	// changed then. A window is over as well if the token was consumed more than a minute in the
	// future, by the same clock.
	RepeatRefreshToken(ctx context.Context, repeat Repeat) (Repeats, error)
}

// Rotation is the use of a refresh token.
type Rotation struct {
	// Hash is that of the presented token.
	Hash string
	// Successors are the tokens that it is exchanged for.
	Successors Tokens
	// Sealed is what a repeat of the token is answered with. If nil, there can be no repeat.
	Sealed []byte
	// Window is how long from its consumption the token can be repeated.
	Window time.Duration
	// Now returns the time, for a store that has no clock of its own. It is never nil.
	Now func() time.Time
}

// Repeat is the presentation of a refresh token that was used before.
type Repeat struct {
	// Hash is that of the presented token.
	Hash string
	// Successor is the hash of the refresh token that it was exchanged for.
	Successor string
	// Access is saved with the repeat. If nil, no token is saved.
	Access *AccessToken
	// Limit is the number of repeats that one token can have.
	Limit int
	// Now is as in [Rotation].
	Now func() time.Time
}

// Repeats counts repeats. A repeat that was refused does not count.
type Repeats struct {
	// Token is the number of repeats of the presented token, including this one.
	Token int
	// Generations is the number of refresh tokens in a row, up to and including the presented one,
	// that were repeated.
	Generations int
}
