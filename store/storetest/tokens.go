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
			"the client receives a token that does not work",
			testSaveTokens,
		},
		{
			"SaveTokens saves an access token without a refresh token, for an application itself",
			"client_credentials does not work",
			testSaveAccessToken,
		},
		{
			"an access token has its own resources",
			"a token for one API works at all of them (RFC 8707 §2.2)",
			testTokenResources,
		},
		{
			"SaveTokens saves everything or nothing",
			"a token of a failed act is valid",
			testSaveTokensFails,
		},
		{
			"AccessToken returns ErrNotFound for an unknown token",
			"every API answers invalid_token while the database is down, or answers 503 to a wrong token",
			testUnknownToken,
		},
		{
			"AccessToken returns expired tokens",
			"the caller cannot distinguish expired from unknown, and clocks that differ give different results",
			testExpiredToken,
		},
	}
}

// revocationRules are the rules of RevokeAuthorization.
func revocationRules() []rule {
	return []rule{
		{
			"RevokeAuthorization revokes every credential of the Authorization, and they are still returned",
			"a code or a token stays valid after the logout",
			testRevokeReachesAll,
		},
		{
			"RevokeAuthorization reports whether it changed anything and keeps the first time",
			"the audit log contains two revocations, or the wrong time",
			testRevokeTwice,
		},
		{
			"RevokeAuthorization of an unknown Authorization is not an error",
			"the revocation endpoint reveals whether a token exists (RFC 7009 §2.2), or fails without a reason",
			testRevokeUnknown,
		},
		{
			"RevokeAuthorization affects no other Authorization of the user",
			"signing out one device signs out all of them",
			testRevokeOne,
		},
	}
}

func testSaveTokens(t *trial) {
	tokens := t.mustSaveTokens()
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.wantEqual("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
}

func testSaveAccessToken(t *trial) {
	authorization := &oauthkit.Authorization{
		ID: secret.NewID(), ClientID: t.client, CreatedAt: t.now, ExpiresAt: t.now.Add(10 * time.Minute),
	}
	access := t.accessToken(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, oauthkit.Tokens{Access: access}))
	t.wantEqual("AccessToken", t.storedAccessToken(access.Hash), access)
}

func testTokenResources(t *trial) {
	tokens := t.tokens(t.authorization())
	tokens.Access.Resources = tokens.Access.Authorization.Resources[1:]
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, tokens.Access.Authorization, tokens))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testUnknownToken(t *trial) {
	for _, hash := range []string{"", newHash(), t.mustSaveTokens().Refresh.Hash, t.mustSaveCode().Hash} {
		_, err := t.AccessToken(t.ctx, hash)
		t.wantError("AccessToken, unknown", err, oauthkit.ErrNotFound)
	}
}

func testExpiredToken(t *trial) {
	authorization := t.authorization()
	authorization.ExpiresAt = t.now.Add(-time.Hour)
	tokens := t.tokens(authorization)
	tokens.Access.ExpiresAt = t.now.Add(-2 * time.Hour)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testRevokeUnknown(t *trial) {
	t.wantNoAuthorization(&oauthkit.Authorization{ID: secret.NewID()})
	t.wantNoAuthorization(&oauthkit.Authorization{})
}

func testRevokeOne(t *trial) {
	ended, other := t.mustSaveTokens(), t.authorization()
	other.Subject = ended.Access.Authorization.Subject
	tokens := t.tokens(other)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, other, tokens))
	t.mustRevoke(ended.Access.Authorization)
	t.wantEqual("the other AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testSaveTokensFails(t *trial) {
	existing := t.mustSaveTokens()
	takenID := t.tokens(existing.Access.Authorization)
	t.wantFailure("SaveTokens, of an Authorization that exists", t.SaveTokens(t.ctx, takenID.Access.Authorization, takenID))
	t.wantNoTokens(takenID)

	first := t.authorization()
	takenAccess := t.tokens(first)
	takenAccess.Access.Hash = existing.Access.Hash
	t.wantFailure("SaveTokens, of an access token that exists", t.SaveTokens(t.ctx, first, takenAccess))
	t.wantNoTokens(oauthkit.Tokens{Access: t.accessToken(first), Refresh: takenAccess.Refresh})
	t.wantNoAuthorization(first)

	second := t.authorization()
	takenRefresh := t.tokens(second)
	takenRefresh.Refresh.Hash = existing.Refresh.Hash
	t.wantFailure("SaveTokens, of a refresh token that exists", t.SaveTokens(t.ctx, second, takenRefresh))
	t.wantNoTokens(oauthkit.Tokens{Access: takenRefresh.Access})
	t.wantNoAuthorization(second)

	t.wantEqual("the token that existed", t.storedAccessToken(existing.Access.Hash), existing.Access)
	t.wantEqual("the token that existed", t.storedRefreshToken(existing.Refresh.Hash), existing.Refresh)
}

func testRevokeReachesAll(t *trial) {
	code := t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.mustRevoke(code.Authorization)
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
	tokens := t.mustSaveTokens()
	id := tokens.Access.Authorization.ID
	for i, want := range []bool{true, false, false} {
		changed, err := t.RevokeAuthorization(t.ctx, id, oauthkit.Revocation{Now: t.now.Add(time.Duration(i) * time.Second)})
		t.mustSucceed("RevokeAuthorization", err)
		if changed != want {
			t.Errorf("RevokeAuthorization, call %d: got %t, want %t", i+1, changed, want)
		}
	}
	if got := t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt; !got.Equal(t.now) {
		t.Errorf("RevokedAt: got %v, want that of the first call, %v", got, t.now)
	}
}
