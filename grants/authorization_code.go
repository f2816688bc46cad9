package grants

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// AuthorizationCodeConfig configures the authorization code grant. The zero value is
// the strictest.
type AuthorizationCodeConfig struct {
	// Lifetime is how long a code is valid, at most 10 minutes (RFC 6749 §4.1.2). A
	// longer lifetime is reduced to that. If zero, it is 60 seconds.
	Lifetime time.Duration
	// AllowPlainPKCE also accepts the code_challenge_method plain, which a request
	// without that parameter means (RFC 7636 §4.3). It is meant for a migration:
	// everyone who sees the authorization request knows the verifier. If false, only
	// S256 is accepted.
	AllowPlainPKCE bool
}

// authorizationCode is the grant of RFC 6749 §4.1 with PKCE (RFC 7636).
type authorizationCode struct {
	store    oauthkit.CodeStore
	lifetime time.Duration
	methods  []oauth2.CodeChallengeMethod // allowed
}

// AuthorizationCode returns the authorization code grant (RFC 6749 §4.1). It requires
// PKCE with S256 (RFC 9700 §2.1.1), except for applications with a weaker
// [oauthkit.PKCEPolicy].
func AuthorizationCode(store oauthkit.CodeStore, config AuthorizationCodeConfig) oauthkit.Grant {
	lifetime := config.Lifetime
	if lifetime <= 0 {
		lifetime = time.Minute
	}
	methods := []oauth2.CodeChallengeMethod{oauth2.CodeChallengeS256}
	if config.AllowPlainPKCE {
		methods = append(methods, oauth2.CodeChallengePlain)
	}
	return &authorizationCode{store: store, lifetime: min(lifetime, 10*time.Minute), methods: methods}
}

// GrantType implements [oauthkit.Grant].
func (g *authorizationCode) GrantType() oauth2.GrantType { return oauth2.AuthorizationCode }

// Extend implements [oauthkit.Extension]. It publishes the challenge methods
// (RFC 8414 §2).
func (g *authorizationCode) Extend(registry *oauthkit.Registry) error {
	registry.Metadata("", func(metadata map[string]any) {
		metadata["code_challenge_methods_supported"] = slices.Clone(g.methods)
	})
	return nil
}

// ResponseType implements [oauthkit.Responder].
func (g *authorizationCode) ResponseType() oauthkit.ResponseType { return oauthkit.ResponseTypeCode }

// ValidateAuthorize implements [oauthkit.Responder].
func (g *authorizationCode) ValidateAuthorize(request *oauthkit.AuthorizeRequest) error {
	return g.checkChallenge(request)
}

// Respond implements [oauthkit.Responder]. It adds a new code (RFC 6749 §4.1.2).
func (g *authorizationCode) Respond(_ context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
	value := secret.New(secret.AuthorizationCode)
	answer.Approval.AddCode(secret.Hash(value), request.Now.Add(g.lifetime))
	code := answer.Approval.Code
	code.RedirectURI, code.Confirmation = request.RedirectURI(), request.Confirmation
	code.CodeChallenge = request.Form.Get("code_challenge")
	if code.CodeChallenge != "" {
		code.CodeChallengeMethod = string(challengeMethod(request.Form))
	}
	answer.Parameters.Set("code", value)
	return nil
}

// Exchange implements [oauthkit.Grant] (RFC 6749 §4.1.3).
func (g *authorizationCode) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	code, err := g.find(ctx, request.Form.Get("code"))
	if err != nil {
		return nil, err
	}
	return redeem(ctx, g.store, request, code, g.checkProof)
}

// redeem exchanges a code for tokens once checkProof accepts the request.
func redeem(ctx context.Context, store oauthkit.CodeStore, request *oauthkit.TokenRequest, code *oauthkit.AuthorizationCode,
	checkProof func(*oauthkit.AuthorizationCode, *oauthkit.TokenRequest) error) (*oauthkit.TokenResponse, error) {
	if code.Authorization.ClientID != request.Application.GetID() {
		request.RecordMisuse(ctx, code.Authorization, code.Hash)
		return nil, invalidCredential("code")
	}
	if err := checkProof(code, request); err != nil {
		return nil, err
	}
	if err := request.CheckConfirmation(code.Confirmation); err != nil { // RFC 9449 §10
		return nil, err
	}
	if !code.ConsumedAt.IsZero() { // before expiry is checked: a replay of an expired code is a replay
		return nil, request.RevokeReplayed(ctx, code.Authorization, code.Hash)
	}
	if !request.Now.Before(code.ExpiresAt) || !code.Authorization.Valid(request.Now) {
		return nil, invalidCredential("code")
	}
	return issueForCode(ctx, store, request, code)
}

func (g *authorizationCode) find(ctx context.Context, value string) (*oauthkit.AuthorizationCode, error) {
	if value == "" {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "code is missing")
	}
	if !secret.AuthorizationCode.Is(value) {
		return nil, invalidCredential("code")
	}
	code, err := g.store.Code(ctx, secret.Hash(value))
	return code, findError(err, "code")
}

// checkProof checks that the redirect URI is the one of the authorization request
// (RFC 6749 §4.1.3), and that both requests come from the same client instance
// (RFC 7636 §4.6). A code without a redirect URI belongs to another grant.
func (g *authorizationCode) checkProof(code *oauthkit.AuthorizationCode, request *oauthkit.TokenRequest) error {
	if code.RedirectURI == "" {
		return invalidCredential("code")
	}
	if request.Form.Get("redirect_uri") != code.RedirectURI {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "redirect_uri is not the one of the authorization request")
	}
	return g.checkVerifier(code, request)
}

func issueForCode(ctx context.Context, store oauthkit.CodeStore, request *oauthkit.TokenRequest, code *oauthkit.AuthorizationCode) (*oauthkit.TokenResponse, error) {
	before := code.Authorization.ExpiresAt
	code.Authorization.ExpiresAt = time.Time{} // it was that of the code; Issue sets the final one
	response, err := request.Issue(ctx, &oauthkit.Issuance{
		Authorization: code.Authorization,
		Scopes:        allowedScopes(request.Application, code.Authorization),
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			if before.After(code.ExpiresAt) && before.After(code.Authorization.ExpiresAt) {
				code.Authorization.ExpiresAt = before // of a token that was issued beside the code
			}
			return store.RedeemCode(ctx, code.Hash, tokens, request.Now)
		},
	})
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return nil, request.RevokeReplayed(ctx, code.Authorization, code.Hash)
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):
		return nil, invalidCredential("code")
	default:
		return response, err
	}
}
