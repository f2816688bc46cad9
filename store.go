package oauthkit

import (
	"context"
	"errors"
	"time"
)

// The answers of a store that are not failures. Any other error of a store means that it failed, and is answered
// with [TemporarilyUnavailable]: not knowing is never "no".
var (
	// ErrNotFound says that there is no such thing.
	ErrNotFound = errors.New("oauthkit: not found")
	// ErrReplayed says that the presented credential was used before.
	ErrReplayed = errors.New("oauthkit: used before")
	// ErrRevoked says that the Authorization or the Consent behind it was revoked.
	ErrRevoked = errors.New("oauthkit: revoked")
	// ErrExhausted says that the presented credential was repeated as often as it may be.
	ErrExhausted = errors.New("oauthkit: repeated too often")
	// ErrEnded says that all that the application or the user has is being revoked, or was when the application was disabled or
	// deleted, while the act ran. Nothing was saved.
	ErrEnded = errors.New("oauthkit: ended meanwhile")
	// ErrConflict says that an application was changed by somebody else since it was read.
	ErrConflict = errors.New("oauthkit: changed meanwhile")
	// ErrTooMany says that an owner has as many applications as they may have. Nothing was stored.
	ErrTooMany = errors.New("oauthkit: too many")
)

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

// ApplicationStore finds applications.
type ApplicationStore interface {
	// Application returns the application with this client_id. It must return an error wrapping [ErrNotFound] when there
	// is none, and any other error only when it cannot know. The id is guaranteed to be valid UTF-8 without NUL and at
	// most 255 bytes long.
	Application(ctx context.Context, clientID string) (Application, error)
}

// ApplicationManager is what managing applications needs of a store beyond [Store]. Every application that it takes or returns
// is of the host's own type.
type ApplicationManager interface {
	ApplicationStore
	ApplicationModel
	ApplicationWriter
	// ListApplications returns applications in the order of their client_id.
	ListApplications(ctx context.Context, page ApplicationQuery) ([]Application, error)
}

// ApplicationModel is the host's type of application, and its rules.
type ApplicationModel interface {
	// NewApplication returns a zero application.
	NewApplication() Application
	// ValidateApplication returns an error that holds [Problems] with everything that is wrong with app.
	ValidateApplication(app Application) error
}

// ApplicationWriter changes what applications there are. What is not valid is refused with an error that holds [Problems], but an
// application that is not usable is updated as it is: whatever the rules have become, it can be switched off.
type ApplicationWriter interface {
	// CreateApplication makes app ready by the store's [ApplicationRules], with a new client_id where it has none, and stores it. It is
	// an error if there is one with its client_id.
	CreateApplication(ctx context.Context, app Application) error
	// UpdateApplication stores app in the place of the one with its client_id, or returns ErrNotFound. It must return ErrConflict where
	// somebody else has changed that one since app was read: what he changed, such as Disabled, would be undone. An app that embeds
	// AbstractApplication and has an UpdatedAt tells by this; one of another type needs a field that does. What an application that
	// is not usable any more has is revoked.
	UpdateApplication(ctx context.Context, app Application) error
	// DeleteApplication removes an application, forgets all consent for it and revokes all that it has, or returns ErrNotFound.
	DeleteApplication(ctx context.Context, clientID string) error
}

// OwnerLimiter is an [ApplicationManager] that counts the applications of an owner in the act that
// creates another. Without it [Applications.Create] counts them first, and parallel requests may exceed
// the limit by a few applications.
type OwnerLimiter interface {
	// CreateApplicationWithin does the same as CreateApplication if the owner of app, as GetUserID
	// returns it, has fewer than limit applications. Otherwise it returns [ErrTooMany] and changes
	// nothing. Parallel calls, also by other instances, must not exceed the limit together. An app
	// without an owner is not limited.
	CreateApplicationWithin(ctx context.Context, app Application, limit int) error
}

