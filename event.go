package oauthkit

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Event is something that happened: one of the structs in the files event_user.go, event_token.go and event_operation.go.
// Config.Observe receives them; a type switch over them is an audit log. What tells of a change is sent once, after the change is
// stored. Which request it belongs to, and where that came from, [RequestInfoFrom] tells.
//
// No event holds a secret. A code or token is named by its [CredentialID].
type Event interface {
	event() string
}

// EventName returns the name of an event for logs and metrics, such as "token.issued". It is in the comment of the event's struct
// and never changes.
func EventName(event Event) string { return event.event() }

// Observers makes one Config.Observe of several, which are called in this order. Nil ones are left out.
func Observers(observers ...func(ctx context.Context, event Event)) func(ctx context.Context, event Event) {
	return func(ctx context.Context, event Event) {
		for _, observe := range observers {
			if observe != nil {
				observe(ctx, event)
			}
		}
	}
}

// applicationKey is the key of an event's Application in a context.
type applicationKey struct{}

// ApplicationFrom returns the application that the event's ClientID names, in the host's own type, from the context that
// Config.Observe is called with. It is there at consent that is granted or denied, at codes and tokens that are issued, replayed,
// misused or denied introspection, and when an application is registered, changed or removed or gets a secret. At other events it
// is not, and the store finds it.
func ApplicationFrom(ctx context.Context) (Application, bool) {
	app, ok := ctx.Value(applicationKey{}).(Application)
	return app, ok
}

// recordOf records an event with its application.
func (p *Provider) recordFor(ctx context.Context, app Application, event Event) {
	p.Record(context.WithValue(ctx, applicationKey{}, app), event)
}

// CredentialID returns how events name a code or token: by the first 8 hexadecimal digits of its SHA-256. Whoever has the
// credential can find what happened with it, and whoever has the name can do nothing.
func CredentialID(value string) string {
	if value == "" {
		return ""
	}
	return secret.ID(secret.Hash(value))
}

// This file holds the events of authorization requests and of what users allow.

// AuthorizeRejected ("authorize.rejected") is sent when an authorization request was refused, but not by its user.
type AuthorizeRejected struct {
	ClientID    string // empty where the application is not known
	Code        ErrorCode
	Reason      Reason
	Description string // what is wrong, as it was answered
	// Shown says that the user was shown it, since there is nowhere safe to send it. Otherwise the application was told.
	Shown bool
}

// SignInRequired ("sign_in.required") is sent when somebody was sent to the host's login page.
type SignInRequired struct {
	ClientID string // whose request it is for; empty: a page on which users manage what is theirs
	Subject  string // who is signed in and has to do so again; empty: nobody
}

// SignedOut ("sign_out.done") is sent when somebody signed out on the library's page, after the host has ended the session.
type SignedOut struct {
	Subject string
}

// ConsentGranted ("consent.granted") is sent when a user approved an application's request on the consent page.
type ConsentGranted struct {
	ClientID, Subject string
	Scopes            Scopes
}

// ConsentDenied ("consent.denied") is sent when a user refused an application's request on the consent page.
type ConsentDenied struct {
	ClientID, Subject string
	Scopes            Scopes
}

// ConsentRevoked ("consent.revoked") is sent when what a user had approved for an application was withdrawn: consent that was
// remembered, or Authorizations without it, as those of a trusted application are, or both.
type ConsentRevoked struct {
	ClientID, Subject string
	AuthorizationIDs  []string // those that ended by it
}

// AuthorizationGranted ("authorization.granted") is sent when an authorization request was answered with a credential.
type AuthorizationGranted struct {
	ClientID, Subject, AuthorizationID string
	CodeID                             string // the CredentialID of the code; empty: it was answered with something else
	Scopes                             Scopes
}

// RevocationReason says why an Authorization was revoked.
type RevocationReason string

// The reasons for a revocation.
const (
	RevokedByApplication RevocationReason = "application"   // RFC 7009
	RevokedByReplay      RevocationReason = "replay"        // a credential was used twice
	RevokedByInactivity  RevocationReason = "user_inactive" // Config.UserIsActive said so
	RevokedByUser        RevocationReason = "user"          // the user ended one sign-in
	RevokedByHost        RevocationReason = "host"          // the host called Provider.RevokeAuthorization
)

