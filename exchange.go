package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TokenRequest is a request to the token endpoint (RFC 6749 §3.2) whose application is authenticated and may use the grant.
// Only [Provider.Exchange] makes one.
type TokenRequest struct {
	// Application is who asks.
	Application Application
	// Form holds the parameters, each at most once, except resource (RFC 8707 §2).
	Form url.Values
	// Now is when the request arrived.
	Now time.Time

	grant    oauth2.GrantType
	provider *Provider
}

// Exchange answers a token request of an application that has authenticated. Form must hold each parameter at most once,
// except resource.
func (p *Provider) Exchange(ctx context.Context, app Application, form url.Values) (*TokenResponse, error) {
	grantType := oauth2.GrantType(form.Get("grant_type"))
	if grantType == "" {
		return nil, Errorf(InvalidRequest, "grant_type is missing")
	}
	grant, known := p.grants[grantType]
	if !known {
		return nil, Errorf(UnsupportedGrantType, "grant_type is not supported")
	}
	if !app.AllowsGrant(grantType) {
		return nil, Errorf(UnauthorizedClient, "the application may not use grant_type %s", string(grantType))
	}
	return grant.Exchange(ctx, &TokenRequest{Application: app, Form: form, Now: p.Now(), grant: grantType, provider: p})
}

// Issuance is what a grant has found that the application may have.
type Issuance struct {
	// Authorization is what the tokens are for. If its ExpiresAt is zero, Issue sets it: to the end of the last refresh token
	// where one is issued, and otherwise to the end of the access token.
	Authorization *Authorization
	// Scopes are those of the access token, a part of the Authorization's.
	Scopes Scopes
	// RefreshToken is handed out again, beside a new access token, because this answers a repeat.
	// If empty, a new refresh token is made for applications that may refresh.
	RefreshToken string
	// Save stores the tokens and consumes what was presented, in one act. The response is what will be sent if it succeeds.
	Save func(ctx context.Context, tokens Tokens, response *TokenResponse) error
}

// NewAuthorization returns what the application is allowed for itself, without a user (RFC 6749 §4.4). Issue ends it together
// with its access token.
func (r *TokenRequest) NewAuthorization(scopes Scopes) *Authorization {
	return &Authorization{
		ID:        secret.NewID(),
		ClientID:  r.Application.GetID(),
		Scopes:    scopes,
		CreatedAt: r.Now,
	}
}

// GrantedScopes returns the scopes that the request asks for, or the defaults where it asks for none, for a grant that has no
// authorization request before it. The error is an [*Error], with [InvalidScope] where one is not known or not allowed.
func (r *TokenRequest) GrantedScopes(ctx context.Context) (Scopes, error) {
	return r.provider.grantedScopes(ctx, r.Application, ScopeRequest{GrantType: r.grant, Form: r.Form})
}

// Issue makes the tokens and the whole response first, so that nothing can fail any more once something was consumed, and
// then saves. It returns the errors of Save that are answers as they are, except [ErrEnded], which is answered as if the request had
// come a moment later.
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

// endedOr answers what was refused because all of the application or of the user was being revoked as if it had come a moment later.
func saveError(err error, authorization *Authorization) error {
	switch {
	case !errors.Is(err, ErrEnded):
		return storeError(err)
	case authorization.Subject == "":
		return Errorf(InvalidClient, "the application is not known or did not prove who it is").WithCause(err)
	default:
		return Errorf(InvalidGrant, "what the user allowed was revoked").WithCause(err)
	}
}

// storeError returns the answers of a store unchanged, and its failures as
// [TemporarilyUnavailable].
func storeError(err error) error {
	var problems Problems
	if err == nil || errors.As(err, &problems) {
		return err
	}
	for _, answer := range []error{ErrReplayed, ErrRevoked, ErrExhausted, ErrNotFound} {
		if errors.Is(err, answer) {
			return err
		}
	}
	return Unavailable(err)
}

// checkUser ends the Authorization of a user who is not active any more.
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

// mint makes the credentials. Nothing is stored.
func (r *TokenRequest) mint(ctx context.Context, issuance *Issuance) (Tokens, *Issued, error) {
	authorization := issuance.Authorization
	resources, err := r.resources(authorization)
	if err != nil {
		return Tokens{}, nil, err
	}
	lifetime, err := r.provider.accessTokenLifetime(ctx, LifetimeRequest{
		Application: r.Application, GrantType: r.grant, Scopes: issuance.Scopes, Subject: authorization.Subject,
	})
	if err != nil {
		return Tokens{}, nil, err
	}
	refreshable := r.provider.issuesRefreshTokens(r.Application) && authorization.Subject != ""
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
	tokens := Tokens{Access: &AccessToken{
		Hash:          secret.Hash(value),
		Authorization: authorization,
		Scopes:        issuance.Scopes,
		Resources:     resources,
		IssuedAt:      r.Now,
		ExpiresAt:     earlier(r.Now.Add(lifetime), authorization.ExpiresAt),
	}}
	issued := &Issued{
		Response: TokenResponse{
			AccessToken: value,
			TokenType:   "Bearer",
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
			IssuedAt:      r.Now,
			ExpiresAt:     earlier(r.Now.Add(r.provider.config.RefreshTokenIdleLifetime), authorization.ExpiresAt),
		}
	}
	return tokens, issued, nil
}

// generateAccessToken asks Config.AccessTokens, in go-oauth2's terms, or makes 256 random bits.
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
		err = fmt.Errorf("Config.AccessTokens made a token that is empty, longer than %d bytes, or not visible ASCII", maxToken)
	}
	if err != nil {
		return "", Errorf(ServerError, "").WithCause(err)
	}
	return value, nil
}

