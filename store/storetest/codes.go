package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

func codeRules() []rule {
	return []rule{
		{
			"SaveApproval saves the Authorization and the code",
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
	code := t.mustSaveCode()
	t.wantEqual("Code", t.storedCode(code.Hash), code)
}

func testUnknownCode(t *trial) {
	for _, hash := range []string{"", newHash(), t.mustSaveTokens().Refresh.Hash} {
		_, err := t.Code(t.ctx, hash)
		t.wantError("Code, unknown", err, oauthkit.ErrNotFound)
		tokens := t.tokens(t.authorization())
		t.wantError("RedeemCode, unknown", t.RedeemCode(t.ctx, hash, tokens, t.now), oauthkit.ErrNotFound)
		t.wantNoTokens(tokens)
	}
}

func testRedeemWithoutRefresh(t *trial) {
	code := t.mustSaveCode()
	access := t.accessToken(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, oauthkit.Tokens{Access: access}, t.now))
	t.wantEqual("AccessToken", t.storedAccessToken(access.Hash), access)
}

func testRedeemRevoked(t *trial) {
	code := t.mustSaveCode()
	t.mustRevoke(code.Authorization)
	tokens := t.tokens(code.Authorization)
	t.wantError("RedeemCode, revoked", t.RedeemCode(t.ctx, code.Hash, tokens, t.now), oauthkit.ErrRevoked)
	t.wantNoTokens(tokens)
	if consumed := t.storedCode(code.Hash).ConsumedAt; !consumed.IsZero() {
		t.Errorf("ConsumedAt: got %v, want none", consumed)
	}
}

func testRedeemReplayedAndRevoked(t *trial) {
	code := t.mustSaveCode()
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
	t.mustRevoke(code.Authorization)
	tokens := t.tokens(code.Authorization)
	err := t.RedeemCode(t.ctx, code.Hash, tokens, t.now)
	t.wantError("RedeemCode, replayed and revoked", err, oauthkit.ErrReplayed, oauthkit.ErrRevoked)
	t.wantNoTokens(tokens)
}

func testRedeemCode(t *trial) {
	code, at := t.mustSaveCode(), t.now.Add(7*time.Second)
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, at))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.wantEqual("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
	want := *code
	want.ConsumedAt = at
	t.wantEqual("Code", t.storedCode(code.Hash), &want)
}

func testRedeemExtends(t *trial) {
	authorization := t.authorization()
	lasting := *authorization
	authorization.ExpiresAt = t.now.Add(time.Minute)
	code := t.code(authorization)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: code}))
	t.wantEqual("Authorization, before the code is redeemed", t.storedCode(code.Hash).Authorization, authorization)

	tokens := t.tokens(&lasting)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.wantEqual("Code.Authorization", t.storedCode(code.Hash).Authorization, &lasting)
	t.wantEqual("AccessToken.Authorization", t.storedAccessToken(tokens.Access.Hash).Authorization, &lasting)

	longer := lasting
	longer.ExpiresAt = lasting.ExpiresAt.AddDate(1, 0, 0)
	t.wantError("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, t.tokens(&longer), t.now), oauthkit.ErrReplayed)
	t.wantEqual("Code.Authorization, after a replay", t.storedCode(code.Hash).Authorization, &lasting)
}

func testRedeemTwice(t *trial) {
	code, at := t.mustSaveCode(), t.now.Add(7*time.Second)
	first := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, first, at))
	for _, later := range []time.Duration{0, time.Second, 24 * time.Hour} {
		again := t.tokens(code.Authorization)
		t.wantError("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, again, at.Add(later)), oauthkit.ErrReplayed)
		t.wantNoTokens(again)
	}
	if consumed := t.storedCode(code.Hash).ConsumedAt; !consumed.Equal(at) {
		t.Errorf("ConsumedAt: got %v, want that of the first call, %v", consumed, at)
	}
	t.wantEqual("the first AccessToken", t.storedAccessToken(first.Access.Hash), first.Access)
}

func testRedeemFails(t *trial) {
	existing, code := t.mustSaveTokens(), t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	taken := tokens
	taken.Access = t.accessToken(code.Authorization)
	taken.Access.Hash = existing.Access.Hash
	t.wantFailure("RedeemCode, with an access token that exists", t.RedeemCode(t.ctx, code.Hash, taken, t.now))
	t.wantNoTokens(tokens)
	taken = tokens
	taken.Refresh = t.refreshToken(code.Authorization)
	taken.Refresh.Hash = existing.Refresh.Hash
	t.wantFailure("RedeemCode, with a refresh token that exists", t.RedeemCode(t.ctx, code.Hash, taken, t.now))
	t.wantNoTokens(tokens)
	t.wantEqual("Code", t.storedCode(code.Hash), code)
	t.mustSucceed("RedeemCode, after failures", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}
