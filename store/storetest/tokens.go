package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func tokenRules() []rule {
	return []rule{
		{
			"SaveTokens saves the Authorization and both tokens",
			"a token was handed out that nobody can use",
			testSaveTokens,
		},
		{
			"SaveTokens saves an access token alone, of an application that acts for itself",
			"client credentials do not work",
			testSaveAccessToken,
		},
		{
			"an access token keeps resources of its own",
			"a token for one API works at all of them (RFC 8707 §2.2)",
			testTokenResources,
		},
		{
			"SaveTokens saves all or nothing",
			"half of what failed is alive",
			testSaveTokensFails,
		},
		{
			"a token that does not exist is ErrNotFound",
			"a failing database makes every API answer invalid_token, or a wrong token makes them answer 503",
			testUnknownToken,
		},
		{
			"an expired access token is still returned",
			"the caller cannot tell expired from unknown, and whoever asks with another clock gets another answer",
			testExpiredToken,
		},
	}
}

// revocationRules are what RevokeAuthorization promises.
func revocationRules() []rule {
	return []rule{
		{
			"revoking an Authorization shows in every credential of it, and they are still returned",
			"a code or a token outlives the logout",
			testRevokeReachesAll,
		},
		{
			"revoking tells whether it changed anything, and the first time is kept",
			"the audit log holds two revocations, or another time than when it ended",
			testRevokeTwice,
		},
		{
			"revoking an Authorization that does not exist is no error",
			"revocation tells whether a token exists (RFC 7009 §2.2), or fails where there is nothing to do",
			testRevokeUnknown,
		},
		{
			"revoking an Authorization leaves the user's others alone",
			"to lose one device means to lose all",
			testRevokeOne,
		},
	}
}

func testSaveTokens(t *trial) {
	tokens := t.savedTokens()
	t.same("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.same("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
}

func testSaveAccessToken(t *trial) {
	authorization := &oauthkit.Authorization{
		ID: secret.NewID(), ClientID: t.client, CreatedAt: t.now, ExpiresAt: t.now.Add(10 * time.Minute),
	}
	access := t.accessToken(authorization)
	t.done("SaveTokens", t.SaveTokens(t.ctx, authorization, oauthkit.Tokens{Access: access}))
	t.same("AccessToken", t.storedAccessToken(access.Hash), access)
}

func testTokenResources(t *trial) {
	tokens := t.tokens(t.authorization())
	tokens.Access.Resources = tokens.Access.Authorization.Resources[1:]
	t.done("SaveTokens", t.SaveTokens(t.ctx, tokens.Access.Authorization, tokens))
	t.same("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testUnknownToken(t *trial) {
	for _, hash := range []string{"", newHash(), t.savedTokens().Refresh.Hash, t.savedCode().Hash} {
		_, err := t.AccessToken(t.ctx, hash)
		t.answered("AccessToken, unknown", err, oauthkit.ErrNotFound)
	}
}

func testExpiredToken(t *trial) {
	authorization := t.authorization()
	authorization.ExpiresAt = t.now.Add(-time.Hour)
	tokens := t.tokens(authorization)
	tokens.Access.ExpiresAt = t.now.Add(-2 * time.Hour)
	t.done("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.same("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testRevokeUnknown(t *trial) {
	t.noAuthorization(&oauthkit.Authorization{ID: secret.NewID()})
	t.noAuthorization(&oauthkit.Authorization{})
}

func testRevokeOne(t *trial) {
	ended, other := t.savedTokens(), t.authorization()
	other.Subject = ended.Access.Authorization.Subject
	tokens := t.tokens(other)
	t.done("SaveTokens", t.SaveTokens(t.ctx, other, tokens))
	t.revoked(ended.Access.Authorization)
	t.same("the other AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testSaveTokensFails(t *trial) {
	existing := t.savedTokens()
	takenID := t.tokens(existing.Access.Authorization)
	t.failed("SaveTokens, of an Authorization that exists", t.SaveTokens(t.ctx, takenID.Access.Authorization, takenID))
	t.noTokens(takenID)

	first := t.authorization()
	takenAccess := t.tokens(first)
	takenAccess.Access.Hash = existing.Access.Hash
	t.failed("SaveTokens, of an access token that exists", t.SaveTokens(t.ctx, first, takenAccess))
	t.noTokens(oauthkit.Tokens{Access: t.accessToken(first), Refresh: takenAccess.Refresh})
	t.noAuthorization(first)

	second := t.authorization()
	takenRefresh := t.tokens(second)
	takenRefresh.Refresh.Hash = existing.Refresh.Hash
	t.failed("SaveTokens, of a refresh token that exists", t.SaveTokens(t.ctx, second, takenRefresh))
	t.noTokens(oauthkit.Tokens{Access: takenRefresh.Access})
	t.noAuthorization(second)

	t.same("the token that existed", t.storedAccessToken(existing.Access.Hash), existing.Access)
	t.same("the token that existed", t.storedRefreshToken(existing.Refresh.Hash), existing.Refresh)
}

func testRevokeReachesAll(t *trial) {
	code := t.savedCode()
	tokens := t.tokens(code.Authorization)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.revoked(code.Authorization)
	for name, authorization := range map[string]*oauthkit.Authorization{
		"Code":         t.storedCode(code.Hash).Authorization,
		"AccessToken":  t.storedAccessToken(tokens.Access.Hash).Authorization,
		"RefreshToken": t.storedRefreshToken(tokens.Refresh.Hash).Authorization,
	} {
		if !authorization.RevokedAt.Equal(t.now) || authorization.Valid(t.now) {
			t.Errorf("%s: got an Authorization revoked at %v, want %v", name, authorization.RevokedAt, t.now)
		}
	}
}

func testRevokeTwice(t *trial) {
	tokens := t.savedTokens()
	id := tokens.Access.Authorization.ID
	for i, want := range []bool{true, false, false} {
		changed, err := t.RevokeAuthorization(t.ctx, id, t.now.Add(time.Duration(i)*time.Second))
		t.done("RevokeAuthorization", err)
		if changed != want {
			t.Errorf("RevokeAuthorization, call %d: got %t, want %t", i+1, changed, want)
		}
	}
	if got := t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt; !got.Equal(t.now) {
		t.Errorf("RevokedAt: got %v, want that of the first call, %v", got, t.now)
	}
}
