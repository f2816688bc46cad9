package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func credentialSabotages() []sabotage {
	return []sabotage{
		{"saves no refresh token", func(s Store) Store { return noRefresh{s} }, []string{
			"tokens/SaveTokens saves the",
		}},
		{"requires refresh tokens", func(s Store) Store { return needsRefresh{s} }, []string{
			"tokens/SaveTokens saves an", "codes/RedeemCode saves an",
		}},
		{"saves a part of a failed act", func(s Store) Store { return leavesParts{s} }, []string{
			"tokens/SaveTokens saves everything", "codes/RedeemCode does everything",
			"refresh/RotateRefreshToken does everything",
		}},
		{"fails for an unknown credential", func(s Store) Store { return failsUnknown{s} }, []string{
			"tokens/AccessToken returns ErrNotFound", "codes/Code and RedeemCode", "refresh/RefreshToken and RotateRefreshToken",
		}},
		{"hides expired tokens", func(s Store) Store { return hidesExpired{s} }, []string{
			"tokens/AccessToken returns expired", "interactions/Interaction returns expired",
		}},
		{"ignores revocation", func(s Store) Store { return ignoresRevocation{s} }, []string{
			"tokens/RevokeAuthorization revokes every", "codes/RedeemCode under a", "refresh/RotateRefreshToken under a",
			"consents/RevokeConsent deletes the", "consents/RevokeConsent also revokes",
			"races/redeeming a code", "races/a refresh while the Authorization", "races/a refresh while the Consent",
			"races/concurrent calls are", "sequences/any sequence",
		}},
		{"reports each revocation as a change", func(s Store) Store { return revokesAgain{s} }, []string{
			"tokens/RevokeAuthorization reports whether", "races/exactly one of many concurrent revocations", "sequences/any sequence",
		}},
		{"fails for an unknown Authorization", func(s Store) Store { return revokesOnlyKnown{s} }, []string{
			"tokens/RevokeAuthorization of an",
		}},
		{"revokes all Authorizations of a user", func(s Store) Store { return &revokesAll{s, map[string]*oauthkit.Authorization{}} }, []string{
			"tokens/RevokeAuthorization affects no",
		}},
		{"loses a field of a code", func(s Store) Store { return partCode{s} }, []string{"codes/SaveApproval saves the"}},
		{"drops consumed rows", func(s Store) Store { return dropsConsumed{s} }, []string{
			"codes/RedeemCode saves the", "codes/RedeemCode of a consumed code returns", "refresh/RotateRefreshToken saves the", "refresh/RotateRefreshToken of a consumed token returns",
			"races/exactly one of 100 concurrent redemptions", "races/exactly one of 100 concurrent uses", "sequences/any sequence",
		}},
		{"saves tokens of failed acts", func(s Store) Store { return keepsLosers{s} }, []string{
			"codes/RedeemCode of a consumed code returns", "codes/RedeemCode of a consumed code under", "codes/RedeemCode under a",
			"refresh/RotateRefreshToken of a consumed token returns", "refresh/RotateRefreshToken of a consumed token under", "refresh/RotateRefreshToken under a",
			"races/exactly one of 100 concurrent redemptions", "races/exactly one of 100 concurrent uses", "sequences/any sequence",
		}},
		{"keeps ExpiresAt of the code", func(s Store) Store { return endsWithCode{s} }, []string{"codes/RedeemCode sets ExpiresAt"}},
		{"keeps Authorizations without tokens", func(s Store) Store { return keepsUnredeemed{s} }, []string{
			"codes/RedeemCode sets ExpiresAt", "cleanup/an Authorization whose",
		}},
		{"narrows the Authorization to its token", func(s Store) Store { return narrows{s} }, []string{
			"refresh/RotateRefreshToken works repeatedly",
		}},
	}
}

type endsWithCode struct{ Store }

func (s endsWithCode) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	code, err := s.Code(ctx, hash)
	if err != nil {
		return err
	}
	access := *tokens.Access
	access.Authorization = code.Authorization
	tokens.Access = &access
	return s.Store.RedeemCode(ctx, hash, tokens, now)
}

type keepsUnredeemed struct{ Store }

func (s keepsUnredeemed) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	lasting, kept := *approval.Authorization, *approval
	lasting.ExpiresAt = lasting.CreatedAt.AddDate(0, 0, 90)
	kept.Authorization = &lasting
	return s.Store.SaveApproval(ctx, &kept)
}

type noRefresh struct{ Store }

