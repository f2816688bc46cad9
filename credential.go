package oauthkit

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Credential is a token as introspection (RFC 7662) and revocation (RFC 7009) see it.
type Credential struct {
	Authorization *Authorization
	Scopes        Scopes
	Resources     URIs // the APIs that it is for (RFC 8707); none: it names no API
	IssuedAt      time.Time
	ExpiresAt     time.Time // its own; that of the Authorization holds as well
	// Kind is access_token or refresh_token, or what a grant of the host's own says.
	Kind string
	// Consumed says that it was used and cannot be used again.
	Consumed bool
}

// maxToken is the number of bytes of the longest token that is looked up.
const maxToken = 4096

// Authenticate returns the access token behind a bearer token (RFC 6750 §2), or an [*Error] with [InvalidToken] if it is not
// valid now.
func (p *Provider) Authenticate(ctx context.Context, bearer string) (*AccessToken, error) {
	token, err := p.accessToken(ctx, bearer)
	if errors.Is(err, ErrNotFound) {
		return nil, Errorf(InvalidToken, "the access token is not valid")
	}
	if err != nil {
		return nil, err
	}
	if token.Authorization.ClientID == "" { // a row that something else has written
		return nil, Errorf(InvalidToken, "the access token is not valid")
	}
	now := p.Now()
	if !now.Before(token.ExpiresAt) || !token.Authorization.Valid(now) {
		return nil, Errorf(InvalidToken, "the access token has expired or was revoked")
	}
	switch active, err := p.userIsActive(ctx, token.Authorization.Subject); {
	case err != nil:
		return nil, err
	case !active:
		return nil, Errorf(InvalidToken, "the access token has expired or was revoked")
	default:
		return token, nil
	}
}

func (p *Provider) accessToken(ctx context.Context, value string) (*AccessToken, error) {
	if !isToken(value) {
		return nil, ErrNotFound
	}
	if p.config.AccessTokens == nil && !secret.AccessToken.Is(value) {
		return nil, ErrNotFound
	}
	token, err := p.store.AccessToken(ctx, secret.Hash(value))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrNotFound
	case err != nil:
		return nil, Unavailable(err)
	default:
		return token, nil
	}
}

// isToken reports whether value can be a token at all.
func isToken(value string) bool {
	return value != "" && len(value) <= maxToken && !strings.ContainsFunc(value, notVisible)
}

// Introspect returns the credential behind a token if it is active now and app may know (RFC 7662 §4): its own tokens, and,
// for an application that is allowed the scope "introspection", the access tokens of all. Otherwise it returns ErrNotFound,
// which is answered with active:false and nothing else.
func (p *Provider) Introspect(ctx context.Context, app Application, token string) (*Credential, error) {
	credential, err := p.find(ctx, token)
	if err != nil {
		return nil, err
	}
	own := credential.Authorization.ClientID == app.GetID()
	if !own && (credential.Kind != KindAccessToken || !app.AllowsScope(IntrospectionScope)) {
		p.recordFor(ctx, app, IntrospectionDenied{
			ClientID: app.GetID(), OwnerID: credential.Authorization.ClientID,
			Credential: credential.Kind, CredentialID: CredentialID(token),
		})
		return nil, ErrNotFound
	}
	now := p.Now()
	if credential.Consumed || !now.Before(credential.ExpiresAt) || !credential.Authorization.Valid(now) {
		return nil, ErrNotFound
	}
	switch active, err := p.userIsActive(ctx, credential.Authorization.Subject); {
	case err != nil:
		return nil, err
	case !active:
		return nil, ErrNotFound
	default:
		return credential, nil
	}
}

// The kinds of credentials, as in token_type_hint (RFC 7009 §2.1).
const (
	KindAccessToken  = "access_token"
	KindRefreshToken = "refresh_token"
)

// IntrospectionScope is what an application must be allowed to introspect the access tokens of others. No token has it.
const IntrospectionScope = "introspection"

// Revoke ends the Authorization behind a token of app (RFC 7009 §2.1), and so every token of it. It returns nil as well for a
// token that does not exist or belongs to another application, which stays as it is.
func (p *Provider) Revoke(ctx context.Context, app Application, token string) error {
	credential, err := p.find(ctx, token)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case credential.Authorization.ClientID != app.GetID():
		p.recordFor(ctx, app, CredentialMisused{
			ClientID: app.GetID(), OwnerID: credential.Authorization.ClientID,
			Credential: credential.Kind, CredentialID: CredentialID(token),
		})
		return nil
	default:
		return p.revoke(ctx, credential.Authorization, RevokedByApplication)
	}
}

// RevokeAuthorization ends an Authorization and every credential of it, at once and for ever.
func (p *Provider) RevokeAuthorization(ctx context.Context, authorization *Authorization) error {
	return p.revoke(ctx, authorization, RevokedByHost)
}

// RevokeConsent forgets what the user approved for an application and ends every Authorization that the application has
// from him, at once and for ever.
func (p *Provider) RevokeConsent(ctx context.Context, clientID, subject string) error {
	if clientID == "" || subject == "" { // what an application has for itself is no user's
		return errors.New("oauthkit: the client_id or the subject is empty")
	}
	_, err := p.store.Consent(ctx, clientID, subject)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Unavailable(err)
	}
	remembered := err == nil
	revoked, err := p.store.RevokeConsent(context.WithoutCancel(ctx), clientID, subject, p.Now())
	if err != nil {
		return Unavailable(err)
	}
	if remembered || len(revoked) > 0 {
		p.Record(ctx, ConsentRevoked{ClientID: clientID, Subject: subject, AuthorizationIDs: revoked})
	}
	return nil
}

func (p *Provider) revoke(ctx context.Context, authorization *Authorization, reason RevocationReason) error {
	changed, err := p.store.RevokeAuthorization(ctx, authorization.ID, p.Now())
	if err != nil {
		return Unavailable(err)
	}
	if changed {
		p.Record(ctx, AuthorizationRevoked{
			ClientID: authorization.ClientID, Subject: authorization.Subject,
			AuthorizationID: authorization.ID, Reason: reason,
		})
	}
	return nil
}

// find asks the grants, which know their credentials by the prefix, and then for an access token.
func (p *Provider) find(ctx context.Context, token string) (*Credential, error) {
	for _, finder := range p.finders {
		credential, err := finder.FindCredential(ctx, token)
		if !errors.Is(err, ErrNotFound) {
			return credential, err
		}
	}
	access, err := p.accessToken(ctx, token)
	if err != nil {
		return nil, err
	}
	return &Credential{
		Authorization: access.Authorization, Scopes: access.Scopes, Resources: access.Resources,
		IssuedAt: access.IssuedAt, ExpiresAt: access.ExpiresAt, Kind: KindAccessToken,
	}, nil
}
