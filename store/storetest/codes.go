package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

func codeRules() []rule {
	return []rule{
		{
			"SaveCode saves the Authorization and the code",
			"the client receives a code that cannot be redeemed",
			testSaveCode,
		},
		{
			"Code and RedeemCode return ErrNotFound for an unknown code",
			"an invented code looks like a replay, or like a failing database",
			testUnknownCode,
		},
		{
			"RedeemCode saves the tokens and keeps the consumed code",
			"a replay looks like an unknown code, and the tokens issued for the code are not revoked (RFC 6749 §4.1.2)",
			testRedeemCode,
		},
		{
			"RedeemCode saves an access token without a refresh token",
			"an application without refresh tokens cannot sign users in",
			testRedeemWithoutRefresh,
		},
		{
			"RedeemCode sets ExpiresAt of the Authorization to that of the tokens' Authorization",
			"every session ends with its code, or an Authorization without tokens is kept as long as a session",
			testRedeemExtends,
		},
		{
			"RedeemCode of a consumed code returns ErrReplayed and saves nothing",
			"an attacker who has seen a code gets tokens after the client",
			testRedeemTwice,
		},
		{
			"RedeemCode under a revoked Authorization returns ErrRevoked and saves and consumes nothing",
			"tokens are issued after the user revoked access",
			testRedeemRevoked,
		},
		{
			"RedeemCode of a consumed code under a revoked Authorization returns either error",
			"a second replay gets tokens",
			testRedeemReplayedAndRevoked,
		},
		{
			"RedeemCode does everything or nothing",
			"a failure in the middle consumes the code without tokens, or issues tokens without consuming it",
			testRedeemFails,
		},
	}
}

func testSaveCode(t *trial) {
	code := t.savedCode()
	t.same("Code", t.storedCode(code.Hash), code)
}

func testUnknownCode(t *trial) {
	for _, hash := range []string{"", newHash(), t.savedTokens().Refresh.Hash} {
		_, err := t.Code(t.ctx, hash)
		t.answered("Code, unknown", err, oauthkit.ErrNotFound)
		tokens := t.tokens(t.authorization())
		t.answered("RedeemCode, unknown", t.RedeemCode(t.ctx, hash, tokens, t.now), oauthkit.ErrNotFound)
		t.noTokens(tokens)
	}
}

func testRedeemWithoutRefresh(t *trial) {
	code := t.savedCode()
	access := t.accessToken(code.Authorization)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, oauthkit.Tokens{Access: access}, t.now))
	t.same("AccessToken", t.storedAccessToken(access.Hash), access)
}

func testRedeemRevoked(t *trial) {
	code := t.savedCode()
	t.revoked(code.Authorization)
	tokens := t.tokens(code.Authorization)
	t.answered("RedeemCode, revoked", t.RedeemCode(t.ctx, code.Hash, tokens, t.now), oauthkit.ErrRevoked)
	t.noTokens(tokens)
	if consumed := t.storedCode(code.Hash).ConsumedAt; !consumed.IsZero() {
		t.Errorf("ConsumedAt: got %v, want none", consumed)
	}
}

func testRedeemReplayedAndRevoked(t *trial) {
	code := t.savedCode()
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
	t.revoked(code.Authorization)
	tokens := t.tokens(code.Authorization)
	err := t.RedeemCode(t.ctx, code.Hash, tokens, t.now)
	t.answered("RedeemCode, replayed and revoked", err, oauthkit.ErrReplayed, oauthkit.ErrRevoked)
	t.noTokens(tokens)
}

func testRedeemCode(t *trial) {
	code, at := t.savedCode(), t.now.Add(7*time.Second)
	tokens := t.tokens(code.Authorization)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, at))
	t.same("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.same("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
	want := *code
	want.ConsumedAt = at
	t.same("Code", t.storedCode(code.Hash), &want)
}

func testRedeemExtends(t *trial) {
	authorization := t.authorization()
	lasting := *authorization
	authorization.ExpiresAt = t.now.Add(time.Minute)
	code := t.code(authorization)
	t.done("SaveCode", t.SaveCode(t.ctx, &oauthkit.Approval{Authorization: authorization}, code))
	t.same("Authorization, before the code is redeemed", t.storedCode(code.Hash).Authorization, authorization)

	tokens := t.tokens(&lasting)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.same("Code.Authorization", t.storedCode(code.Hash).Authorization, &lasting)
	t.same("AccessToken.Authorization", t.storedAccessToken(tokens.Access.Hash).Authorization, &lasting)

	longer := lasting
	longer.ExpiresAt = lasting.ExpiresAt.AddDate(1, 0, 0)
	t.answered("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, t.tokens(&longer), t.now), oauthkit.ErrReplayed)
	t.same("Code.Authorization, after a replay", t.storedCode(code.Hash).Authorization, &lasting)
}

func testRedeemTwice(t *trial) {
	code, at := t.savedCode(), t.now.Add(7*time.Second)
	first := t.tokens(code.Authorization)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, first, at))
	for _, later := range []time.Duration{0, time.Second, 24 * time.Hour} {
		again := t.tokens(code.Authorization)
		t.answered("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, again, at.Add(later)), oauthkit.ErrReplayed)
		t.noTokens(again)
	}
	if consumed := t.storedCode(code.Hash).ConsumedAt; !consumed.Equal(at) {
		t.Errorf("ConsumedAt: got %v, want that of the first call, %v", consumed, at)
	}
	t.same("the first AccessToken", t.storedAccessToken(first.Access.Hash), first.Access)
}

func testRedeemFails(t *trial) {
	existing, code := t.savedTokens(), t.savedCode()
	tokens := t.tokens(code.Authorization)
	taken := tokens
	taken.Access = t.accessToken(code.Authorization)
	taken.Access.Hash = existing.Access.Hash
	t.failed("RedeemCode, with an access token that exists", t.RedeemCode(t.ctx, code.Hash, taken, t.now))
	t.noTokens(tokens)
	taken = tokens
	taken.Refresh = t.refreshToken(code.Authorization)
	taken.Refresh.Hash = existing.Refresh.Hash
	t.failed("RedeemCode, with a refresh token that exists", t.RedeemCode(t.ctx, code.Hash, taken, t.now))
	t.noTokens(tokens)
	t.same("Code", t.storedCode(code.Hash), code)
	t.done("RedeemCode, after failures", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.same("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}