// AuthorizationRevoked ("authorization.revoked") is sent when an Authorization was revoked, and every credential of it.
type AuthorizationRevoked struct {
	ClientID, Subject, AuthorizationID string
	Reason                             RevocationReason
}

// UserRevoked ("user.revoked") is sent when everything that a user had approved was forgotten and ended.
type UserRevoked struct {
	Subject        string
	Authorizations int // how many ended
}

// CrossSiteBlocked ("csrf.blocked") is sent when a request was refused that somebody else may have made a user's browser send.
type CrossSiteBlocked struct {
	Endpoint string // its path relative to the issuer, as in "applications/{client_id}"; empty: an API of the host's
	Reason   Reason // ReasonCrossSite, ReasonFormExpired or ReasonOtherBrowser
	Origin   string // what the browser said; empty: nothing
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

func (CrossSiteBlocked) event() string { return "csrf.blocked" }

// This file holds the events of the endpoints that applications call. A CredentialID, or AccessTokenID and RefreshTokenID, is what
// [CredentialID] returns for the credential.

// TokenIssued ("token.issued") is sent for every successful answer of the token endpoint: Django OAuth Toolkit's app_authorized.
type TokenIssued struct {
	ClientID, Subject, AuthorizationID string
	AccessTokenID, RefreshTokenID      string
	GrantType                          string
	Scopes                             Scopes
	// Retried says that a refresh token was presented again within its retry window with the same
	// question, and that the same tokens were handed out again. With another question, a new access
	// token is issued beside the same refresh token. A [CredentialRepeated] follows in both cases.
	Retried bool
}

// CredentialRepeated ("credential.repeated") is sent when a refresh token was presented again within
// its retry window. The client may not have received the first answer, or two parties have the token.
type CredentialRepeated struct {
	ClientID, Subject, AuthorizationID string
	CredentialID                       string // of the presented token
	Repeats                            int    // of this token, including this one; 0 if it was refused
	// Refused says that the token had been repeated as often as it may be, or that its answer cannot
	// be read because Config.Secret has changed. Nothing was issued, and nothing revoked.
	Refused bool
}

// CredentialShared ("credential.shared") is sent once for each refresh token from the third in a row
// on that was repeated. Two parties may be using the same Authorization, each with the answers to the
// other. RefreshTokenConfig.RevokeShared of package grants revokes it.
type CredentialShared struct {
	ClientID, Subject, AuthorizationID string
	CredentialID                       string // of the presented token
	Generations                        int    // how many in a row were repeated
}

// CredentialReplayed ("credential.replayed") is sent when a code or refresh token was presented that was used before. It means that
// two parties have it.
type CredentialReplayed struct {
	ClientID, Subject, AuthorizationID string
	Credential                         string // the grant type it was presented with
	CredentialID                       string
}

// CredentialMisused ("credential.misused") is sent when an application presented a credential that was issued to another one, in
// order to use or to revoke it.
type CredentialMisused struct {
	ClientID     string // who presented it
	OwnerID      string // the client_id that it was issued to
	Credential   string // the grant type it was presented with, or its kind where it was to be revoked
	CredentialID string
}

// IntrospectionDenied ("introspection.denied") is sent when an application asked about a credential of another one and may not know
// about it, so that it was told what it would be told about no credential at all.
type IntrospectionDenied struct {
	ClientID     string // who asked
	OwnerID      string // the client_id that it was issued to
	Credential   string // its kind
	CredentialID string
}

// ClientAuthenticationFailed ("client_auth.failed") is sent when an application could not prove who it is.
type ClientAuthenticationFailed struct {
	ClientID string // empty where there is no such application: what was sent instead may be anything, a secret too
	Method   string // such as client_secret_basic
}

func (TokenIssued) event() string { return "token.issued" }

func (CredentialReplayed) event() string { return "credential.replayed" }

func (CredentialRepeated) event() string { return "credential.repeated" }

func (CredentialShared) event() string { return "credential.shared" }

func (CredentialMisused) event() string { return "credential.misused" }

func (IntrospectionDenied) event() string { return "introspection.denied" }

func (ClientAuthenticationFailed) event() string { return "client_auth.failed" }

// This file holds the events of those who manage applications and of those who operate the provider.

// ApplicationCreated ("application.created") is sent when an application was registered.
type ApplicationCreated struct {
	ClientID string
	By       string // the user who did it
}

// ApplicationUpdated ("application.updated") is sent when an application was changed.
type ApplicationUpdated struct {
	ClientID string
	By       string   // the user who did it
	Changed  []string // what was changed, by its names in JSON, in their order
	Disabled bool     // it is not usable any more, so all that was issued to it has ended
}

// ApplicationDeleted ("application.deleted") is sent when an application was removed, with all that it had.
type ApplicationDeleted struct {
	ClientID string
	By       string // the user who did it
}

// SecretRotated ("application.secret_rotated") is sent when an application got a new secret.
type SecretRotated struct {
	ClientID string
	By       string // the user who did it
}

// ApplicationRevoked ("application.revoked") is sent when everything that an application had from its users was forgotten and
// ended.
type ApplicationRevoked struct {
	ClientID       string
	Authorizations int // how many ended
}

// KeyPublished ("key.published") is sent when a new signing key was stored, by the instance that has stored it. It signs from
// ActiveAt on, by itself: nothing more is sent then.
type KeyPublished struct {
	KeyID     string // its kid
	Algorithm string // such as RS256
	ActiveAt  time.Time
}

// KeyRetired ("key.retired") is sent when a signing key was removed whose successor has signed for long enough.
type KeyRetired struct {
	KeyID     string // its kid
	Algorithm string
}

// KeyRevoked ("key.revoked") is sent when somebody had a signing key removed, and with it every signature that it made.
type KeyRevoked struct {
	KeyID string // its kid
}

// CheckFailed ("check.failed") is sent for each finding that kept [Provider.CheckAtStart] from letting a program start.
type CheckFailed struct {
	FindingID string // such as oauthkit.E001
	Message   string
}

// CleanupFinished ("cleanup.finished") is sent when a call of [Provider.Cleanup] has ended, but not for a dry run.
type CleanupFinished struct {
	Removed  map[string]int // how many rows, by table
	Duration time.Duration  // by Config.Now
	Stopped  bool           // it ended with an error; what it had removed by then stays removed
}

// StorageUnavailable ("storage.unavailable") is sent when a request was answered with 503, since the store or a function of the
// host's failed. Why, the log tells under the same TraceID.
type StorageUnavailable struct {
	Endpoint string // its path relative to the issuer, as in "applications/{client_id}"; empty: an API of the host's
}

// RequestPanicked ("request.panicked") is sent when a request was ended by a panic, mostly one of a function of the host's, and
// answered with 500. Where it happened, the log tells under the same TraceID.
type RequestPanicked struct {
	Endpoint string // its path relative to the issuer, as in "applications/{client_id}"; empty: an API of the host's
}

// RequestsRefused ("requests.refused") is sent when requests were answered with 503 since too many came at the same time. It is sent
// at most once a second, with the number of them, and belongs to no request.
type RequestsRefused struct {
	Refused int // since the last one
}

func (ApplicationCreated) event() string { return "application.created" }

func (ApplicationUpdated) event() string { return "application.updated" }

func (ApplicationDeleted) event() string { return "application.deleted" }

func (SecretRotated) event() string { return "application.secret_rotated" }

func (ApplicationRevoked) event() string { return "application.revoked" }

func (KeyPublished) event() string { return "key.published" }

func (KeyRetired) event() string { return "key.retired" }

func (KeyRevoked) event() string { return "key.revoked" }

func (CheckFailed) event() string { return "check.failed" }

func (CleanupFinished) event() string { return "cleanup.finished" }

func (StorageUnavailable) event() string { return "storage.unavailable" }

func (RequestPanicked) event() string { return "request.panicked" }

func (RequestsRefused) event() string { return "requests.refused" }

// EventAttributes returns the fields of an event for a log, in their order: under their names in snake_case, but client_id for
// ClientID, and without those that are empty, zero or false. Scopes are one text, as in a request.
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

// EventLabels returns the names of those attributes that have few values, whatever anybody sends, and that tell of no user. Only
// by them should a metric be divided.
func EventLabels() []string {
	return []string{"code", "credential", "endpoint", "grant_type", "method", "reason"}
}

// attributeName puts an underscore wherever a new word begins.
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
	if field.Kind() == reflect.String { // of a type of its own, such as RevocationReason
		return slog.StringValue(field.String())
	}
	return slog.AnyValue(field.Interface())
}
