package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

func fidelityRules() []rule {
	return []rule{
		{
			"times are stored to the microsecond in any time zone",
			"a credential expires at another time than the client was told",
			testTimes,
		},
		{
			"a zero time stays zero, and 1970 does not become zero",
			"a user who never authenticated seems to have done so long ago, or the reverse",
			testUnknownTimes,
		},
		{
			"text is stored unchanged",
			"a nonce or a redirect URI no longer matches, or text is executed as SQL",
			testTexts,
		},
		{
			"empty fields stay empty",
			"a token contains values that were never sent",
			testEmptyFields,
		},
		{
			"lists keep their order, and elements may contain separators",
			"an amr value or a scope becomes another one",
			testLists,
		},
		{
			"the sealed response of a refresh token is stored byte by byte",
			"a retry cannot be answered and signs the user out",
			testSealed,
		},
		{
			"codes and tokens keep the key that they are bound to, in every act",
			"a stolen token works without the key, or a token that needs none is refused",
			testConfirmations,
		},
		{
			"hashes are compared byte by byte",
			"a credential can be guessed in fewer attempts than its bits require",
			testHashes,
		},
		{
			"stored rows are copies",
			"a request that modifies its copy modifies the store without an act",
			testCopies,
		},
		{
			"a stored Consent is a copy",
			"a page that modifies its copy widens the stored Consent",
			testConsentCopies,
		},
		{
			"rows saved by one instance are visible to the other at once",
			"a token does not work yet, or still works, depending on the instance",
			testInstances,
		},
	}
}

func testUnknownTimes(t *trial) {
	authorization := t.authorization()
	authorization.AuthTime = time.Time{}
	t.roundTrip(authorization)
	authorization = t.authorization()
	authorization.AuthTime = time.Unix(0, 0)
	t.roundTrip(authorization)
}

func testEmptyFields(t *trial) {
	authorization := t.authorization()
	authorization.Subject, authorization.Scopes, authorization.Resources = "", nil, nil
	authorization.ACR, authorization.AMR, authorization.SessionID, authorization.Params = "", nil, "", nil
	t.roundTrip(authorization)
	authorization = t.authorization()
	authorization.Scopes, authorization.AMR, authorization.Params = oauthkit.Scopes{}, []string{}, map[string]string{}
	authorization.Resources = oauthkit.URIs{}
	t.roundTrip(authorization)
}

func testLists(t *trial) {
	authorization := t.authorization()
	authorization.Scopes = oauthkit.Scopes{"z", "a", "m:read", "https://api.example/a,b", "{}", "null", "%20"}
	authorization.Resources = oauthkit.URIs{"https://z.example", "https://a.example/b,c", "urn:a:%20"}
	authorization.AMR = []string{"z", "a b", "c,d", `"e"`, "{f}", "[g]", "h\ni", "null"}
	t.roundTrip(authorization)
}

func testSealed(t *trial) {
	for _, sealed := range [][]byte{nil, {}, {0}, everyByte(), []byte(strings.Repeat("\xff\x00", 4096))} {
		token := *t.mustSaveTokens().Refresh
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, t.tokens(token.Authorization), sealed)))
		token.Sealed = sealed
		t.wantConsumed("RefreshToken", t.storedRefreshToken(token.Hash), &token)
	}
}

