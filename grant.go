package oauthkit

import (
	"context"
	"net/url"

	"github.com/go-oauth2/oauth2/v4"
)

// Grant is a grant type at the token endpoint (RFC 6749 §1.3). A Grant that is also
// an [Extension] extends the provider. One that is an [Authorizer] starts at the
// authorization endpoint. One that is a [CredentialFinder] has credentials of its
// own, which can be introspected and revoked.
type Grant interface {
	// GrantType returns the value of grant_type.
	GrantType() oauth2.GrantType
	// Exchange answers a token request. The application is guaranteed to be
	// authenticated and allowed to use the grant. Exchange must check the whole
	// proof before it consumes anything, and end with [TokenRequest.Issue].
	Exchange(ctx context.Context, request *TokenRequest) (*TokenResponse, error)
}

// Authorizer is a [Grant] that starts at the authorization endpoint.
type Authorizer interface {
	Grant
	// ResponseType returns the value of response_type.
	ResponseType() string
	// ValidateAuthorize checks the parameters of the grant in the request. Its error
	// is sent to the application.
	ValidateAuthorize(request *AuthorizeRequest) error
	// Authorize saves the approval together with a new credential and returns the
	// credential as response parameters. It must set the ExpiresAt of the
	// Authorization, which is zero, to the expiry of the credential.
	Authorize(ctx context.Context, request *AuthorizeRequest, approval *Approval) (url.Values, error)
}

// CredentialFinder is a [Grant] with credentials that can be introspected (RFC 7662)
// and revoked (RFC 7009).
type CredentialFinder interface {
	Grant
	// FindCredential returns the credential that token stands for. It must return
	// ErrNotFound, without calling the store, if token does not have the form of the
	// grant's credentials.
	FindCredential(ctx context.Context, token string) (*Credential, error)
}
