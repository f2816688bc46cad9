package oauthkit

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Event is one of the event structs of this package, such as [TokenIssued].
// Config.Observe receives events; a type switch over them is an audit log. The event of
// a change is sent once, after the change is stored. [RequestInfoFrom] returns the
// request it belongs to.
//
// No event holds a secret. Codes and tokens are named by their [CredentialID].
type Event interface {
	event() string
}

// EventName returns the name of an event for logs and metrics, such as
// "token.issued". The comment of each event has its name, which never changes.
func EventName(event Event) string { return event.event() }

// Observers returns a function for Config.Observe that calls several functions in
// order. Nil functions are skipped.
func Observers(observers ...func(ctx context.Context, event Event)) func(ctx context.Context, event Event) {
	return func(ctx context.Context, event Event) {
		for _, observe := range observers {
			if observe != nil {
				observe(ctx, event)
			}
		}
	}
}

// Record sends an event to Config.Observe. A panic in it is logged and goes no
// further: it must not change the response to a request whose effects are stored.
func (p *Provider) Record(ctx context.Context, event Event) {
	if p.config.Observe == nil {
		return
	}
	defer p.recoverObserver(ctx, event)
	p.config.Observe(ctx, event)
}

// recordFor records an event with its application.
func (p *Provider) recordFor(ctx context.Context, app Application, event Event) {
	p.Record(context.WithValue(ctx, applicationKey{}, app), event)
}

