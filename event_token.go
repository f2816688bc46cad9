package oauthkit

// This file holds the events of the endpoints that applications call. A CredentialID, or AccessTokenID and RefreshTokenID, is what
// [CredentialID] returns for the credential.

// TokenIssued ("token.issued") is sent for every successful answer of the token endpoint: Django OAuth Toolkit's app_authorized.
type TokenIssued struct {
	ApplicationID, Subject, AuthorizationID string
	AccessTokenID, RefreshTokenID           string
	GrantType                               string
	Scopes                                  Scopes
	// Retried says that a refresh token was presented again within its retry window with the same
	// question, and that the same tokens were handed out again. With another question, a new access
	// token is issued beside the same refresh token. A [CredentialRepeated] follows in both cases.
	Retried bool
}

// CredentialRepeated ("credential.repeated") is sent when a refresh token was presented again within
// its retry window. The client may not have received the first answer, or two parties have the token.
type CredentialRepeated struct {
	ApplicationID, Subject, AuthorizationID string
	CredentialID                            string // of the presented token
	Repeats                                 int    // of this token, including this one; 0 if it was refused
	// Refused says that the token had been repeated as often as it may be, or that its answer cannot
	// be read because Config.Secret has changed. Nothing was issued, and nothing revoked.
	Refused bool
}

// CredentialShared ("credential.shared") is sent once for each refresh token from the third in a row
// on that was repeated. Two parties may be using the same Authorization, each with the answers to the
// other. RefreshTokenConfig.RevokeShared of package grants revokes it.
type CredentialShared struct {
	ApplicationID, Subject, AuthorizationID string
	CredentialID                            string // of the presented token
	Generations                             int    // how many in a row were repeated
}

// CredentialReplayed ("credential.replayed") is sent when a code or refresh token was presented that was used before. It means that
// two parties have it.
type CredentialReplayed struct {
	ApplicationID, Subject, AuthorizationID string
	Credential                              string // the grant type it was presented with
	CredentialID                            string
}

// CredentialMisused ("credential.misused") is sent when an application presented a credential that was issued to another one, in
// order to use or to revoke it.
type CredentialMisused struct {
	ApplicationID string // who presented it
	OwnerID       string // the client_id that it was issued to
	Credential    string // the grant type it was presented with, or its kind where it was to be revoked
	CredentialID  string
}

// IntrospectionDenied ("introspection.denied") is sent when an application asked about a credential of another one and may not know
// about it, so that it was told what it would be told about no credential at all.
type IntrospectionDenied struct {
	ApplicationID string // who asked
	OwnerID       string // the client_id that it was issued to
	Credential    string // its kind
	CredentialID  string
}

// ClientAuthenticationFailed ("client_auth.failed") is sent when an application could not prove who it is.
type ClientAuthenticationFailed struct {
	ApplicationID string // empty where there is no such application: what was sent instead may be anything, a secret too
	Method        string // such as client_secret_basic
}

func (TokenIssued) event() string                { return "token.issued" }
func (CredentialReplayed) event() string         { return "credential.replayed" }
func (CredentialRepeated) event() string         { return "credential.repeated" }
func (CredentialShared) event() string           { return "credential.shared" }
func (CredentialMisused) event() string          { return "credential.misused" }
func (IntrospectionDenied) event() string        { return "introspection.denied" }
func (ClientAuthenticationFailed) event() string { return "client_auth.failed" }
