package oauthkit

import (
	"context"
	"errors"
	"time"
)

// This file is the contract of a store. Store is required. A grant, a service or an
// extension requires one of the others in its constructor. Cleaner, OwnerLimiter,
// Readier, ConnectionPool and Locator, and Checker and Upkeeper in other files, are
// optional: the provider uses them if the store implements them. Package
// store/storetest tests an implementation against all of it.

// These errors of a store are results, not failures. Any other error means that the
// store failed; the provider then responds with [TemporarilyUnavailable] and neither
// grants nor refuses the request.
var (
	// ErrNotFound means that the requested item does not exist.
	ErrNotFound = errors.New("oauthkit: not found")
	// ErrReplayed means that the presented credential was used before.
	ErrReplayed = errors.New("oauthkit: already used")
	// ErrRevoked means that the Authorization or the Consent was revoked.
	ErrRevoked = errors.New("oauthkit: revoked")
	// ErrExhausted means that the presented credential was repeated too often.
	ErrExhausted = errors.New("oauthkit: repeated too often")
	// ErrEnded means that everything the application or the user has was being revoked
	// while the act ran, that the application was disabled or deleted, or that the
	// session was ended. Nothing was saved.
	ErrEnded = errors.New("oauthkit: application or user is being revoked, or the session has ended")
	// ErrConflict means that the application was changed since it was read.
	ErrConflict = errors.New("oauthkit: changed since it was read")
	// ErrTooMany means that the owner has the maximum number of
	// applications. Nothing was stored.
	ErrTooMany = errors.New("oauthkit: too many")
)

// Store is the database of a provider. It makes promises about acts, not about rows:
// each method is one transaction, and of concurrent calls that consume the same item
// exactly one succeeds.
//
// An implementation must
//   - return an error that wraps [ErrNotFound], [ErrReplayed], [ErrRevoked] or
//     [ErrEnded] where a method names it, and any other error only if it failed;
//   - save everything of an act or nothing;
//   - take the time from its arguments, except for [RefreshTokenStore];
//   - keep times to the microsecond.
//
// Strings are guaranteed to be valid UTF-8 without NUL.
type Store interface {
	ApplicationStore
	TokenStore

	// SaveApproval saves a new Authorization, the credentials of the approval, and its
	// Consent, and consumes its interaction, at the CreatedAt of the Authorization. It
	// must return ErrNotFound if the interaction does not exist, ErrReplayed if it was
	// consumed before, ErrRevoked if the Consent of the approval must exist and does
	// not, and ErrEnded as SaveTokens does. In these cases nothing is saved or consumed.
	//
	// An approval can have a code, tokens, both or neither. The tokens are valid at once
	// and do not consume the code: RedeemCode still accepts it, once.
	SaveApproval(ctx context.Context, approval *Approval) error

	// Consent returns the Consent of subject for the application.
	Consent(ctx context.Context, clientID, subject string) (*Consent, error)
	// RevokeConsent deletes the Consent and revokes every Authorization of the
	// application for subject, including those without a Consent and those that a
	// concurrent request is about to save under it. It returns the ids of those that
	// were not revoked before. It saves a notice for each receiver and each SessionID
	// of these, also for the empty one.
	RevokeConsent(ctx context.Context, clientID, subject string, revocation Revocation) (revoked []string, err error)

	// EndSession ends a session in one transaction. Of the Authorizations of end.Subject
	// with end.ID as SessionID that are not revoked, it revokes those that the end does
	// not keep, and clears the SessionID of the others. It deletes the Interactions of
	// the user in the browser, and saves a notice with the SessionID for each receiver
	// and each application that had one of these Authorizations.
	//
	// For at least a day after it, SaveApproval and SaveTokens must return ErrEnded for
	// an Authorization of that user and SessionID. One that is saved concurrently must be
	// ended by the call too, be refused with ErrEnded, or be saved after it returned.
	EndSession(ctx context.Context, end SessionEnd) (SessionEndResult, error)

	// SaveInteraction saves a new Interaction. It must return ErrReplayed if there is one
	// with this hash. In the same act it must delete the oldest Interactions that are not
	// consumed, until at most limit of the same browser and at most limit of the same
	// user are left, including the new one. The limit is at least 1. Concurrent calls may
	// exceed it by one each; the next call corrects that.
	SaveInteraction(ctx context.Context, interaction *Interaction, limit int) error
	// Interaction returns the Interaction with this hash, even if it is
	// expired or consumed.
	Interaction(ctx context.Context, hash string) (*Interaction, error)
	// ConsumeInteraction consumes an Interaction and does nothing else. It must return
	// ErrReplayed if it was consumed before, and ErrNotFound if it does not exist.
	ConsumeInteraction(ctx context.Context, hash string, now time.Time) error
	// SharedSecret returns the secret that all instances share. If there is none, it
	// saves proposed and returns it. Concurrent calls must return the same secret.
	SharedSecret(ctx context.Context, proposed string) (string, error)
}

