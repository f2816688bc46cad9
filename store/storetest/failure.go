package storetest

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

func failureRules() []rule {
	return []rule{
		{
			"a failing store returns none of the contract's errors",
			"a valid client gets invalid_client while the database is down, and a revocation that failed is answered 200",
			testFailureIsNoAnswer,
		},
		{
			"an act that fails changes nothing",
			"a code is consumed although the client was told to try again",
			testFailureDoesNothing,
		},
	}
}

// failing is a trial whose every call fails, since its caller has given up.
func (t *trial) failing() *trial {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	failing := *t
	failing.ctx = ctx
	return &failing
}

// calls returns a call of each method. All of them would be answered, if they were not to fail.
func (t *trial) calls() map[string]func() error {
	unknown, tokens, code := newHash(), t.tokens(t.authorization()), t.code(t.authorization())
	return map[string]func() error{
		"Application":         func() error { _, err := t.Application(t.ctx, t.client); return err },
		"SaveTokens":          func() error { return t.SaveTokens(t.ctx, tokens.Access.Authorization, tokens) },
		"AccessToken":         func() error { _, err := t.AccessToken(t.ctx, unknown); return err },
		"RevokeAuthorization": func() error { _, err := t.RevokeAuthorization(t.ctx, unknown, t.now); return err },
		"Consent":             func() error { _, err := t.Consent(t.ctx, t.client, unknown); return err },
		"RevokeConsent":       func() error { _, err := t.RevokeConsent(t.ctx, t.client, unknown, t.now); return err },
		"SaveInteraction":     func() error { return t.SaveInteraction(t.ctx, t.interaction(), interactionLimit) },
		"Interaction":         func() error { _, err := t.Interaction(t.ctx, unknown); return err },
		"ConsumeInteraction":  func() error { return t.ConsumeInteraction(t.ctx, unknown, t.now) },
		"SharedSecret":        func() error { _, err := t.SharedSecret(t.ctx, unknown); return err },
		"SaveCode": func() error {
			return t.SaveCode(t.ctx, &oauthkit.Approval{Authorization: code.Authorization}, code)
		},
		"Code":               func() error { _, err := t.Code(t.ctx, unknown); return err },
		"RedeemCode":         func() error { return t.RedeemCode(t.ctx, unknown, tokens, t.now) },
		"RefreshToken":       func() error { _, err := t.RefreshToken(t.ctx, unknown); return err },
		"RotateRefreshToken": func() error { return t.RotateRefreshToken(t.ctx, t.rotation(unknown, tokens, nil)) },
		"RepeatRefreshToken": func() error {
			_, err := t.RepeatRefreshToken(t.ctx, oauthkit.Repeat{Hash: unknown, Successor: unknown, Limit: 5, Now: at(t.now)})
			return err
		},
		"SigningKeys":      func() error { _, err := t.SigningKeys(t.ctx); return err },
		"AddSigningKey":    func() error { return t.AddSigningKey(t.ctx, t.key("RS256", 1)) },
		"RemoveSigningKey": func() error { _, err := t.RemoveSigningKey(t.ctx, unknown); return err },
		"Cleanup":          func() error { _, err := t.Cleanup(t.ctx, oauthkit.CleanupLimits{Now: t.now}); return err },
	}
}

func testFailureIsNoAnswer(t *trial) {
	for name, call := range t.failing().calls() {
		t.failed(name+", of a caller that has given up", call())
	}
}

func testFailureDoesNothing(t *trial) {
	failing := t.failing()
	tokens, code, interaction := t.savedTokens(), t.savedCode(), t.savedInteraction()
	consent, _ := t.savedConsent()

	redeemed, rotated, fresh := t.tokens(code.Authorization), t.tokens(tokens.Access.Authorization), t.tokens(t.authorization())
	t.failed("RedeemCode", t.RedeemCode(failing.ctx, code.Hash, redeemed, t.now))
	t.failed("RotateRefreshToken", t.RotateRefreshToken(failing.ctx, t.rotation(tokens.Refresh.Hash, rotated, []byte("sealed"))))
	t.failed("SaveTokens", t.SaveTokens(failing.ctx, fresh.Access.Authorization, fresh))
	approval, approved := t.approval(interaction.Hash)
	t.failed("SaveCode", t.SaveCode(failing.ctx, approval, approved))
	t.failed("ConsumeInteraction", t.ConsumeInteraction(failing.ctx, interaction.Hash, t.now))
	_, err := t.RevokeAuthorization(failing.ctx, code.Authorization.ID, t.now)
	t.failed("RevokeAuthorization", err)
	_, err = t.RevokeConsent(failing.ctx, consent.ClientID, consent.Subject, t.now)
	t.failed("RevokeConsent", err)

	for _, unsaved := range []oauthkit.Tokens{redeemed, rotated, fresh} {
		t.noTokens(unsaved)
	}
	t.noAuthorization(fresh.Access.Authorization)
	t.noCode(approved)
	t.noConsent(approval.Consent)
	t.same("Code", t.storedCode(code.Hash), code)
	t.same("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
	t.same("Consent", t.storedConsent(consent), consent)
}
