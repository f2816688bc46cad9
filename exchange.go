package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/models"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// TokenRequest is a request to the token endpoint (RFC 6749 §3.2) of an authenticated
// application. The caller of [Provider.Exchange] sets Application, Form and
// Confirmation.
type TokenRequest struct {
	// Application is the application that sent the request. A grant gets only
	// requests of applications that may use it.
	Application Application
	// Form holds the parameters, each at most once except resource (RFC 8707 §2).
	Form url.Values
	// Confirmation is the key that the request proves, as [KeyBindings.Confirm]
	// returns it. If zero, it proves none. Issue binds the tokens to it.
	Confirmation Confirmation
	// Now is when the request arrived. Exchange sets it.
	Now time.Time

	grant    oauth2.GrantType
	provider *Provider
}

// Exchange answers a token request of an authenticated application.
func (p *Provider) Exchange(ctx context.Context, request TokenRequest) (*TokenResponse, error) {
	grantType := oauth2.GrantType(request.Form.Get("grant_type"))
	if grantType == "" {
		return nil, Errorf(InvalidRequest, "grant_type is missing")
	}
	grant, exists := p.grants[grantType]
	if !exists {
		return nil, Errorf(UnsupportedGrantType, "grant_type is not supported")
	}
	if !request.Application.AllowsGrant(grantType) {
		return nil, Errorf(UnauthorizedClient, "the application may not use grant_type %s", string(grantType))
	}
	request.Now, request.grant, request.provider = p.Now(), grantType, p
	return grant.Exchange(ctx, &request)
}

// CheckConfirmation returns an error if a credential that the request presents is bound
// to a key and the request does not prove it (RFC 9449 §5 and §10, RFC 8705 §4). Call
// it before the credential is consumed.
func (r *TokenRequest) CheckConfirmation(bound Confirmation) error {
	if bound.IsZero() || bound == r.Confirmation {
		return nil
	}
	return Errorf(InvalidGrant, "the credential is bound to a key that the request does not prove")
}

// GrantedScopes returns the requested scopes, or the defaults if the request names
// none, for a grant without an authorization request. The error is an [*Error], with
// [InvalidScope] if a scope does not exist or is not allowed.
func (r *TokenRequest) GrantedScopes(ctx context.Context) (Scopes, error) {
	return r.provider.grantedScopes(ctx, r.Application, ScopeRequest{GrantType: r.grant, Form: r.Form})
}

// NewAuthorization returns an Authorization of the application itself, without a user
// (RFC 6749 §4.4). It expires together with the access token that Issue makes for it.
func (r *TokenRequest) NewAuthorization(scopes Scopes) *Authorization {
	return &Authorization{
		ID:        secret.NewID(),
		ClientID:  r.Application.GetID(),
		Scopes:    scopes,
		CreatedAt: r.Now,
	}
}

// Clock returns Config.Now, for acts of a store that read the time themselves.
func (r *TokenRequest) Clock() func() time.Time { return r.provider.config.Now }

// Secret returns Config.Secret.
func (r *TokenRequest) Secret() string { return r.provider.config.Secret }

// AcceptSecrets returns Config.AcceptSecrets.
func (r *TokenRequest) AcceptSecrets() []string { return slices.Clone(r.provider.config.AcceptSecrets) }

// Issuance is the argument of [TokenRequest.Issue].
type Issuance struct {
	// Authorization is the Authorization of the tokens. If its ExpiresAt is zero, Issue
	// sets it: to the end of Config.RefreshTokenLifetime if the application may refresh,
	// and otherwise to the expiry of the access token, or to the end of
	// Config.SessionLifetime if the application must be told of a logout. For the first
	// tokens of an Authorization that was approved before, set ExpiresAt to zero: until
	// then it is the expiry of the code. RedeemCode of package grants does so.
	Authorization *Authorization
	// Scopes are the scopes of the access token, all or some of the Authorization's.
	Scopes Scopes
	// RefreshToken is returned again with a new access token, in response to a repeat. If
	// empty, a new refresh token is issued to applications that may refresh.
	RefreshToken string
	// Save stores the tokens and consumes the presented credential in one act. The
	// response is the one that is sent if Save succeeds.
	Save func(ctx context.Context, tokens Tokens, response *TokenResponse) error
}