// ApplicationStore finds applications.
type ApplicationStore interface {
	// Application returns the application with this client_id. It must return an
	// error that wraps [ErrNotFound] if there is none, and any other error only if
	// it cannot know. The client_id is guaranteed to be at most 255 bytes long.
	Application(ctx context.Context, clientID string) (Application, error)
}

// TokenStore keeps Authorizations and their access tokens.
type TokenStore interface {
	// SaveTokens saves a new Authorization and its first tokens. It must return
	// ErrEnded and save nothing if the application was disabled or deleted through
	// the store. It may return ErrEnded while everything of the application or the
	// user is being revoked.
	SaveTokens(ctx context.Context, authorization *Authorization, tokens Tokens) error
	// AccessToken returns the token with this hash and its Authorization, even if they
	// are expired or revoked. It may read from a replica only if the replica cannot lag.
	AccessToken(ctx context.Context, hash string) (*AccessToken, error)
	// RevokeAuthorization revokes an Authorization and thereby all its credentials. It
	// reports whether the Authorization was valid before. An unknown id is not an error.
	// It saves a notice for each receiver, if the Authorization was valid and has a
	// Subject and a SessionID.
	RevokeAuthorization(ctx context.Context, id string, revocation Revocation) (changed bool, err error)
}

// Revocation says when an act revokes, and who is told.
type Revocation struct {
	// Now is the time of the act.
	Now time.Time
	// Receivers are the names of the receivers for which the act saves a [Notice], due at
	// Now. A notice replaces the one with the same receiver, application, user and
	// session, so that the end of an unfinished delivery does not remove it. If nil, none
	// is saved.
	Receivers []string
}

// SessionEnd is the argument of EndSession.
type SessionEnd struct {
	Session
	Revocation
	// Keep is a scope: an Authorization with it is not revoked. If empty, there is none.
	Keep string
	// KeepAll keeps every Authorization.
	KeepAll bool
}

// SessionEndResult is the result of EndSession.
type SessionEndResult struct {
	// ClientIDs are the applications that had an Authorization in the session, sorted.
	ClientIDs []string
	// Revoked is the number of Authorizations that were revoked.
	Revoked int
}

// CodeStore is required by the authorization code grant, in addition to [Store], whose
// SaveApproval saves the codes.
type CodeStore interface {
	// Code returns the code with this hash and its Authorization. It must return
	// consumed codes until an hour after they expired, so that a replay is
	// distinguishable from an unknown code.
	Code(ctx context.Context, hash string) (*AuthorizationCode, error)
	// RedeemCode consumes the code, saves the tokens, and replaces the ExpiresAt of the
	// stored Authorization, until now the code's, with that of the tokens'
	// Authorization. It must return ErrReplayed if the code was consumed before, and
	// ErrRevoked if its Authorization was revoked. It must lock the Authorization,
	// so that a concurrent revocation happens either before or after it.
	RedeemCode(ctx context.Context, hash string, tokens Tokens, now time.Time) error
}

// RefreshTokenStore is required by the refresh token grant, in addition to [Store].
//
// Expiry is checked with the times that are passed to the store. The window in which
// a used refresh token may be repeated is checked with the store's own clock alone,
// for example clock_timestamp() on PostgreSQL, so that neither a wait for a lock nor
// the clocks of several instances change its length. A store without a clock calls
// the Now function in the argument. Either clock must be read inside the act, once
// every lock that the act needs is held.
type RefreshTokenStore interface {
	// RefreshToken returns the token with this hash and its Authorization. It must
	// return consumed tokens until they expire.
	RefreshToken(ctx context.Context, hash string) (*RefreshToken, error)
	// RotateRefreshToken consumes a token, keeps rotation.Sealed with it, and saves
	// its successors. It returns the same errors as RedeemCode. In the same act it
	// must delete the sealed responses of earlier tokens of the Authorization.
	// Otherwise anyone holding one old token could decrypt the chain of sealed
	// responses up to the live one.
	RotateRefreshToken(ctx context.Context, rotation Rotation) error
	// RepeatRefreshToken counts a repeat of a consumed token, and saves
	// repeat.Access if it is not nil. It must return, and change nothing,
	//   - [ErrRevoked] if the Authorization was revoked,
	//   - [ErrReplayed] if nothing is sealed with the token, its window is over, or
	//     the successor does not exist or was consumed,
	//   - otherwise [ErrExhausted] if the token was already repeated repeat.Limit
	//     times.
	// The window is also over if, by the same clock, the token was consumed more
	// than a minute in the future.
	RepeatRefreshToken(ctx context.Context, repeat Repeat) (Repeats, error)
}

