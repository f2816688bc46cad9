package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

func refreshRules() []rule {
	return []rule{
		{
			"RefreshToken and RotateRefreshToken return ErrNotFound for an unknown token",
			"an invented token looks like a replay, or like a failing database",
			testUnknownRefreshToken,
		},
		{
			"RotateRefreshToken saves the successors and keeps the consumed token with its sealed response",
			"reuse is not detected (RFC 9700 §4.14.2), or a retry signs the user out",
			testRotate,
		},
		{
			"RotateRefreshToken works repeatedly and does not change the Authorization",
			"a user is signed out after some refreshes, or one narrower access token narrows all later ones (RFC 6749 §6)",
			testRotateChain,
		},
		{
			"RotateRefreshToken removes the sealed responses of earlier tokens of the Authorization, and of no others",
			"an attacker with the table and one old token decrypts the responses up to the live token, or a retry signs another user out",
			testRotateForgets,
		},
		{
			"RotateRefreshToken of a consumed token returns ErrReplayed and changes nothing",
			"an attacker with a stolen refresh token keeps refreshing beside the client",
			testRotateTwice,
		},
		{
			"RotateRefreshToken under a revoked Authorization returns ErrRevoked and saves and consumes nothing",
			"a session continues after the user revoked access",
			testRotateRevoked,
		},
		{
			"RotateRefreshToken of a consumed token under a revoked Authorization returns either error",
			"reuse after a detected reuse gets tokens",
			testRotateReplayedAndRevoked,
		},
		{
			"RotateRefreshToken does everything or nothing",
			"a failure in the middle signs the user out, or leaves two valid tokens",
			testRotateFails,
		},
	}
}

func testUnknownRefreshToken(t *trial) {
	for _, hash := range []string{"", newHash(), t.mustSaveTokens().Access.Hash, t.mustSaveCode().Hash} {
		_, err := t.RefreshToken(t.ctx, hash)
		t.wantError("RefreshToken, unknown", err, oauthkit.ErrNotFound)
		tokens := t.tokens(t.authorization())
		err = t.RotateRefreshToken(t.ctx, t.rotation(hash, tokens, []byte("sealed")))
		t.wantError("RotateRefreshToken, unknown", err, oauthkit.ErrNotFound)
		t.wantNoTokens(tokens)
	}
}

func testRotateRevoked(t *trial) {
	token := t.mustSaveTokens().Refresh
	t.mustRevoke(token.Authorization)
	tokens := t.tokens(token.Authorization)
	err := t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, tokens, []byte("sealed")))
	t.wantError("RotateRefreshToken, revoked", err, oauthkit.ErrRevoked)
	t.wantNoTokens(tokens)
	stored := t.storedRefreshToken(token.Hash)
	if !stored.ConsumedAt.IsZero() || len(stored.Sealed) > 0 {
		t.Errorf("RefreshToken: got consumed at %v with %d sealed bytes, want neither", stored.ConsumedAt, len(stored.Sealed))
	}
}

func testRotateReplayedAndRevoked(t *trial) {
	token := t.mustSaveTokens().Refresh
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, t.tokens(token.Authorization), nil)))
	t.mustRevoke(token.Authorization)
	tokens := t.tokens(token.Authorization)
	err := t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, tokens, nil))
	t.wantError("RotateRefreshToken, replayed and revoked", err, oauthkit.ErrReplayed, oauthkit.ErrRevoked)
	t.wantNoTokens(tokens)
}

func testRotate(t *trial) {
	token := t.mustSaveTokens().Refresh
	successors := t.tokens(token.Authorization)
	sealed := everyByte()
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, sealed)))
	t.wantEqual("AccessToken", t.storedAccessToken(successors.Access.Hash), successors.Access)
	t.wantEqual("the successor", t.storedRefreshToken(successors.Refresh.Hash), successors.Refresh)
	want := *token
	want.Sealed = sealed
	t.wantConsumed("the consumed one", t.storedRefreshToken(token.Hash), &want)
}

