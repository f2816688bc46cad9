package oauthkit

// Event is something that happened: one of the structs in this file. Config.Observe receives them; a type switch over them
// is an audit log. No event holds a secret. What tells of a change is sent once, after the change is stored.
type Event interface {
	event()
}

// ConsentGiven is sent when a user approved an application's request on the consent page.
type ConsentGiven struct {
	ApplicationID, Subject string
	Scopes                 Scopes
}

// ConsentDenied is sent when a user refused an application's request on the consent page.
type ConsentDenied struct {
	ApplicationID, Subject string
	Scopes                 Scopes
}

// ConsentRevoked is sent when remembered consent was withdrawn, together with the Authorizations that ended by it.
type ConsentRevoked struct {
	ApplicationID, Subject string
	AuthorizationIDs       []string
}

// AuthorizationGranted is sent when an authorization request was answered with a credential.
type AuthorizationGranted struct {
	ApplicationID, Subject, AuthorizationID string
	Scopes                                  Scopes
}

// TokenIssued is sent for every successful answer of the token endpoint: Django OAuth Toolkit's app_authorized.
type TokenIssued struct {
	ApplicationID, Subject, AuthorizationID string
	GrantType                               string
	Scopes                                  Scopes
	// Retried says that a refresh token was presented again within the time in which that is a retry, and that the same
	// tokens were handed out again.
	Retried bool
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

// AuthorizationRevoked is sent when an Authorization was revoked, and every credential of it.
type AuthorizationRevoked struct {
	ApplicationID, Subject, AuthorizationID string
	Reason                                  RevocationReason
}

// CredentialReplayed is sent when a code or refresh token was presented that was used before. It means that two parties
// have it.
type CredentialReplayed struct {
	ApplicationID, Subject, AuthorizationID string
	Credential                              string // the grant type it was presented with
}

// CredentialMisused is sent when an application presented a credential that was issued to another one.
type CredentialMisused struct {
	ApplicationID string // who presented it
	OwnerID       string // the client_id that it was issued to
	Credential    string // the grant type it was presented with
}

// ClientAuthenticationFailed is sent when an application could not prove who it is.
type ClientAuthenticationFailed struct {
	ApplicationID string // as it claimed; it may not exist
	Method        string // such as client_secret_basic
}

// UserRevoked is sent when everything that a user had approved was forgotten and ended.
type UserRevoked struct {
	Subject        string
	Authorizations int // how many ended
}

// ApplicationRevoked is sent when everything that an application had from its users was forgotten and ended.
type ApplicationRevoked struct {
	ApplicationID  string
	Authorizations int // how many ended
}

// ApplicationCreated is sent when an application was registered.
type ApplicationCreated struct {
	ApplicationID string
	By            string // the user who did it
}

// ApplicationUpdated is sent when an application was changed.
type ApplicationUpdated struct {
	ApplicationID string
	By            string // the user who did it
}

// ApplicationDeleted is sent when an application was removed, with all that it had.
type ApplicationDeleted struct {
	ApplicationID string
	By            string // the user who did it
}

// SecretRotated is sent when an application got a new secret.
type SecretRotated struct {
	ApplicationID string
	By            string // the user who did it
}

func (ConsentGiven) event()               {}
func (ConsentDenied) event()              {}
func (ConsentRevoked) event()             {}
func (AuthorizationGranted) event()       {}
func (TokenIssued) event()                {}
func (AuthorizationRevoked) event()       {}
func (CredentialReplayed) event()         {}
func (CredentialMisused) event()          {}
func (ClientAuthenticationFailed) event() {}
func (UserRevoked) event()                {}
func (ApplicationRevoked) event()         {}
func (ApplicationCreated) event()         {}
func (ApplicationUpdated) event()         {}
func (ApplicationDeleted) event()         {}
func (SecretRotated) event()              {}