// Issue generates the tokens and the whole response, and only then saves, so that
// nothing can fail after a credential was consumed. It returns the store's result
// errors, such as [ErrReplayed], unchanged, except for [ErrEnded], which gets the
// response that a slightly later request would get.
func (r *TokenRequest) Issue(ctx context.Context, issuance *Issuance) (*TokenResponse, error) {
	if err := r.checkUser(ctx, issuance.Authorization); err != nil {
		return nil, err
	}
	tokens, issued, err := r.mint(ctx, issuance)
	if err != nil {
		return nil, err
	}
	for _, decorate := range r.provider.tokenDecorators {
		if err := decorate(ctx, issued); err != nil {
			return nil, err
		}
	}
	response := &issued.Response
	if err := issuance.Save(ctx, tokens, response); err != nil {
		return nil, saveError(err, issuance.Authorization)
	}
	r.recordIssued(ctx, issuance.Authorization, issuance.Scopes, response, false)
	return response, nil
}

// checkUser revokes the Authorization if its user is no longer active.
func (r *TokenRequest) checkUser(ctx context.Context, authorization *Authorization) error {
	active, err := r.provider.userIsActive(ctx, authorization.Subject)
	if err != nil || active {
		return err
	}
	if err := r.provider.revoke(ctx, authorization, RevokedByInactivity); err != nil {
		return err
	}
	return Errorf(InvalidGrant, "the user's account is not active")
}

// mint generates the tokens and the response. It stores nothing.
func (r *TokenRequest) mint(ctx context.Context, issuance *Issuance) (Tokens, *Issued, error) {
	authorization := issuance.Authorization
	if err := r.provider.keyBindings.check(r.Confirmation); err != nil {
		return Tokens{}, nil, err
	}
	resources, err := r.resources(ctx, authorization)
	if err != nil {
		return Tokens{}, nil, err
	}
	lifetime, err := r.provider.accessTokenLifetime(ctx, LifetimeRequest{
		Application: r.Application, GrantType: r.grant, Scopes: issuance.Scopes, Subject: authorization.Subject,
	})
	if err != nil {
		return Tokens{}, nil, err
	}
	refreshable := r.grant != ImplicitGrant && r.provider.issuesRefreshTokens(r.Application) && authorization.Subject != ""
	switch {
	case !authorization.ExpiresAt.IsZero():
	case refreshable:
		authorization.ExpiresAt = authorization.CreatedAt.Add(r.provider.config.RefreshTokenLifetime)
	default:
		authorization.ExpiresAt = r.Now.Add(lifetime)
	}
	value, err := r.generateAccessToken(ctx, issuance, lifetime)
	if err != nil {
		return Tokens{}, nil, err
	}
	tokenType, _ := r.provider.keyBindings.TokenType(r.Confirmation)
	tokens := Tokens{Access: &AccessToken{
		Hash:          secret.Hash(value),
		Authorization: authorization,
		Scopes:        issuance.Scopes,
		Resources:     resources,
		Confirmation:  r.Confirmation,
		IssuedAt:      r.Now,
		ExpiresAt:     earlier(r.Now.Add(lifetime), authorization.ExpiresAt),
	}}
	issued := &Issued{
		Response: TokenResponse{
			AccessToken: value,
			TokenType:   tokenType,
			ExpiresIn:   int64(tokens.Access.ExpiresAt.Sub(r.Now) / time.Second),
			Scope:       issuance.Scopes.String(),
		},
		Application:   r.Application,
		GrantType:     r.grant,
		Authorization: authorization,
		Scopes:        issuance.Scopes,
		Now:           r.Now,
	}
	switch {
	case issuance.RefreshToken != "":
		issued.Response.RefreshToken = issuance.RefreshToken
	case refreshable:
		issued.Response.RefreshToken = secret.New(secret.RefreshToken)
		tokens.Refresh = &RefreshToken{
			Hash:          secret.Hash(issued.Response.RefreshToken),
			Authorization: authorization,
			Confirmation:  r.refreshConfirmation(),
			IssuedAt:      r.Now,
			ExpiresAt:     earlier(r.Now.Add(r.provider.config.RefreshTokenIdleLifetime), authorization.ExpiresAt),
		}
	}
	if !refreshable { // a later expiry would make a refresh token valid for longer
		r.provider.keepInSession(r.Application, authorization, r.Now)
	}
	return tokens, issued, nil
}

