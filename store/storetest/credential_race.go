package storetest

import (
	"github.com/oauthkit/oauthkit"
)

func credentialRaces() []rule {
	return []rule{
		{
			"exactly one of 100 concurrent redemptions of a code succeeds",
			"an intercepted code gives tokens to two parties (RFC 6749 §4.1.2); a store that reads and then updates breaks this",
			func(t *trial) { t.raceMany(testRedeemRace) },
		},
		{
			"exactly one of 100 concurrent uses of a refresh token succeeds",
			"a stolen refresh token stays valid beside that of the client (RFC 9700 §4.14.2); a store that reads and then updates breaks this",
			func(t *trial) { t.raceMany(testRotateRace) },
		},
		{
			"redeeming a code while its Authorization is revoked leaves no valid token",
			"the user revokes the sign-in, and it still succeeds",
			func(t *trial) { t.pairs(100, testRedeemAgainstRevoke) },
		},
		{
			"a refresh while the Authorization is revoked leaves no valid token",
			"a token that is saved a moment after the logout stays valid",
			func(t *trial) { t.pairs(300, testRotateAgainstRevoke) },
		},
		{
			"a refresh while the Consent is revoked leaves no valid token",
			"an application that the user removed keeps its access",
			func(t *trial) { t.pairs(100, testRotateAgainstRevokeConsent) },
		},
		{
			"exactly one of many concurrent revocations reports a change",
			"the audit log contains several revocations, or none",
			testRevokeRace,
		},
	}
}

const crowd = 100

// raceMany runs one race of many callers and then many races of a few: if the gap
// between reading and updating is short, not every race has two callers in it.
func (t *trial) raceMany(hold func(t *trial, n int)) {
	hold(t, crowd)
	for range 40 {
		hold(t, 8)
	}
}

// tokensOfEach returns tokens for each caller of a race.
func (t *trial) tokensOfEach(n int, authorization *oauthkit.Authorization) []oauthkit.Tokens {
	tokens := make([]oauthkit.Tokens, n)
	for i := range tokens {
		tokens[i] = t.tokens(authorization)
	}
	return tokens
}

// wantOnly reports stored tokens of losers and missing tokens of the winner.
func (t *trial) wantOnly(tokens []oauthkit.Tokens, winner int) {
	t.Helper()
	for i := range tokens {
		if i == winner {
			t.wantEqual("the winner's AccessToken", t.storedAccessToken(tokens[i].Access.Hash), tokens[i].Access)
			t.wantEqual("the winner's RefreshToken", t.storedRefreshToken(tokens[i].Refresh.Hash), tokens[i].Refresh)
		} else {
			t.wantNoTokens(tokens[i])
		}
	}
}

func testRedeemRace(t *trial, n int) {
	code := t.mustSaveCode()
	tokens := t.tokensOfEach(n, code.Authorization)
	winner := t.wantOneWinner("RedeemCode", t.race(n, func(i int) error {
		return t.side(i).RedeemCode(t.ctx, code.Hash, tokens[i], t.now)
	}))
	t.wantOnly(tokens, winner)
	code.ConsumedAt = t.now
	t.wantEqual("Code", t.storedCode(code.Hash), code)
}

func testRotateRace(t *trial, n int) {
	token := t.mustSaveTokens().Refresh
	successors := t.tokensOfEach(n, token.Authorization)
	winner := t.wantOneWinner("RotateRefreshToken", t.race(n, func(i int) error {
		sealed := []byte{byte(i)}
		return t.side(i).RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors[i], sealed))
	}))
	t.wantOnly(successors, winner)
	token.Sealed = []byte{byte(winner)}
	t.wantConsumed("the consumed one", t.storedRefreshToken(token.Hash), token)
}

func testRedeemAgainstRevoke(t *trial) {
	code := t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	redeemed, revoked := t.pair(
		func(store Store) error { return store.RedeemCode(t.ctx, code.Hash, tokens, t.now) },
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, code.Authorization.ID, t.revocation())
			return err
		})
	t.wantNoValidToken("RedeemCode", redeemed, "RevokeAuthorization", revoked, tokens)
}

func testRotateAgainstRevoke(t *trial) {
	token := t.mustSaveTokens().Refresh
	successors := t.tokens(token.Authorization)
	rotated, revoked := t.pair(
		func(store Store) error {
			return store.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, nil))
		},
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, token.Authorization.ID, t.revocation())
			return err
		})
	t.wantNoValidToken("RotateRefreshToken", rotated, "RevokeAuthorization", revoked, successors)
}

func testRotateAgainstRevokeConsent(t *trial) {
	consent, code := t.mustSaveConsent()
	token := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, token, t.now))
	successors := t.tokens(code.Authorization)
	rotated, revoked := t.pair(
		func(store Store) error {
			return store.RotateRefreshToken(t.ctx, t.rotation(token.Refresh.Hash, successors, nil))
		},
		func(store Store) error {
			_, err := store.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
			return err
		})
	t.wantNoValidToken("RotateRefreshToken", rotated, "RevokeConsent", revoked, successors)
}

// wantNoValidToken checks the result of an issuing act concurrent with a revocation: in
// either order, no token is valid.
func (t *trial) wantNoValidToken(issuing string, issued error, revoking string, revoked error, tokens oauthkit.Tokens) {
	t.Helper()
	t.mustSucceed(revoking, revoked)
	t.wantError(issuing+", against "+revoking, issued, nil, oauthkit.ErrRevoked)
	if issued != nil {
		t.wantNoTokens(tokens)
		return
	}
	if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("%s, against %s: got a live access token, want none", issuing, revoking)
	}
	if t.storedRefreshToken(tokens.Refresh.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("%s, against %s: got a live refresh token, want none", issuing, revoking)
	}
}

func testRevokeRace(t *trial) {
	const n = 20
	authorization, changed := t.mustSaveTokens().Access.Authorization, make([]bool, n)
	for _, err := range t.race(n, func(i int) (err error) {
		changed[i], err = t.side(i).RevokeAuthorization(t.ctx, authorization.ID, t.revocation())
		return err
	}) {
		t.mustSucceed("RevokeAuthorization", err)
	}
	changes := 0
	for _, did := range changed {
		if did {
			changes++
		}
	}
	t.wantEqual("calls of RevokeAuthorization that changed something", changes, 1)
}
