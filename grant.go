package oauthkit

import (
	"context"
	"net/url"

	"github.com/go-oauth2/oauth2/v4"
)

// Grant is a grant type at the token endpoint (RFC 6749 §1.3). A Grant that is also an [Extension] is extended with; one
// that is an [Authorizer] begins at the authorization endpoint; one that is a [CredentialFinder] has credentials of its
// own that can be introspected and revoked.
type Grant interface {
	// GrantType is the value of grant_type.
	GrantType() oauth2.GrantType
	// Exchange answers a token request. The application is guaranteed to be authenticated and allowed to use the grant.
	// It must check the whole proof before it consumes anything, and ends with [TokenRequest.Issue].
	Exchange(ctx context.Context, request *TokenRequest) (*TokenResponse, error)
}

// Authorizer is a Grant that begins at the authorization endpoint.
type Authorizer interface {
	Grant
	// ResponseType is the value of response_type.
	ResponseType() string
	// ValidateAuthorize checks what the grant needs in the request. Its error is sent to the application.
	ValidateAuthorize(request *AuthorizeRequest) error
	// Authorize saves the approval together with a new credential and returns the credential as response parameters. It
	// sets the ExpiresAt of the Authorization, which is zero, to the end of the credential.
	Authorize(ctx context.Context, request *AuthorizeRequest, approval *Approval) (url.Values, error)
}

// CredentialFinder is a Grant with credentials that can be introspected (RFC 7662) and revoked (RFC 7009).
type CredentialFinder interface {
	Grant
	// FindCredential returns what token stands for. It must return ErrNotFound, without asking the store, when the token
	// does not have the form of the grant's credentials.
	FindCredential(ctx context.Context, token string) (*Credential, error)
}