// ApplicationQuery says which applications ListApplications returns.
type ApplicationQuery struct {
	// Owners are whose applications. Nil: everyone's; empty but not nil: nobody's.
	Owners []string
	// After is the last client_id of the page before. Empty: the first page.
	After string
	// Size is the most that is returned. Zero: 100.
	Size int
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
	Consent(ctx context.Context, clientID, subject string) (*Consent, error)
	// RevokeConsent forgets it and revokes every Authorization of the application for subject, those included that rest
	// on no consent and those that a concurrent request is just about to save under it. It returns the ids of those
	// that were not revoked before.
	RevokeConsent(ctx context.Context, clientID, subject string, now time.Time) (revoked []string, err error)
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

// AuthorizationManager is what managing what users have approved needs of a store beyond [Store]. An empty subject is no user:
// what applications have for themselves must not be returned or revoked for it.
type AuthorizationManager interface {
	// UserAuthorizations returns those of a user that are valid and can still be used, the newest first: there is an access token
	// that has not expired, or a refresh token that has neither expired nor been used. One whose code was not redeemed is no
	// sign-in yet, and is not returned. The limit is for each application: however many one has, those of another must not be
	// left out for it. It must not have to read more than it returns where a user has very many.
	UserAuthorizations(ctx context.Context, query AuthorizationQuery) ([]AuthorizationUse, error)
	// UserConsents returns what a user has approved, in the order of the client_ids, compared byte by byte.
	UserConsents(ctx context.Context, subject string) ([]*Consent, error)
	// RevokeUser forgets everything that a user has approved and revokes every Authorization of the user. What is saved at the
	// same time is revoked too, refused with ErrEnded, or comes wholly after. It returns the number of those that were not
	// revoked before. It must lock no more than a part of them at a time; after an error, the same call continues.
	RevokeUser(ctx context.Context, subject string, now time.Time) (revoked int, err error)
	// RevokeApplication does the same for an application, with what was approved for it and every Authorization that it has.
	RevokeApplication(ctx context.Context, clientID string, now time.Time) (revoked int, err error)
}

// AuthorizationQuery says which Authorizations of a user are asked for.
type AuthorizationQuery struct {
	// Subject is whose they are; empty: nobody's, and there are none.
	Subject string
	// ID narrows it to the one that has it, if it is the user's; empty: any.
	ID string
	// Now is the time at which they must be good.
	Now time.Time
	// Limit is the number of those of each application that are returned, its newest.
	Limit int
}

// AuthorizationUse is an [Authorization] with when it was last used.
type AuthorizationUse struct {
	*Authorization
	// LastUsedAt is when the last of its tokens was issued that the store still has.
	LastUsedAt time.Time
}

// KeyStore keeps signing keys, for every instance of the provider.
type KeyStore interface {
	// SigningKeys returns all of them, in no particular order.
	SigningKeys(ctx context.Context) ([]*SigningKey, error)
	// AddSigningKey adds one. It must return ErrReplayed when there is one of the same algorithm and generation, and of any
	// number of concurrent calls for both exactly one must succeed.
	AddSigningKey(ctx context.Context, key *SigningKey) error
	// RemoveSigningKey removes one, and reports whether it was there: of several that remove it, one is told so.
	RemoveSigningKey(ctx context.Context, id string) (removed bool, err error)
}

// Cleaner removes what has expired.
type Cleaner interface {
	// Cleanup removes expired rows of every table, in batches that are transactions of their own. It may be stopped at any
	// time, may run anywhere at once, and never removes what a request could still need. It returns how many rows it
	// removed from each table, those included that it removed before an error.
	//
	// It also drops what is sealed with refresh tokens whose retry window is over, and counts it as
	// "refresh_tokens.sealed". A store with a clock of its own drops nothing whose window is open by
	// that clock.
	Cleanup(ctx context.Context, limits CleanupLimits) (removed map[string]int, err error)
}

// CleanupLimits bound one call of Cleanup.
type CleanupLimits struct {
	// Now is the time by which rows are expired. Zero: the time of the call.
	Now time.Time
	// Batch is the number of rows that one transaction removes. Zero: 1000.
	Batch int
	// Batches is the number of batches per table. Zero: until nothing is left.
	Batches int
	// DryRun says that nothing is removed, and counts what would be, by the same conditions and within the same limits. An
	// Authorization goes only after its codes: it is counted as if they had gone, also where the limits would keep some of them.
	DryRun bool
	// Progress is told after each batch how many rows it removed from which table, and in a dry run once for each table; never
	// of none. It is called by the goroutine that has called Cleanup, between two transactions. Nil: nobody is told.
	Progress func(table string, rows int)
}

// Upkeeper is a [Grant], an [Extension], a [ScopeBackend] or a [Store] with work to do from time to
// time, such as reading the signing keys again. [Run] calls Upkeep.
type Upkeeper interface {
	// Upkeep does the work that is due and returns. Concurrent calls, also by other instances, must be
	// safe. An error is logged, and the next call tries again.
	Upkeep(ctx context.Context) error
}

// Readier is a [Store] that can tell whether it can be written to.
type Readier interface {
	// Ready returns nil if the store answers and can be written to. It must change nothing.
	Ready(ctx context.Context) error
}

// ConnectionPool is a [Store] whose calls each need a connection of a limited number.
type ConnectionPool interface {
	// Connections returns how many connections there are at most. Zero: unlimited or unknown.
	Connections() int
}

// Placed is a store that can tell where it keeps what is issued.
type Placed interface {
	// Place returns the same text for all stores that share their tables, and another one for those that do not. Empty: it cannot tell.
	Place(ctx context.Context) (string, error)
}
