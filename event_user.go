package oauthkit

// This file holds the events of authorization requests and of what users allow.

// AuthorizeRejected ("authorize.rejected") is sent when an authorization request was refused, but not by its user.
type AuthorizeRejected struct {
	ApplicationID string // empty where the application is not known
	Code          ErrorCode
	Reason        Reason
	Description   string // what is wrong, as it was answered
	// Shown says that the user was shown it, since there is nowhere safe to send it. Otherwise the application was told.
	Shown bool
}

// SignInRequired ("sign_in.required") is sent when somebody was sent to the host's login page.
type SignInRequired struct {
	ApplicationID string // whose request it is for; empty: a page on which users manage what is theirs
	Subject       string // who is signed in and has to do so again; empty: nobody
}

// SignedOut ("sign_out.done") is sent when somebody signed out on the library's page, after the host has ended the session.
type SignedOut struct {
	Subject string
}

// ConsentGiven ("consent.granted") is sent when a user approved an application's request on the consent page.
type ConsentGiven struct {
	ApplicationID, Subject string
	Scopes                 Scopes
}

// ConsentDenied ("consent.denied") is sent when a user refused an application's request on the consent page.
type ConsentDenied struct {
	ApplicationID, Subject string
	Scopes                 Scopes
}

// ConsentRevoked ("consent.revoked") is sent when what a user had approved for an application was withdrawn: consent that was
// remembered, or Authorizations without it, as those of a trusted application are, or both.
type ConsentRevoked struct {
	ApplicationID, Subject string
	AuthorizationIDs       []string // those that ended by it
}

// AuthorizationGranted ("authorization.granted") is sent when an authorization request was answered with a credential.
type AuthorizationGranted struct {
	ApplicationID, Subject, AuthorizationID string
	CodeID                                  string // the CredentialID of the code; empty: it was answered with something else
	Scopes                                  Scopes
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
	ApplicationID, Subject, AuthorizationID string
	Reason                                  RevocationReason
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

func (AuthorizeRejected) event() string    { return "authorize.rejected" }
func (SignInRequired) event() string       { return "sign_in.required" }
func (SignedOut) event() string            { return "sign_out.done" }
func (ConsentGiven) event() string         { return "consent.granted" }
func (ConsentDenied) event() string        { return "consent.denied" }
func (ConsentRevoked) event() string       { return "consent.revoked" }
func (AuthorizationGranted) event() string { return "authorization.granted" }
func (AuthorizationRevoked) event() string { return "authorization.revoked" }
func (UserRevoked) event() string          { return "user.revoked" }
func (CrossSiteBlocked) event() string     { return "csrf.blocked" }
