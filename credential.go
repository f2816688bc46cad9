package oauthkit

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Authenticate returns an access token that a request presents (RFC 6750 §2). If it is
// not valid now, is presented with another scheme than that of its token_type, or is
// bound to a key that the request does not prove, the error is an [*Error] with
// [InvalidToken] or with a code of the [KeyBinding].
func (p *Provider) Authenticate(ctx context.Context, presented PresentedToken) (*AccessToken, error) {
	token, err := p.accessToken(ctx, presented.Value)
	if errors.Is(err, ErrNotFound) {
		return nil, Errorf(InvalidToken, "the access token is not valid")
	}
	if err != nil {
		return nil, err
	}
	if token.Authorization.ClientID == "" { // a row that another program has written
		return nil, Errorf(InvalidToken, "the access token is not valid")
	}
	now := p.Now()
	if !now.Before(token.ExpiresAt) || !token.Authorization.Valid(now) {
		return nil, Errorf(InvalidToken, "the access token has expired or was revoked")
	}
	if err := p.keyBindings.Verify(ctx, presented, token); err != nil {
		return nil, err
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

// maxToken is the maximum length of a token in bytes.
const maxToken = 4096

// isToken reports whether value has the form of a token.
func isToken(value string) bool {
	return value != "" && len(value) <= maxToken && !strings.ContainsFunc(value, notVisible)
}

// Credential is a token as introspection (RFC 7662) and revocation (RFC 7009) see it.
type Credential struct {
	Authorization *Authorization
	Scopes        Scopes
	Resources     URIs         // the APIs that it is for (RFC 8707); empty: any
	Confirmation  Confirmation // the key that it is bound to; zero: none
	IssuedAt      time.Time
	ExpiresAt     time.Time // that of the Authorization applies too
	// Kind is [KindAccessToken], [KindRefreshToken], or for other credentials the
	// grant type that accepts them, such as authorization_code.
	Kind string
	// Consumed means that it was used and cannot be used again.
	Consumed bool
}

// Kinds of credentials, as in token_type_hint (RFC 7009 §2.1).
const (
	KindAccessToken  = "access_token"
	KindRefreshToken = "refresh_token"
)

// IntrospectionScope is the scope that allows an application to introspect access
// tokens of other applications. It is in no list of scopes, and users are never asked
// for it. A client_credentials request that names it gets a token with which the
// application can authenticate at the introspection endpoint (RFC 7662 §2.1).
const IntrospectionScope = "introspection"

// Introspect returns the credential that token stands for if it is active and app
// may know it (RFC 7662 §4): its own tokens, and access tokens of all applications
// if it is allowed the scope "introspection". Otherwise it returns ErrNotFound; the
// response is then active:false and nothing else.
func (p *Provider) Introspect(ctx context.Context, app Application, token string) (*Credential, error) {
	credential, err := p.findCredential(ctx, token)
	if err != nil {
		return nil, err
	}
	isOwner := credential.Authorization.ClientID == app.GetID()
	if !isOwner && (credential.Kind != KindAccessToken || !app.AllowsScope(IntrospectionScope)) {
		p.recordFor(ctx, app, IntrospectionDenied{
			ClientID: app.GetID(), OwnerID: credential.Authorization.ClientID,
			Credential: credential.Kind, CredentialID: CredentialID(token),
		})
		return nil, ErrNotFound
	}
	if _, exists := p.keyBindings.TokenType(credential.Confirmation); !exists {
		return nil, ErrNotFound // a key binding that was removed: no request can prove the key
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

// findCredential asks the grants, which recognize their credentials by the prefix,
// and then looks for an access token.
func (p *Provider) findCredential(ctx context.Context, token string) (*Credential, error) {
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
		Authorization: access.Authorization, Scopes: access.Scopes, Resources: access.Resources, Confirmation: access.Confirmation,
		IssuedAt: access.IssuedAt, ExpiresAt: access.ExpiresAt, Kind: KindAccessToken,
	}, nil
}

// Revoke revokes the Authorization that token belongs to, and thereby all its tokens
// (RFC 7009 §2.1). It ignores unknown tokens and tokens of other applications.
func (p *Provider) Revoke(ctx context.Context, app Application, token string) error {
	credential, err := p.findCredential(ctx, token)
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

// RevokeAuthorization revokes an Authorization and all its credentials, permanently.
func (p *Provider) RevokeAuthorization(ctx context.Context, authorization *Authorization) error {
	return p.revoke(ctx, authorization, RevokedByHost)
}

// RevokeConsent deletes the user's consent to an application and revokes every
// Authorization that the application has for the user, permanently.
func (p *Provider) RevokeConsent(ctx context.Context, clientID, subject string) error {
	if clientID == "" || subject == "" { // an empty subject means the application itself
		return errors.New("oauthkit: RevokeConsent: client_id or subject is empty")
	}
	_, err := p.store.Consent(ctx, clientID, subject)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Unavailable(err)
	}
	remembered := err == nil
	revoked, err := p.store.RevokeConsent(context.WithoutCancel(ctx), clientID, subject, p.revocation())
	if err != nil {
		return Unavailable(err)
	}
	if remembered || len(revoked) > 0 {
		p.Record(ctx, ConsentRevoked{ClientID: clientID, Subject: subject, AuthorizationIDs: revoked})
	}
	if len(revoked) > 0 {
		p.wakeDelivery()
	}
	return nil
}

func (p *Provider) revoke(ctx context.Context, authorization *Authorization, reason RevocationReason) error {
	revocation := p.revocation()
	if !reason.isNoticed() {
		revocation.Receivers = nil
	}
	changed, err := p.store.RevokeAuthorization(ctx, authorization.ID, revocation)
	if err != nil {
		return Unavailable(err)
	}
	if changed {
		p.Record(ctx, AuthorizationRevoked{
			ClientID: authorization.ClientID, Subject: authorization.Subject,
			AuthorizationID: authorization.ID, Reason: reason,
		})
		if reason.isNoticed() {
			p.wakeDelivery()
		}
	}
	return nil
}