// Rotation is the use of a refresh token.
type Rotation struct {
	// Hash is the hash of the presented token.
	Hash string
	// Successors are the tokens that replace it.
	Successors Tokens
	// Sealed is the sealed response to a repeat of the token. If nil,
	// it cannot be repeated.
	Sealed []byte
	// Window is how long after its consumption the token can be repeated.
	Window time.Duration
	// Now returns the time, for a store that has no clock of its own. It is never nil.
	Now func() time.Time
}

// Repeat is the presentation of a refresh token that was used before.
type Repeat struct {
	// Hash is the hash of the presented token.
	Hash string
	// Successor is the hash of the refresh token that replaced it.
	Successor string
	// Access is saved with the repeat. If nil, no token is saved.
	Access *AccessToken
	// Limit is the number of repeats that one token can have.
	Limit int
	// Now returns the time, as in [Rotation].
	Now func() time.Time
}

// Repeats counts repeats. A refused repeat does not count.
type Repeats struct {
	// Token is the number of repeats of the presented token, including this one.
	Token int
	// Generations is the number of consecutive refresh tokens that were repeated, up
	// to and including the presented one.
	Generations int
}

// KeyStore keeps signing keys for all instances of the provider.
type KeyStore interface {
	// SigningKeys returns all keys, in any order.
	SigningKeys(ctx context.Context) ([]*SigningKey, error)
	// AddSigningKey adds a key. It must return ErrReplayed if there is one with the same
	// algorithm and generation. Of concurrent calls for both exactly one must succeed.
	AddSigningKey(ctx context.Context, key *SigningKey) error
	// RemoveSigningKey removes a key and reports whether it existed. Of concurrent
	// calls exactly one must report true.
	RemoveSigningKey(ctx context.Context, id string) (removed bool, err error)
	// ReplacePrivateKey replaces SigningKey.Private of one key if it still equals old,
	// and reports whether it did. It changes nothing else and adds no key. Of concurrent
	// calls with the same old exactly one must report true.
	ReplacePrivateKey(ctx context.Context, id string, old, private []byte) (replaced bool, err error)
}

// ApplicationManager is required by [Applications], in addition to [Store]. It takes
// and returns applications of one type, which the host chooses.
type ApplicationManager interface {
	ApplicationStore
	// NewApplication returns a zero application.
	NewApplication() Application
	// ValidateApplication checks app by the rules of the store. The error holds
	// [Problems] with everything that is wrong.
	ValidateApplication(app Application) error
	// ListApplications returns applications in the order of their client_id.
	ListApplications(ctx context.Context, query ApplicationQuery) ([]Application, error)
	// CreateApplication prepares app with [ApplicationRules.Prepare] and stores it.
	// It must return an error that holds [Problems] if app is not valid, and an
	// error if its client_id exists.
	CreateApplication(ctx context.Context, app Application, now time.Time) error
	// UpdateApplication replaces the application with the client_id of app. It must
	// return ErrNotFound if there is none, and ErrConflict if it was changed since app
	// was read: otherwise the change, for example to Disabled, would be lost. An app that
	// embeds AbstractApplication is compared by its UpdatedAt, which is set to now, or to
	// a later time if it was not earlier than now. Other types need such a field.
	//
	// It must return an error that holds [Problems] if app is usable and not valid. It
	// stores an app that is not usable unchecked, so that an application can be disabled
	// even if the rules have changed, and revokes everything that the application has.
	UpdateApplication(ctx context.Context, app Application, now time.Time) error
	// DeleteApplication removes an application, deletes every Consent for it and revokes
	// everything that it has. It must return ErrNotFound if it does not exist.
	DeleteApplication(ctx context.Context, clientID string, now time.Time) error
}

// ApplicationQuery selects the applications that ListApplications returns.
type ApplicationQuery struct {
	// Owners selects the applications of these owners. If nil, all applications are
	// selected; if empty and not nil, none.
	Owners []string
	// After is the last client_id of the previous page. If empty, the
	// first page is selected.
	After string
	// Size is the maximum number of applications. If zero, it is 100.
	Size int
}

// OwnerLimiter is an [ApplicationManager] that counts the applications of an owner
// in the act that creates another one. Without it [Applications.Create] counts
// first, and parallel requests may exceed the limit by a few applications.
type OwnerLimiter interface {
	// CreateApplicationWithin does the same as CreateApplication if the owner of app, as
	// GetUserID returns it, has fewer than limit applications. Otherwise it must return
	// [ErrTooMany] and change nothing. Parallel calls, also by other instances, must not
	// exceed the limit together. An app without an owner is not limited.
	CreateApplicationWithin(ctx context.Context, app Application, limit int, now time.Time) error
}

