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

// failing returns a trial whose context has ended, so that every call fails.
func (t *trial) failing() *trial {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	failing := *t
	failing.ctx = ctx
	return &failing
}

// calls returns a call of each method, which all succeed or return one of the
// contract's errors if the context has not ended.
func (t *trial) calls() map[string]func() error {
	unknown, tokens, code := newHash(), t.tokens(t.authorization()), t.code(t.authorization())
	return map[string]func() error{
		"Application":         func() error { _, err := t.Application(t.ctx, t.client); return err },
		"SaveTokens":          func() error { return t.SaveTokens(t.ctx, tokens.Access.Authorization, tokens) },
		"AccessToken":         func() error { _, err := t.AccessToken(t.ctx, unknown); return err },
		"RevokeAuthorization": func() error { _, err := t.RevokeAuthorization(t.ctx, unknown, t.revocation()); return err },
		"Consent":             func() error { _, err := t.Consent(t.ctx, t.client, unknown); return err },
		"RevokeConsent":       func() error { _, err := t.RevokeConsent(t.ctx, t.client, unknown, t.revocation()); return err },
		"EndSession": func() error {
			_, err := t.EndSession(t.ctx, t.sessionEnd(t.inSession()))
			return err
		},
		"SaveInteraction":    func() error { return t.SaveInteraction(t.ctx, t.interaction(), interactionLimit) },
		"Interaction":        func() error { _, err := t.Interaction(t.ctx, unknown); return err },
		"ConsumeInteraction": func() error { return t.ConsumeInteraction(t.ctx, unknown, t.now) },
		"SharedSecret":       func() error { _, err := t.SharedSecret(t.ctx, unknown); return err },
		"SaveApproval": func() error {
			return t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: code.Authorization, Code: code})
		},
		"Code":               func() error { _, err := t.Code(t.ctx, unknown); return err },
		"RedeemCode":         func() error { return t.RedeemCode(t.ctx, unknown, tokens, t.now) },
		"RefreshToken":       func() error { _, err := t.RefreshToken(t.ctx, unknown); return err },
		"RotateRefreshToken": func() error { return t.RotateRefreshToken(t.ctx, t.rotation(unknown, tokens, nil)) },
		"RepeatRefreshToken": func() error {
			_, err := t.RepeatRefreshToken(t.ctx, oauthkit.Repeat{Hash: unknown, Successor: unknown, Limit: 5, Now: at(t.now)})
			return err
		},
		"SigningKeys":       func() error { _, err := t.SigningKeys(t.ctx); return err },
		"AddSigningKey":     func() error { return t.AddSigningKey(t.ctx, t.key("RS256", 1)) },
		"ReplacePrivateKey": func() error { _, err := t.ReplacePrivateKey(t.ctx, unknown, nil, nil); return err },
		"RemoveSigningKey":  func() error { _, err := t.RemoveSigningKey(t.ctx, unknown); return err },
		"Cleanup":           func() error { _, err := t.Cleanup(t.ctx, oauthkit.CleanupLimits{Now: t.now}); return err },
	}
}

func testFailureIsNoAnswer(t *trial) {
	for name, call := range t.failing().calls() {
		t.wantFailure(name+", of a caller that has given up", call())
	}
}

func testFailureDoesNothing(t *trial) {
	failing := t.failing()
	tokens, code, interaction := t.mustSaveTokens(), t.mustSaveCode(), t.mustSaveInteraction()
	consent, _ := t.mustSaveConsent()

	redeemed, rotated, fresh := t.tokens(code.Authorization), t.tokens(tokens.Access.Authorization), t.tokens(t.authorization())
	t.wantFailure("RedeemCode", t.RedeemCode(failing.ctx, code.Hash, redeemed, t.now))
	t.wantFailure("RotateRefreshToken", t.RotateRefreshToken(failing.ctx, t.rotation(tokens.Refresh.Hash, rotated, []byte("sealed"))))
	t.wantFailure("SaveTokens", t.SaveTokens(failing.ctx, fresh.Access.Authorization, fresh))
	approval, approved := t.approval(interaction.Hash)
	t.wantFailure("SaveApproval", t.SaveApproval(failing.ctx, approval))
	t.wantFailure("ConsumeInteraction", t.ConsumeInteraction(failing.ctx, interaction.Hash, t.now))
	_, err := t.RevokeAuthorization(failing.ctx, code.Authorization.ID, t.revocation())
	t.wantFailure("RevokeAuthorization", err)
	_, err = t.EndSession(failing.ctx, t.sessionEnd(tokens.Access.Authorization))
	t.wantFailure("EndSession", err)
	_, err = t.RevokeConsent(failing.ctx, consent.ClientID, consent.Subject, t.revocation())
	t.wantFailure("RevokeConsent", err)

	for _, unsaved := range []oauthkit.Tokens{redeemed, rotated, fresh} {
		t.wantNoTokens(unsaved)
	}
	t.wantNoAuthorization(fresh.Access.Authorization)
	t.wantNoCode(approved)
	t.wantNoConsent(approval.Consent)
	t.wantEqual("Code", t.storedCode(code.Hash), code)
	t.wantEqual("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	t.wantEqual("Consent", t.storedConsent(consent), consent)
}