func testRotateChain(t *trial) {
	token := t.mustSaveTokens().Refresh
	want := *token.Authorization
	for range 5 {
		successors := t.tokens(token.Authorization)
		successors.Access.Scopes = oauthkit.Scopes{"read"}
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, nil)))
		stored := t.storedAccessToken(successors.Access.Hash)
		t.wantEqual("AccessToken.Scopes", stored.Scopes, oauthkit.Scopes{"read"})
		t.wantEqual("AccessToken.Authorization", stored.Authorization, &want)
		token = t.storedRefreshToken(successors.Refresh.Hash)
		t.wantEqual("RefreshToken.Authorization", token.Authorization, &want)
	}
}

func testRotateForgets(t *trial) {
	token, other := t.mustSaveTokens().Refresh, t.mustSaveTokens().Refresh
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(other.Hash, t.tokens(other.Authorization), []byte("other"))))
	var used []string
	for range 4 {
		successors := t.tokens(token.Authorization)
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, []byte("sealed"))))
		for _, earlier := range used {
			t.wantEqual("Sealed, of an earlier token", t.storedRefreshToken(earlier).Sealed, []byte(nil))
		}
		t.wantEqual("Sealed, of the consumed one", t.storedRefreshToken(token.Hash).Sealed, []byte("sealed"))
		used, token = append(used, token.Hash), successors.Refresh
	}
	t.wantEqual("Sealed, of another Authorization's", t.storedRefreshToken(other.Hash).Sealed, []byte("other"))
}

func testRotateTwice(t *trial) {
	token := t.mustSaveTokens().Refresh
	successors := t.tokens(token.Authorization)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, []byte("first"))))
	for _, later := range []time.Duration{0, time.Second, 24 * time.Hour} {
		again := t.tokens(token.Authorization)
		rotation := t.rotation(token.Hash, again, []byte("second"))
		rotation.Now = at(t.now.Add(later))
		err := t.RotateRefreshToken(t.ctx, rotation)
		t.wantError("RotateRefreshToken, again", err, oauthkit.ErrReplayed)
		t.wantNoTokens(again)
	}
	want := *token
	want.Sealed = []byte("first")
	t.wantConsumed("the consumed one", t.storedRefreshToken(token.Hash), &want)
	t.wantEqual("the successor", t.storedRefreshToken(successors.Refresh.Hash), successors.Refresh)
}

func testRotateFails(t *trial) {
	existing, first := t.mustSaveTokens(), t.mustSaveTokens().Refresh
	second := t.tokens(first.Authorization)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(first.Hash, second, []byte("first"))))
	token, successors := second.Refresh, t.tokens(first.Authorization)
	taken := successors
	taken.Access = t.accessToken(token.Authorization)
	taken.Access.Hash = existing.Access.Hash
	err := t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, taken, []byte("sealed")))
	t.wantFailure("RotateRefreshToken, with an access token that exists", err)
	t.wantNoTokens(successors)
	taken = successors
	taken.Refresh = existing.Refresh
	err = t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, taken, []byte("sealed")))
	t.wantFailure("RotateRefreshToken, with a refresh token that exists", err)
	t.wantNoTokens(successors)
	t.wantEqual("RefreshToken", t.storedRefreshToken(token.Hash), token)
	t.wantEqual("Sealed, of an earlier token", t.storedRefreshToken(first.Hash).Sealed, []byte("first"))
	err = t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, []byte("sealed")))
	t.mustSucceed("RotateRefreshToken, after failures", err)
	t.wantEqual("the successor", t.storedRefreshToken(successors.Refresh.Hash), successors.Refresh)
}

// everyByte returns bytes that only a binary column stores unchanged. They begin with
// bytes that have a meaning in statements.
func everyByte() []byte {
	bytes := []byte("(?, @name, $1)\x00")
	for b := range 256 {
		bytes = append(bytes, byte(b))
	}
	return bytes
}