// AuthorizationManager is required by [Authorizations], in addition to [Store]. An
// empty subject does not identify a user: it must never match the Authorizations
// that applications have for themselves.
type AuthorizationManager interface {
	// UserAuthorizations returns the valid Authorizations of a user that can still be
	// used, the newest first: those with an access token that has not expired, or with a
	// refresh token that is neither expired nor used. It must leave out an Authorization
	// whose code was not redeemed, because that is no sign-in yet, even if the approval
	// saved tokens beside the code. The limit holds for each application, so that those
	// of one application never hide those of another. It must not read more than it
	// returns if a user has very many.
	UserAuthorizations(ctx context.Context, query AuthorizationQuery) ([]AuthorizationUse, error)
	// UserConsents returns the Consents of a user in the order of their client_ids,
	// compared byte by byte.
	UserConsents(ctx context.Context, subject string) ([]*Consent, error)
	// RevokeUser deletes every Consent of a user and revokes every Authorization of
	// the user. An Authorization that is saved concurrently must be revoked too, be
	// refused with ErrEnded, or be saved after RevokeUser returned. It returns the
	// number of Authorizations that were not revoked before. It must lock only a
	// part of them at a time. After an error, repeating the call
	// continues the work. It saves a notice for each receiver, application,
	// user and SessionID of the Authorizations that it revokes and that have
	// a Subject, also for the empty SessionID.
	RevokeUser(ctx context.Context, subject string, revocation Revocation) (revoked int, err error)
	// RevokeApplication does the same for the Consents and
	// Authorizations of an application.
	RevokeApplication(ctx context.Context, clientID string, revocation Revocation) (revoked int, err error)
}

// AuthorizationQuery selects Authorizations of a user.
type AuthorizationQuery struct {
	// Subject is the user. If empty, nothing is selected.
	Subject string
	// ID selects one Authorization. If empty, all are selected.
	ID string
	// Now is the time at which they must be valid.
	Now time.Time
	// Limit is the maximum number for each application. The newest are selected.
	Limit int
}

// AuthorizationUse is an [Authorization] with the time of its last use.
type AuthorizationUse struct {
	*Authorization
	// LastUsedAt is when the last of its stored tokens was issued.
	LastUsedAt time.Time
}

// Cleaner is a [Store] that removes expired rows.
type Cleaner interface {
	// Cleanup removes expired rows of every table, in batches that are transactions
	// of their own. It may be interrupted at any time and may run concurrently, and
	// must never remove a row that a request could still need. It returns the number
	// of removed rows by table, also if it returns an error.
	//
	// It also deletes sealed responses of refresh tokens whose retry window is over,
	// and counts them as "refresh_tokens.sealed". A store with a clock of its own
	// must keep those whose window is open by that clock.
	Cleanup(ctx context.Context, limits CleanupLimits) (removed map[string]int, err error)
}

// CleanupLimits limits one call of Cleanup.
type CleanupLimits struct {
	// Now is the time at which rows must have expired. If zero, [Provider.Cleanup]
	// sets it to the time of the call. A Cleaner must return an error if it is zero.
	Now time.Time
	// Batch is the number of rows that one transaction removes. If zero, it is 1000.
	Batch int
	// Batches is the number of batches per table. If zero, there is no limit.
	Batches int
	// DryRun counts the rows that would be removed, by the same conditions and
	// within the same limits, and removes nothing. An Authorization is removed only
	// after its codes; it is counted as if they were removed, even if the limits
	// would keep some of them.
	DryRun bool
	// Progress is called after each batch with the table and the number of removed rows,
	// and in a dry run once for each table, but never with zero rows. It is called by the
	// goroutine that called Cleanup, between two transactions. It may be nil.
	Progress func(table string, rows int)
}

// Readier is a [Store] that knows whether it can be written to.
type Readier interface {
	// Ready returns nil if the store answers and can be written to. It
	// must change nothing.
	Ready(ctx context.Context) error
}

// ConnectionPool is a [Store] with a limited number of connections, of
// which each call needs one.
type ConnectionPool interface {
	// Connections returns the maximum number of connections. Zero means
	// unlimited or unknown.
	Connections() int
}

// Locator is a [Store] that identifies its tables, so that [Provider.Check] finds
// parts of a provider that use different ones.
type Locator interface {
	// Location returns the same text for all stores that share their
	// tables, and different texts for stores that do not. It returns the
	// empty string if it cannot tell.
	Location(ctx context.Context) (string, error)
}