// Replayed is how a grant answers a credential that was used before: two parties have it, and only one of them should, so
// everything that was issued for it ends (RFC 6749 §4.1.2, RFC 9700 §4.14.2). Hash is the one that is kept of it.
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

// Misused records that a credential was presented which was issued to another application. Its owner loses nothing by it, and the
// grant answers as for a credential that does not exist. Hash is the one that is kept of it.
func (r *TokenRequest) RecordMisuse(ctx context.Context, authorization *Authorization, hash string) {
	r.provider.recordFor(ctx, r.Application, CredentialMisused{
		ClientID: r.Application.GetID(), OwnerID: authorization.ClientID,
		Credential: string(r.grant), CredentialID: secret.ID(hash),
	})
}

// Retried is how a grant answers with a response that was issued before and may not have arrived.
// Save counts the repeat. The errors of Save that are answers are returned as they are.
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

// sharedGenerations is the number of repeated refresh tokens in a row from which on they are
// suspected to be shared. A client that lost two answers in a row is rare; one that lost three more so.
const sharedGenerations = 3

// Repeated records that a refresh token was repeated. It reports whether so many in a row were that
// two parties may be sharing them. Hash is the one that is kept of the presented token.
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

// RepeatRefused records that a refresh token was presented again within its retry window and not
// answered, because it had been repeated as often as it may be or its answer cannot be read. Hash is
// the one that is kept of it.
func (r *TokenRequest) RecordRefusedRepeat(ctx context.Context, authorization *Authorization, hash string) {
	r.provider.recordFor(ctx, r.Application, CredentialRepeated{
		ClientID: authorization.ClientID, Subject: authorization.Subject,
		AuthorizationID: authorization.ID, CredentialID: secret.ID(hash), Refused: true,
	})
}

// Clock returns Config.Now, for the acts of a store that read the time themselves.
func (r *TokenRequest) Clock() func() time.Time { return r.provider.config.Now }

// Secret returns Config.Secret, or the empty string.
func (r *TokenRequest) Secret() string { return r.provider.config.Secret }

func (r *TokenRequest) recordIssued(ctx context.Context, authorization *Authorization, scopes Scopes, response *TokenResponse, retried bool) {
	if r.provider.config.Observe == nil { // so that nothing is hashed for it
		return
	}
	r.provider.recordFor(ctx, r.Application, TokenIssued{
		ClientID: authorization.ClientID, Subject: authorization.Subject, AuthorizationID: authorization.ID,
		AccessTokenID: CredentialID(response.AccessToken), RefreshTokenID: CredentialID(response.RefreshToken),
		GrantType: string(r.grant), Scopes: scopes, Retried: retried,
	})
}

// LifetimeRequest is what Config.ChooseAccessTokenLifetime decides with.
type LifetimeRequest struct {
	Application Application
	GrantType   oauth2.GrantType
	Scopes      Scopes // those of the token
	Subject     string // the user; empty where the application acts for itself
}

// accessTokenLifetime asks, in this order, Config.ChooseAccessTokenLifetime, the application, and Config.AccessTokenLifetime.
func (p *Provider) accessTokenLifetime(ctx context.Context, request LifetimeRequest) (time.Duration, error) {
	if p.config.ChooseAccessTokenLifetime == nil {
		return accessTokenLifetime(request.Application, p.config.AccessTokenLifetime), nil
	}
	lifetime, err := p.config.ChooseAccessTokenLifetime(ctx, request)
	lifetime = lifetime.Truncate(time.Second) // as expires_in counts
	switch {
	case err != nil:
		return 0, Unavailable(fmt.Errorf("asking for the lifetime of an access token: %w", err))
	case lifetime <= 0 || lifetime > maxLifetime:
		return 0, Errorf(ServerError, "").WithCause(fmt.Errorf("Config.ChooseAccessTokenLifetime returned %s", lifetime))
	default:
		return lifetime, nil
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// This file holds resource indicators (RFC 8707): which APIs a token is for.

// maxResources is the number of resources that a request may name.
const maxResources = 10

// HasResources reports whether there are APIs that a request can name, those in Config.Resources.
func (p *Provider) HasResources() bool { return len(p.config.Resources) > 0 }

// parseResources reads the resource parameters (RFC 8707 §2). Every one must be one of Config.Resources, byte by byte.
func (p *Provider) parseResources(form url.Values) (URIs, error) {
	var resources URIs
	for _, resource := range form["resource"] {
		if resource != "" && !slices.Contains(resources, resource) {
			resources = append(resources, resource)
		}
	}
	if len(resources) > maxResources {
		return nil, Errorf(InvalidTarget, "there are more than %d resources", maxResources)
	}
	for _, resource := range resources {
		if !slices.Contains(p.config.Resources, resource) {
			return nil, Errorf(InvalidTarget, "a resource is not one of this provider's APIs")
		}
	}
	return resources, nil
}

// resources returns those of the access token: what the token request names, which must not be more than what was allowed, or
// all of that (RFC 8707 §2.2).
func (r *TokenRequest) resources(authorization *Authorization) (URIs, error) {
	asked, err := r.provider.parseResources(r.Form)
	switch {
	case err != nil:
		return nil, err
	case len(asked) == 0:
		return authorization.Resources, nil
	case len(authorization.Resources) > 0 && !authorization.Resources.ContainsAll(asked):
		return nil, Errorf(InvalidTarget, "a resource is not one of those that were allowed")
	default:
		return asked, nil
	}
}

// isResource reports whether resource can be a resource indicator: an absolute URI without a fragment (RFC 8707 §2).
func isResource(resource string) bool {
	uri, err := url.Parse(resource)
	return err == nil && uri.IsAbs() && (uri.Host != "" || uri.Opaque != "") && uri.User == nil && !strings.ContainsAny(resource, "# ")
}