// testConfirmations uses two keys in turn, and none, so that a key of the credential
// before or of the Authorization is not mistaken for that of the new credential.
func testConfirmations(t *trial) {
	confirmations := []oauthkit.Confirmation{
		{Method: "jkt", Value: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}, {},
		{Method: "x5t#S256", Value: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
		{Method: "m", Value: `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`"}, {},
	}
	for i, confirmation := range confirmations {
		other := confirmations[(i+1)%len(confirmations)]
		code := t.code(t.authorization())
		code.Confirmation = confirmation
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: code.Authorization, Code: code}))
		t.wantEqual("Code", t.storedCode(code.Hash), code)

		first := t.boundTokens(code.Authorization, other, confirmation)
		t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, first, t.now))
		t.wantStored("RedeemCode", first)
		second := t.boundTokens(code.Authorization, confirmation, other)
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(first.Refresh.Hash, second, []byte("sealed"))))
		t.wantStored("RotateRefreshToken", second)
		t.wantEqual("the consumed RefreshToken", t.storedRefreshToken(first.Refresh.Hash).Confirmation, confirmation)
		repeat := t.repeat(first.Refresh, second.Refresh)
		repeat.Access = t.boundTokens(code.Authorization, other, other).Access
		_, err := t.RepeatRefreshToken(t.ctx, repeat)
		t.mustSucceed("RepeatRefreshToken", err)
		t.wantEqual("RepeatRefreshToken, AccessToken", t.storedAccessToken(repeat.Access.Hash), repeat.Access)

		alone := t.boundTokens(t.authorization(), confirmation, other)
		t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, alone.Access.Authorization, alone))
		t.wantStored("SaveTokens", alone)
	}
}

// boundTokens returns new tokens that are bound to two keys.
func (t *trial) boundTokens(authorization *oauthkit.Authorization, access, refresh oauthkit.Confirmation) oauthkit.Tokens {
	tokens := t.tokens(authorization)
	tokens.Access.Confirmation, tokens.Refresh.Confirmation = access, refresh
	return tokens
}

func (t *trial) wantStored(act string, tokens oauthkit.Tokens) {
	t.Helper()
	t.wantEqual(act+", AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.wantEqual(act+", RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
}

func testInstances(t *trial) {
	code := t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode, by the other instance", t.second.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.mustRevoke(code.Authorization)
	seen, err := t.second.AccessToken(t.ctx, tokens.Access.Hash)
	t.mustSucceed("AccessToken, by the other instance", err)
	t.wantEqual("RevokedAt, seen by the other instance", seen.Authorization.RevokedAt, t.now)
}

// roundTrip saves an Authorization with a token and reports any difference when it
// reads them.
func (t *trial) roundTrip(authorization *oauthkit.Authorization) {
	t.Helper()
	tokens := t.tokens(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
	t.wantEqual("RefreshToken", t.storedRefreshToken(tokens.Refresh.Hash), tokens.Refresh)
}

func testTimes(t *trial) {
	east, west := time.FixedZone("", 13*3600+45*60), time.FixedZone("", -9*3600-30*60)
	for _, now := range []time.Time{
		t.now.In(east), t.now.In(west), t.now.Truncate(time.Second), t.now.Truncate(time.Second).Add(time.Microsecond),
		t.now.Truncate(time.Second).Add(999999 * time.Microsecond),
		time.Date(2028, time.February, 29, 23, 59, 59, 1000, time.UTC), time.Date(2099, time.December, 31, 0, 0, 0, 0, east),
	} {
		t.now = now
		t.roundTrip(t.authorization())
		code := *t.mustSaveCode()
		t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), now))
		code.ConsumedAt = now
		t.wantEqual("Code", t.storedCode(code.Hash), &code)
		interaction := t.mustSaveInteraction()
		t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	}
}

func testTexts(t *trial) {
	for _, text := range []string{
		"Zoë ☕ 日本語 \U0001F511 e\u0301 \u202e \ufeff", `'; DROP TABLE x; -- "quoted" \ \\ \n`, "? ?? $1 :name @name @@x %s {{x}} &amp;",
		"line\r\nline\ttab\x01\x7f", " leading and trailing ", "null", "0", strings.Repeat("4 KiB of ünïcöde. ", 220),
	} {
		authorization := t.authorization()
		authorization.Subject = text[:min(len(text), 250)]
		authorization.Params = map[string]string{"": text, "nonce": text, text: ""}
		authorization.AMR = []string{text}
		authorization.ACR, authorization.SessionID = authorization.Subject, authorization.Subject
		t.roundTrip(authorization)

		approval, code := t.approval("")
		approval.Consent.Subject = authorization.Subject
		approval.Authorization.Subject = authorization.Subject
		code.RedirectURI, code.CodeChallenge = "https://client.example/"+text, authorization.Subject
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
		stored := t.storedCode(code.Hash)
		approval.Authorization.ConsentID = stored.Authorization.ConsentID
		t.wantEqual("Code", stored, code)
		t.wantEqual("Consent", t.storedConsent(approval.Consent), approval.Consent)

		interaction := t.interaction()
		interaction.Subject, interaction.Sealed = authorization.Subject, []byte(strings.Repeat(text, 8))
		t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, interaction, interactionLimit))
		t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	}
}