func (s noRefresh) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	tokens.Refresh = nil
	return s.Store.SaveTokens(ctx, authorization, tokens)
}

type needsRefresh struct{ Store }

func (s needsRefresh) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if tokens.Refresh == nil {
		return errDown
	}
	return s.Store.SaveTokens(ctx, authorization, tokens)
}

func (s needsRefresh) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	if tokens.Refresh == nil {
		return errDown
	}
	return s.Store.RedeemCode(ctx, hash, tokens, now)
}

// leavesParts saves the remaining rows if one cannot be saved.
type leavesParts struct{ Store }

func others(tokens oauthkit.Tokens) oauthkit.Tokens {
	access := *tokens.Access
	access.Hash = newHash()
	return oauthkit.Tokens{Access: &access}
}

func withOthers(rotation oauthkit.Rotation) oauthkit.Rotation {
	rotation.Successors = others(rotation.Successors)
	return rotation
}

func (s leavesParts) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	err := s.Store.SaveTokens(ctx, authorization, tokens)
	if err != nil {
		_ = s.Store.SaveTokens(ctx, authorization, others(tokens))
	}
	return err
}

func (s leavesParts) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	err := s.Store.RedeemCode(ctx, hash, tokens, now)
	if err != nil {
		_ = s.Store.RedeemCode(ctx, hash, others(tokens), now)
	}
	return err
}

func (s leavesParts) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	err := s.Store.RotateRefreshToken(ctx, rotation)
	if err != nil {
		_ = s.Store.RotateRefreshToken(ctx, withOthers(rotation))
	}
	return err
}

type failsUnknown struct{ Store }

func orDown(err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return errDown
	}
	return err
}

func (s failsUnknown) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	token, err := s.Store.AccessToken(ctx, hash)
	return token, orDown(err)
}

func (s failsUnknown) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	return orDown(s.Store.RedeemCode(ctx, hash, tokens, now))
}

func (s failsUnknown) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	return token, orDown(err)
}

type hidesExpired struct{ Store }

func (s hidesExpired) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	token, err := s.Store.AccessToken(ctx, hash)
	if err == nil && token.ExpiresAt.Before(token.IssuedAt) {
		return nil, oauthkit.ErrNotFound
	}
	return token, err
}

func (s hidesExpired) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	interaction, err := s.Store.Interaction(ctx, hash)
	if err == nil && interaction.ExpiresAt.Before(interaction.CreatedAt) {
		return nil, oauthkit.ErrNotFound
	}
	return interaction, err
}

type partCode struct{ Store }

func (s partCode) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code, err := s.Store.Code(ctx, hash)
	if err == nil {
		code.RedirectURI = ""
	}
	return code, err
}

type dropsConsumed struct{ Store }

func (s dropsConsumed) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code, err := s.Store.Code(ctx, hash)
	if err == nil && !code.ConsumedAt.IsZero() {
		return nil, oauthkit.ErrNotFound
	}
	return code, err
}

func (s dropsConsumed) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	err := s.Store.RedeemCode(ctx, hash, tokens, now)
	if errors.Is(err, oauthkit.ErrReplayed) {
		return oauthkit.ErrNotFound
	}
	return err
}

func (s dropsConsumed) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	if err == nil && !token.ConsumedAt.IsZero() {
		return nil, oauthkit.ErrNotFound
	}
	return token, err
}

func (s dropsConsumed) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	err := s.Store.RotateRefreshToken(ctx, rotation)
	if errors.Is(err, oauthkit.ErrReplayed) {
		return oauthkit.ErrNotFound
	}
	return err
}

// keepsLosers saves the tokens before the check.
type keepsLosers struct{ Store }

// saveAnyway saves tokens of a refused act.
func saveAnyway(ctx context.Context, store Store, tokens oauthkit.Tokens) error {
	authorization := *tokens.Access.Authorization
	authorization.ID = secret.NewID()
	return store.SaveTokens(ctx, &authorization, tokens)
}

func (s keepsLosers) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	err := s.Store.RedeemCode(ctx, hash, tokens, now)
	if err != nil {
		_ = saveAnyway(ctx, s.Store, tokens)
	}
	return err
}

func (s keepsLosers) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	err := s.Store.RotateRefreshToken(ctx, rotation)
	if err != nil {
		_ = saveAnyway(ctx, s.Store, rotation.Successors)
	}
	return err
}

type narrows struct{ Store }

func (s narrows) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	token, err := s.Store.AccessToken(ctx, hash)
	if err == nil {
		token.Authorization.Scopes = token.Scopes
	}
	return token, err
}