// refreshConfirmation returns the key of the refresh token. That of a public application
// is bound (RFC 9449 §5, RFC 8705 §4). A confidential application authenticates for each
// refresh and can so replace its key.
func (r *TokenRequest) refreshConfirmation() Confirmation {
	if r.Application.IsPublic() {
		return r.Confirmation
	}
	return Confirmation{}
}

// generateAccessToken calls Config.AccessTokens with go-oauth2's types. If that is
// nil, it generates 256 random bits.
func (r *TokenRequest) generateAccessToken(ctx context.Context, issuance *Issuance, lifetime time.Duration) (string, error) {
	generator := r.provider.config.AccessTokens
	if generator == nil {
		return secret.New(secret.AccessToken), nil
	}
	info := models.NewToken()
	info.SetClientID(issuance.Authorization.ClientID)
	info.SetUserID(issuance.Authorization.Subject)
	info.SetScope(issuance.Scopes.String())
	info.SetAccessCreateAt(r.Now)
	info.SetAccessExpiresIn(lifetime)
	value, _, err := generator.Token(ctx, &oauth2.GenerateBasic{
		Client: r.Application, UserID: issuance.Authorization.Subject, CreateAt: r.Now, TokenInfo: info,
	}, false)
	if err == nil && !isToken(value) {
		err = fmt.Errorf("Config.AccessTokens returned a token that is empty, longer than %d bytes, or not visible ASCII", maxToken)
	}
	if err != nil {
		return "", Errorf(ServerError, "").WithCause(err)
	}
	return value, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// LifetimeRequest is the argument of Config.ChooseAccessTokenLifetime.
type LifetimeRequest struct {
	Application Application
	GrantType   oauth2.GrantType
	Scopes      Scopes // of the token
	Subject     string // the user; empty if the application acts for itself
}

// accessTokenLifetime returns the lifetime of an access token. The first of these
// decides: Config.ChooseAccessTokenLifetime, the application,
// Config.AccessTokenLifetime.
func (p *Provider) accessTokenLifetime(ctx context.Context, request LifetimeRequest) (time.Duration, error) {
	if p.config.ChooseAccessTokenLifetime == nil {
		return accessTokenLifetime(request.Application, p.config.AccessTokenLifetime), nil
	}
	lifetime, err := p.config.ChooseAccessTokenLifetime(ctx, request)
	lifetime = lifetime.Truncate(time.Second) // the unit of expires_in
	switch {
	case err != nil:
		return 0, Unavailable(fmt.Errorf("calling Config.ChooseAccessTokenLifetime: %w", err))
	case lifetime <= 0 || lifetime > maxLifetime:
		return 0, Errorf(ServerError, "").WithCause(fmt.Errorf("Config.ChooseAccessTokenLifetime returned %s", lifetime))
	default:
		return lifetime, nil
	}
}

// saveError turns an error of Issuance.Save into the error of the request. [ErrEnded]
// gets the response that a slightly later request would get.
func saveError(err error, authorization *Authorization) error {
	switch {
	case !errors.Is(err, ErrEnded):
		return storeError(err)
	case authorization.Subject == "":
		return Errorf(InvalidClient, "the application is not known or did not prove who it is").WithCause(err)
	default:
		return Errorf(InvalidGrant, "the permission of the user was revoked").WithCause(err)
	}
}

func (r *TokenRequest) recordIssued(ctx context.Context, authorization *Authorization, scopes Scopes, response *TokenResponse, retried bool) {
	if r.provider.config.Observe == nil { // saves hashing the tokens
		return
	}
	r.provider.recordFor(ctx, r.Application, TokenIssued{
		ClientID: authorization.ClientID, Subject: authorization.Subject, AuthorizationID: authorization.ID,
		AccessTokenID: CredentialID(response.AccessToken), RefreshTokenID: CredentialID(response.RefreshToken),
		GrantType: string(r.grant), Scopes: scopes, Retried: retried,
	})
}

// Reissue returns a response that was issued before and may not have arrived. Save
// counts the repeat. The store's result errors, such as [ErrReplayed], are returned
// unchanged.
func (r *TokenRequest) Reissue(ctx context.Context, authorization *Authorization, response *TokenResponse, save func(ctx context.Context) error) (*TokenResponse, error) {
	if err := r.checkUser(ctx, authorization); err != nil {
		return nil, err
	}
	scopes, err := ParseScopes(response.Scope)
	if err != nil {
		return nil, err
	}
	if err := save(ctx); err != nil {
		return nil, storeError(err)
	}
	r.recordIssued(ctx, authorization, scopes, response, true)
	return response, nil
}

// RevokeReplayed revokes the Authorization of a credential that was used before and
// returns the error for the request. Two parties have the credential and only one of
// them should, so everything that was issued for it is revoked (RFC 6749 §4.1.2,
// RFC 9700 §4.14.2). Hash is the stored hash of the credential.
func (r *TokenRequest) RevokeReplayed(ctx context.Context, authorization *Authorization, hash string) error {
	if err := r.provider.revoke(ctx, authorization, RevokedByReplay); err != nil {
		return err
	}
	r.provider.recordFor(ctx, r.Application, CredentialReplayed{
		ClientID: authorization.ClientID, Subject: authorization.Subject,
		AuthorizationID: authorization.ID, Credential: string(r.grant), CredentialID: secret.ID(hash),
	})
	return Errorf(InvalidGrant, "the credential was used before; everything issued for it is revoked")
}

// RecordMisuse records that the application presented a credential of another
// application. The owner of the credential is not affected. The grant must answer as
// for an unknown credential. Hash is the stored hash of the credential.
func (r *TokenRequest) RecordMisuse(ctx context.Context, authorization *Authorization, hash string) {
	r.provider.recordFor(ctx, r.Application, CredentialMisused{
		ClientID: r.Application.GetID(), OwnerID: authorization.ClientID,
		Credential: string(r.grant), CredentialID: secret.ID(hash),
	})
}

// RecordRepeat records that a refresh token was repeated. It reports whether so many
// consecutive tokens were repeated that two parties may be sharing them. Hash is the
// stored hash of the presented token.
func (r *TokenRequest) RecordRepeat(ctx context.Context, authorization *Authorization, hash string, repeats Repeats) (shared bool) {
	r.provider.recordFor(ctx, r.Application, CredentialRepeated{
		ClientID: authorization.ClientID, Subject: authorization.Subject,
		AuthorizationID: authorization.ID, CredentialID: secret.ID(hash), Repeats: repeats.Token,
	})
	if repeats.Generations < sharedGenerations {
		return false
	}
	if repeats.Token == 1 {
		r.provider.recordFor(ctx, r.Application, CredentialShared{
			ClientID: authorization.ClientID, Subject: authorization.Subject,
			AuthorizationID: authorization.ID, CredentialID: secret.ID(hash), Generations: repeats.Generations,
		})
	}
	return true
}

// sharedGenerations is a number of consecutive refresh tokens. If all of them were
// repeated, two parties may be sharing them: a client seldom loses two responses in a
// row, and hardly ever three.
const sharedGenerations = 3

// RecordRefusedRepeat records that a refresh token was repeated within its retry
// window and refused, because it was repeated too often or its response cannot be
// decrypted. Hash is the stored hash of the token.
func (r *TokenRequest) RecordRefusedRepeat(ctx context.Context, authorization *Authorization, hash string) {
	r.provider.recordFor(ctx, r.Application, CredentialRepeated{
		ClientID: authorization.ClientID, Subject: authorization.Subject,
		AuthorizationID: authorization.ID, CredentialID: secret.ID(hash), Refused: true,
	})
}