func testHashes(t *trial) {
	tokens, code, interaction := t.mustSaveTokens(), t.mustSaveCode(), t.mustSaveInteraction()
	for _, change := range []func(string) string{
		strings.ToLower, strings.ToUpper,
		func(hash string) string { return hash + " " },
		func(hash string) string { return hash[:len(hash)-1] },
		func(hash string) string { return "%" + hash[1:] },
		func(hash string) string { return hash[:len(hash)-1] + "_" },
	} {
		for name, read := range map[string]func() error{
			"AccessToken":  func() error { _, err := t.AccessToken(t.ctx, change(tokens.Access.Hash)); return err },
			"RefreshToken": func() error { _, err := t.RefreshToken(t.ctx, change(tokens.Refresh.Hash)); return err },
			"Code":         func() error { _, err := t.Code(t.ctx, change(code.Hash)); return err },
			"Interaction":  func() error { _, err := t.Interaction(t.ctx, change(interaction.Hash)); return err },
		} {
			t.wantError(name+", of a hash that is not quite the same", read(), oauthkit.ErrNotFound)
		}
	}
}

func testCopies(t *trial) {
	want, passed := t.authorization(), t.authorization()
	*passed = *want
	passed.Scopes, passed.AMR = oauthkit.Scopes{"openid", "read"}, []string{"pwd", "otp"}
	passed.Resources = slices.Clone(want.Resources)
	passed.Params = map[string]string{"nonce": "n-0S6_WzA2Mj"}
	tokens := t.tokens(passed)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, passed, tokens))
	spoil := func(authorization *oauthkit.Authorization) {
		authorization.Subject, authorization.Resources[0] = "mallory", "https://evil.example"
		authorization.Scopes[0], authorization.AMR[0], authorization.Params["nonce"] = "admin", "none", "another"
	}
	spoil(passed)
	stored := t.storedAccessToken(tokens.Access.Hash)
	t.wantEqual("after a change of what was saved: Authorization", stored.Authorization, want)
	stored.Scopes[0], stored.Resources[0] = "admin", "https://evil.example"
	spoil(stored.Authorization)
	again := t.storedAccessToken(tokens.Access.Hash)
	t.wantEqual("after a change of what was returned: Authorization", again.Authorization, want)
	t.wantEqual("after a change of what was returned: Scopes", again.Scopes, want.Scopes)
	t.wantEqual("after a change of what was returned: Resources", again.Resources, want.Resources)

	token, sealed := t.mustSaveTokens().Refresh, []byte("sealed")
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, t.tokens(token.Authorization), sealed)))
	sealed[0] = 'X'
	t.storedRefreshToken(token.Hash).Sealed[1] = 'X'
	t.wantEqual("after a change: Sealed", t.storedRefreshToken(token.Hash).Sealed, []byte("sealed"))
}

func testConsentCopies(t *trial) {
	passed, _ := t.mustSaveConsent()
	want := *passed
	want.Scopes, want.ResourceScopes = slices.Clone(passed.Scopes), map[string]oauthkit.Scopes{}
	for resource, scopes := range passed.ResourceScopes {
		want.ResourceScopes[resource] = slices.Clone(scopes)
	}
	for _, changed := range []*oauthkit.Consent{passed, t.storedConsent(&want)} {
		changed.Scopes[0] = "admin"
		for _, scopes := range changed.ResourceScopes {
			scopes[0] = "admin"
		}
		changed.ResourceScopes["https://evil.example/"] = oauthkit.Scopes{"admin"}
		t.wantEqual("Consent, after a change of a copy", t.storedConsent(&want), &want)
	}
}