// recoverObserver is deferred around Config.Observe.
func (p *Provider) recoverObserver(ctx context.Context, event Event) {
	if value := recover(); value != nil {
		p.Logger().ErrorContext(ctx, "Config.Observe panicked", "event", EventName(event),
			"trace_id", RequestInfoFrom(ctx).TraceID, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
	}
}

// applicationKey is the key of an event's Application in a context.
type applicationKey struct{}

// ApplicationFrom returns the application with the event's ClientID, in the host's
// own type, from the context that Config.Observe is called with. It is there when
// consent is granted or denied, when a code or token is issued, replayed, misused or
// denied introspection, and when an application is registered, changed or removed or
// gets a new secret. At other events only the store can find it.
func ApplicationFrom(ctx context.Context) (Application, bool) {
	app, ok := ctx.Value(applicationKey{}).(Application)
	return app, ok
}

// CredentialID returns the name of a code or token in events: the first 8 hexadecimal
// digits of its SHA-256. It allows finding the events of a credential, and nothing else:
// it is too short to look up the credential, for which there is [CredentialHash].
func CredentialID(value string) string {
	if value == "" {
		return ""
	}
	return secret.ID(secret.Hash(value))
}

// EventAttributes returns the fields of an event for a log, in order, with names in
// snake_case. It leaves out fields that are empty, zero or false. Scopes are one
// text, as in a request.
func EventAttributes(event Event) []slog.Attr {
	fields := reflect.ValueOf(event)
	attributes := make([]slog.Attr, 0, fields.NumField())
	for i := range fields.NumField() {
		if field := fields.Field(i); !field.IsZero() {
			attributes = append(attributes, slog.Attr{Key: attributeName(fields.Type().Field(i).Name), Value: attributeValue(field)})
		}
	}
	return attributes
}

// EventLabels returns the attributes that are safe as metric labels: low cardinality
// and no personal data.
func EventLabels() []string {
	return []string{"code", "credential", "endpoint", "grant_type", "method", "reason", "receiver"}
}

// attributeName inserts an underscore before each new word.
func attributeName(field string) string {
	var name strings.Builder
	var last rune
	for _, letter := range field {
		if unicode.IsUpper(letter) && unicode.IsLower(last) {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToLower(letter))
		last = letter
	}
	return name.String()
}

func attributeValue(field reflect.Value) slog.Value {
	switch value := field.Interface().(type) {
	case Scopes:
		return slog.StringValue(value.String())
	case map[string]int:
		var members []slog.Attr
		for _, name := range slices.Sorted(maps.Keys(value)) {
			members = append(members, slog.Int(name, value[name]))
		}
		return slog.GroupValue(members...)
	}
	if field.Kind() == reflect.String { // of a named type, such as RevocationReason
		return slog.StringValue(field.String())
	}
	return slog.AnyValue(field.Interface())
}

// The events of authorization requests and of the access of users follow.

// AuthorizeRejected ("authorize.rejected") is sent when an authorization request is
// refused, but not by its user.
type AuthorizeRejected struct {
	ClientID    string // empty if the application is unknown
	Code        ErrorCode
	Reason      Reason
	Description string // the error_description
	// Shown means that the error was shown to the user, because there is no safe
	// address to send it to. Otherwise it was sent to the application.
	Shown bool
}

// SignInRequired ("sign_in.required") is sent when a user is sent to
// the host's login page.
type SignInRequired struct {
	ClientID string // of the authorization request; empty for a page of the library
	Subject  string // the user who has to sign in again; empty if there is none
}

// SignedOut ("sign_out.done") is sent when a user signed out on the library's page,
// after the host has ended the session.
type SignedOut struct {
	ClientID string // the application that asked for it; empty if the user did
	Subject  string
}

// ConsentGranted ("consent.granted") is sent when a user approved an application's
// request on the consent page.
type ConsentGranted struct {
	ClientID, Subject string
	Scopes            Scopes
}

// ConsentDenied ("consent.denied") is sent when a user denied an application's
// request on the consent page.
type ConsentDenied struct {
	ClientID, Subject string
	Scopes            Scopes
}

// ConsentRevoked ("consent.revoked") is sent when everything that a user had
// approved for an application was revoked: remembered consent, Authorizations
// without it, as those of a trusted application, or both.
type ConsentRevoked struct {
	ClientID, Subject string
	AuthorizationIDs  []string // those that were revoked by it
}

// AuthorizationGranted ("authorization.granted") is sent when an authorization
// request was answered with a credential.
type AuthorizationGranted struct {
	ClientID, Subject, AuthorizationID string
	CodeID                             string // the CredentialID of the code; empty for other credentials
	Scopes                             Scopes
}

// RevocationReason tells why an Authorization was revoked.
type RevocationReason string

// The reasons for a revocation.
const (
	RevokedByApplication RevocationReason = "application"   // RFC 7009
	RevokedByReplay      RevocationReason = "replay"        // a credential was used twice
	RevokedByInactivity  RevocationReason = "user_inactive" // Config.UserIsActive returned false
	RevokedByUser        RevocationReason = "user"          // the user revoked one sign-in
	RevokedByHost        RevocationReason = "host"          // the host called Provider.RevokeAuthorization
)

// isNoticed reports whether the application did not cause the revocation itself, so that
// a [Notice] about it is saved.
func (r RevocationReason) isNoticed() bool { return r == RevokedByUser || r == RevokedByHost }

// AuthorizationRevoked ("authorization.revoked") is sent when an Authorization and
// thereby all its credentials were revoked.
type AuthorizationRevoked struct {
	ClientID, Subject, AuthorizationID string
	Reason                             RevocationReason
}

// UserRevoked ("user.revoked") is sent when everything that a user had
// approved was revoked.
type UserRevoked struct {
	Subject        string
	Authorizations int // the number of revoked Authorizations
}

// SessionEnded ("session.ended") is sent when a session was ended at the provider,
// after the Authorizations that end with it were revoked. It is sent again if the session
// is ended again.
type SessionEnded struct {
	Subject        string
	SessionID      string // the sid, see Provider.SessionID
	Clients        int    // the number of applications that were in the session
	Authorizations int    // the number of revoked Authorizations
}

// CrossSiteBlocked ("csrf.blocked") is sent when a request was refused that another
// site may have made the user's browser send.
type CrossSiteBlocked struct {
	Endpoint string // relative to the issuer, such as "applications/{client_id}"; empty for an API of the host
	Reason   Reason // ReasonCrossSite, ReasonFormExpired or ReasonOtherBrowser
	Origin   string // the header of the request; empty if there is none
}

// The events of the endpoints that applications call follow.

// TokenIssued ("token.issued") is sent for every successful response of the token
// endpoint. It is Django OAuth Toolkit's app_authorized.
type TokenIssued struct {
	ClientID, Subject, AuthorizationID string
	AccessTokenID, RefreshTokenID      string // their CredentialIDs
	GrantType                          string
	Scopes                             Scopes
	// Retried means that a refresh token was repeated with the same parameters
	// within its retry window, and that the same tokens were returned again. A
	// repeat with other parameters gets a new access token and the same refresh
	// token. A [CredentialRepeated] follows in both cases.
	Retried bool
}

// CredentialRepeated ("credential.repeated") is sent when a refresh token was
// presented again within its retry window. The client may not have received the
// first response, or two parties have the token.
type CredentialRepeated struct {
	ClientID, Subject, AuthorizationID string
	CredentialID                       string // of the presented token
	Repeats                            int    // of this token, including this one; zero if it was refused
	// Refused means that the token was repeated too often, or that its
	// response cannot be decrypted because Config.Secret was changed. Nothing
	// was issued, and nothing revoked.
	Refused bool
}

// CredentialShared ("credential.shared") is sent once for each repeated refresh
// token from the third consecutive one on. Two parties may be using the same
// Authorization, each with the responses to the other.
// RefreshTokenConfig.RevokeShared of package grants revokes it.
type CredentialShared struct {
	ClientID, Subject, AuthorizationID string
	CredentialID                       string // of the presented token
	Generations                        int    // the number of consecutive repeated tokens
}

// CredentialReplayed ("credential.replayed") is sent when a used code or refresh
// token was presented again. Two parties have it.
type CredentialReplayed struct {
	ClientID, Subject, AuthorizationID string
	Credential                         string // its Credential.Kind
	CredentialID                       string
}

// CredentialMisused ("credential.misused") is sent when an application presented a
// credential of another application to use or to revoke it.
type CredentialMisused struct {
	ClientID     string // of the application that presented it
	OwnerID      string // the client_id that it was issued to
	Credential   string // its Credential.Kind
	CredentialID string
}

// IntrospectionDenied ("introspection.denied") is sent when an application
// introspected a credential of another application and may not. The response was the
// same as for an unknown credential.
type IntrospectionDenied struct {
	ClientID     string // of the application that asked
	OwnerID      string // the client_id that it was issued to
	Credential   string // its Credential.Kind
	CredentialID string
}

// ClientAuthenticationFailed ("client_auth.failed") is sent when an
// application did not authenticate.
type ClientAuthenticationFailed struct {
	ClientID string // empty if it is unknown: the client may have sent anything, even a secret
	Method   string // such as client_secret_basic
}

// The events of managing applications and of operating the provider follow.

// ApplicationCreated ("application.created") is sent when an application was registered.
type ApplicationCreated struct {
	ClientID string
	By       string // the user who did it
}

// ApplicationUpdated ("application.updated") is sent when an application was changed.
type ApplicationUpdated struct {
	ClientID string
	By       string   // the user who did it
	Changed  []string // the JSON names of the changed members, sorted
	Disabled bool     // it is no longer usable, so everything issued to it was revoked
}

// ApplicationDeleted ("application.deleted") is sent when an application was removed
// and everything issued to it was revoked.
type ApplicationDeleted struct {
	ClientID string
	By       string // the user who did it
}

// SecretRotated ("application.secret_rotated") is sent when an
// application got a new secret.
type SecretRotated struct {
	ClientID string
	By       string // the user who did it
}

// ApplicationRevoked ("application.revoked") is sent when everything that users had
// approved for an application was revoked.
type ApplicationRevoked struct {
	ClientID       string
	Authorizations int // the number of revoked Authorizations
}

// KeyPublished ("key.published") is sent when a new signing key was stored, by the
// instance that stored it. It signs from ActiveAt on, without a further event.
type KeyPublished struct {
	KeyID     string // its kid
	Algorithm string // such as RS256
	ActiveAt  time.Time
}

// KeyRetired ("key.retired") is sent when a signing key was removed because its
// successor has signed for long enough.
type KeyRetired struct {
	KeyID     string // its kid
	Algorithm string
}

// KeyRevoked ("key.revoked") is sent when an operator removed a signing key, which
// invalidates every signature that it made.
type KeyRevoked struct {
	KeyID string // its kid
}

// NoticeDelivered ("notice.delivered") is sent when a receiver has delivered a [Notice].
type NoticeDelivered struct {
	NoticeID, Receiver, ClientID, Subject, SessionID string
	Kind                                             NoticeKind
	Attempts                                         int // including this one
}

// NoticeFailed ("notice.failed") is sent when an attempt to deliver a [Notice] failed and
// there will be another one.
type NoticeFailed struct {
	NoticeID, Receiver, ClientID, Subject, SessionID string
	Kind                                             NoticeKind
	Attempts                                         int       // including this one
	NextAt                                           time.Time // when it is tried again
	Error                                            string    // the error of the receiver
}

// NoticeAbandoned ("notice.abandoned") is sent when a [Notice] will never be delivered:
// it could not be delivered for a day, or the receiver gave up with [DeliverNever].
type NoticeAbandoned struct {
	NoticeID, Receiver, ClientID, Subject, SessionID string
	Kind                                             NoticeKind
	Attempts                                         int    // including the last one
	Error                                            string // the last error of the receiver
}

// CheckFailed ("check.failed") is sent for each finding because of which
// [Provider.CheckAtStart] returned an error.
type CheckFailed struct {
	FindingID string // such as oauthkit.E001
	Message   string
}

// CleanupFinished ("cleanup.finished") is sent after a call of
// [Provider.Cleanup], except a dry run.
type CleanupFinished struct {
	Removed  map[string]int // the number of rows by table
	Duration time.Duration  // by Config.Now
	Stopped  bool           // an error stopped it; rows removed before stay removed
}

// StorageUnavailable ("storage.unavailable") is sent when a request was answered
// with 503 because the store or a function of the host failed. The log has the cause
// under the same TraceID.
type StorageUnavailable struct {
	Endpoint string // relative to the issuer, such as "applications/{client_id}"; empty for an API of the host
}

// RequestPanicked ("request.panicked") is sent when a request was answered
// with 500 because of a panic, usually in a function of the host. The log has
// the stack under the same TraceID.
type RequestPanicked struct {
	Endpoint string // relative to the issuer, such as "applications/{client_id}"; empty for an API of the host
}

// RequestsRefused ("requests.refused") is sent when requests were answered with 503
// because too many came at the same time. It is sent at most once a second, with
// their number, and belongs to no request.
type RequestsRefused struct {
	Refused int // the number since the last event
}

func (AuthorizeRejected) event() string { return "authorize.rejected" }

func (SignInRequired) event() string { return "sign_in.required" }

func (SignedOut) event() string { return "sign_out.done" }

func (ConsentGranted) event() string { return "consent.granted" }

func (ConsentDenied) event() string { return "consent.denied" }

func (ConsentRevoked) event() string { return "consent.revoked" }

func (AuthorizationGranted) event() string { return "authorization.granted" }

func (AuthorizationRevoked) event() string { return "authorization.revoked" }

func (UserRevoked) event() string { return "user.revoked" }

func (SessionEnded) event() string { return "session.ended" }

func (CrossSiteBlocked) event() string { return "csrf.blocked" }

func (TokenIssued) event() string { return "token.issued" }

func (CredentialRepeated) event() string { return "credential.repeated" }

func (CredentialShared) event() string { return "credential.shared" }

func (CredentialReplayed) event() string { return "credential.replayed" }

func (CredentialMisused) event() string { return "credential.misused" }

func (IntrospectionDenied) event() string { return "introspection.denied" }

func (ClientAuthenticationFailed) event() string { return "client_auth.failed" }

func (ApplicationCreated) event() string { return "application.created" }

func (ApplicationUpdated) event() string { return "application.updated" }

func (ApplicationDeleted) event() string { return "application.deleted" }

func (SecretRotated) event() string { return "application.secret_rotated" }

func (ApplicationRevoked) event() string { return "application.revoked" }

func (KeyPublished) event() string { return "key.published" }

func (KeyRetired) event() string { return "key.retired" }

func (KeyRevoked) event() string { return "key.revoked" }

func (NoticeDelivered) event() string { return "notice.delivered" }

func (NoticeFailed) event() string { return "notice.failed" }

func (NoticeAbandoned) event() string { return "notice.abandoned" }

func (CheckFailed) event() string { return "check.failed" }

func (CleanupFinished) event() string { return "cleanup.finished" }

func (StorageUnavailable) event() string { return "storage.unavailable" }

func (RequestPanicked) event() string { return "request.panicked" }

func (RequestsRefused) event() string { return "requests.refused" }
