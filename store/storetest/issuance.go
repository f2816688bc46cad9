package storetest

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// issuance is a set of credentials of an Approval.
type issuance struct {
	name         string
	code, tokens bool
}

// issuances returns the sets that other rules, which are about codes, leave out.
func issuances() []issuance {
	return []issuance{
		{name: "tokens", tokens: true},
		{name: "a code and tokens", code: true, tokens: true},
		{name: "no credential"},
	}
}

// issue replaces the credentials of an Approval that is not saved.
func (i issuance) issue(t *trial, approval *oauthkit.Approval) *oauthkit.Approval {
	approval.Code, approval.Tokens = nil, nil
	if i.code {
		approval.Code = t.code(approval.Authorization)
	}
	if i.tokens {
		tokens := t.boundTokens(approval.Authorization, oauthkit.Confirmation{Method: "jkt", Value: "access"}, oauthkit.Confirmation{Method: "jkt", Value: "refresh"})
		approval.Tokens = &tokens
	}
	return approval
}

// issuanceRules are about the credentials that SaveApproval saves.
func issuanceRules() []rule {
	return []rule{
		{
			"SaveApproval saves the tokens of an approval, also beside a code",
			"the client receives tokens from the authorization endpoint that do not exist",
			testApprovedTokens,
		},
		{
			"SaveApproval saves an Authorization without credentials, with its Consent",
			"a grant with credentials of its own redeems them for an Authorization that does not exist",
			testApprovedAlone,
		},
		{
			"a code that was saved beside tokens is redeemed once, and the tokens stay valid",
			"the code of a hybrid flow cannot be redeemed, or can be redeemed twice",
			testRedeemBesideTokens,
		},
		{
			"an approval needs its interaction and its Consent, whichever credentials it has",
			"a page that is submitted twice issues tokens twice, or tokens are issued after the user revoked the Consent",
			testIssuanceNeeds,
		},
		{
			"SaveApproval saves all credentials of an approval or none",
			"a failure in the middle consumes the interaction, or leaves tokens that the client never received",
			testIssuanceFails,
		},
	}
}

func testApprovedTokens(t *trial) {
	for _, i := range issuances() {
		for _, refreshable := range []bool{true, false} {
			if !i.tokens {
				continue
			}
			approval, _ := t.approval("")
			i.issue(t, approval)
			if !refreshable {
				approval.Tokens.Refresh = nil
			}
			t.mustSucceed("SaveApproval of "+i.name, t.SaveApproval(t.ctx, approval))
			t.wantApproved(approval)
		}
	}
}

// wantApproved reports stored credentials that differ from those of an approval with a
// new Consent.
func (t *trial) wantApproved(approval *oauthkit.Approval) {
	t.Helper()
	approval.Authorization.ConsentID = approval.Consent.ID // set by the store
	if approval.Code != nil {
		t.wantEqual("Code", t.storedCode(approval.Code.Hash), approval.Code)
	}
	if approval.Tokens == nil {
		return
	}
	t.wantEqual("AccessToken", t.storedAccessToken(approval.Tokens.Access.Hash), approval.Tokens.Access)
	if approval.Tokens.Refresh != nil {
		t.wantEqual("RefreshToken", t.storedRefreshToken(approval.Tokens.Refresh.Hash), approval.Tokens.Refresh)
	}
}

// wantNotApproved reports if anything of an approval was saved, except its Consent.
func (t *trial) wantNotApproved(approval *oauthkit.Approval) {
	t.Helper()
	if approval.Code != nil {
		_, err := t.Code(t.ctx, approval.Code.Hash)
		t.wantError("Code, of a row that must not be saved", err, oauthkit.ErrNotFound)
	}
	if approval.Tokens != nil {
		t.wantNoTokens(*approval.Tokens)
	}
	t.wantNoAuthorization(approval.Authorization)
}

func testApprovedAlone(t *trial) {
	interaction := t.mustSaveInteraction()
	approval, _ := t.approval(interaction.Hash)
	approval.Code = nil
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	t.wantEqual("Consent", t.storedConsent(approval.Consent), approval.Consent)
	t.wantEqual("Interaction.ConsumedAt", t.storedInteraction(interaction.Hash).ConsumedAt, approval.Authorization.CreatedAt)
	t.mustRevoke(approval.Authorization)
}

func testRedeemBesideTokens(t *trial) {
	approval, _ := t.approval("")
	issuance{code: true, tokens: true}.issue(t, approval)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	t.wantApproved(approval)
	code, at := *approval.Code, t.now.Add(7*time.Second)
	redeemed := t.tokens(approval.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, redeemed, at))
	t.wantEqual("AccessToken, of the code", t.storedAccessToken(redeemed.Access.Hash), redeemed.Access)
	code.ConsumedAt = at
	approval.Code = &code
	t.wantApproved(approval)
	again := t.tokens(approval.Authorization)
	t.wantError("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, again, at), oauthkit.ErrReplayed)
	t.wantNoTokens(again)

	t.mustRevoke(approval.Authorization)
	for _, access := range []*oauthkit.AccessToken{redeemed.Access, approval.Tokens.Access} {
		if t.storedAccessToken(access.Hash).Authorization.RevokedAt.IsZero() {
			t.Errorf("AccessToken, after RevokeAuthorization: got a valid token")
		}
	}
}

func testIssuanceNeeds(t *trial) {
	revoked, _ := t.mustSaveConsent()
	_, err := t.RevokeConsent(t.ctx, revoked.ClientID, revoked.Subject, t.revocation())
	t.mustSucceed("RevokeConsent", err)
	for _, i := range issuances() {
		interaction := t.mustSaveInteraction()
		for _, use := range []oauthkit.ConsentUse{oauthkit.ConsentRemembered, oauthkit.ConsentWidened} {
			approval, _ := t.approvalUnder(revoked)
			approval.ConsentUse, approval.InteractionHash = use, interaction.Hash
			t.wantError("SaveApproval of "+i.name+", revoked Consent", t.SaveApproval(t.ctx, i.issue(t, approval)), oauthkit.ErrRevoked)
			t.wantNotApproved(approval)
			t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
		}
		t.wantNoConsent(revoked)

		first, _ := t.approval(interaction.Hash)
		t.mustSucceed("SaveApproval of "+i.name, t.SaveApproval(t.ctx, i.issue(t, first)))
		t.wantEqual("Interaction.ConsumedAt", t.storedInteraction(interaction.Hash).ConsumedAt, first.Authorization.CreatedAt)
		for hash, want := range map[string]error{interaction.Hash: oauthkit.ErrReplayed, newHash(): oauthkit.ErrNotFound} {
			approval, _ := t.approval(hash)
			t.wantError("SaveApproval of "+i.name+", no interaction", t.SaveApproval(t.ctx, i.issue(t, approval)), want)
			t.wantNotApproved(approval)
			t.wantNoConsent(approval.Consent)
		}
	}
}

func testIssuanceFails(t *trial) {
	tokens, code := t.mustSaveTokens(), t.mustSaveCode()
	for _, i := range issuances() {
		interaction := t.mustSaveInteraction()
		wantFailure := func(cause string, spoil func(approval *oauthkit.Approval)) {
			approval, _ := t.approval(interaction.Hash)
			intact := *i.issue(t, approval)
			spoil(approval)
			t.wantFailure("SaveApproval of "+i.name+" with "+cause, t.SaveApproval(t.ctx, approval))
			t.wantNotApproved(&intact)
			t.wantNoConsent(intact.Consent)
		}
		if i.code {
			wantFailure("a code that exists", func(approval *oauthkit.Approval) { approval.Code = code })
		}
		if i.tokens {
			wantFailure("an access token that exists", func(approval *oauthkit.Approval) {
				approval.Tokens = &oauthkit.Tokens{Access: tokens.Access, Refresh: approval.Tokens.Refresh}
			})
			wantFailure("a refresh token that exists", func(approval *oauthkit.Approval) {
				approval.Tokens = &oauthkit.Tokens{Access: approval.Tokens.Access, Refresh: tokens.Refresh}
			})
		}
		approval, _ := t.approval(interaction.Hash)
		t.wantFailure("SaveApproval of "+i.name, t.SaveApproval(t.failing().ctx, i.issue(t, approval)))
		t.wantNotApproved(approval)
		t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
		t.mustSucceed("SaveApproval of "+i.name+", after failures", t.SaveApproval(t.ctx, approval))
	}
}

// issuanceRaces are about approvals of other credentials than a code alone.
func issuanceRaces() []rule {
	return []rule{
		{
			"one interaction issues tokens once, however many concurrent calls approve it",
			"a double click issues tokens twice",
			func(t *trial) {
				for _, i := range issuances() {
					testIssueRace(t, i)
				}
			},
		},
		{
			"an approval of any credentials under a Consent that is being revoked is refused or revoked",
			"an application that the user removed gets tokens at that moment",
			func(t *trial) {
				for _, i := range issuances() {
					t.pairs(20, func(t *trial) { testIssueAgainstRevoke(t, i, oauthkit.ConsentRemembered) })
					t.pairs(20, func(t *trial) { testIssueAgainstRevoke(t, i, oauthkit.ConsentWidened) })
				}
			},
		},
	}
}

func testIssueRace(t *trial, i issuance) {
	const n = 20
	interaction := t.mustSaveInteraction()
	approvals := make([]*oauthkit.Approval, n)
	for j := range n {
		approval, _ := t.approval(interaction.Hash)
		approvals[j] = i.issue(t, approval)
	}
	winner := t.wantOneWinner("SaveApproval of "+i.name, t.race(n, func(j int) error {
		return t.side(j).SaveApproval(t.ctx, approvals[j])
	}))
	for j, approval := range approvals {
		if j == winner {
			t.wantApproved(approval)
			t.mustRevoke(approval.Authorization)
		} else {
			t.wantNotApproved(approval)
			t.wantNoConsent(approval.Consent)
		}
	}
}

func testIssueAgainstRevoke(t *trial, i issuance, use oauthkit.ConsentUse) {
	consent, _ := t.mustSaveConsent()
	approval, _ := t.approvalUnder(consent)
	approval.ConsentUse = use
	ids, saved := t.saveWhileRevoking(i.issue(t, approval))
	t.wantError("SaveApproval of "+i.name+", against RevokeConsent", saved, nil, oauthkit.ErrRevoked)
	t.wantNoConsent(consent)
	if saved != nil {
		t.wantNotApproved(approval)
		return
	}
	t.wantEqual("RevokeConsent, reported", slices.Contains(ids, approval.Authorization.ID), true)
	t.wantNoAuthorization(approval.Authorization) // none that is not revoked
}

// issuanceCleanupRules begin with an empty store each, as cleanupRules do.
func issuanceCleanupRules() []rule {
	return []rule{{
		"the rows of an approval are kept until they expire, and then removed, whichever credentials it has",
		"tokens of the authorization endpoint end early, or a user who never uses them fills the database",
		testCleanupIssued,
	}}
}

func testCleanupIssued(t *trial) {
	for _, i := range issuances() {
		approval, _ := t.approval("")
		approval.Authorization.ExpiresAt = t.now.Add(2 * time.Hour)
		i.issue(t, approval)
		want := map[string]int{"authorizations": 1}
		if i.code {
			want["authorization_codes"] = 1
		}
		if i.tokens {
			approval.Tokens.Access.ExpiresAt, approval.Tokens.Refresh.ExpiresAt = approval.Authorization.ExpiresAt, approval.Authorization.ExpiresAt
			want["access_tokens"], want["refresh_tokens"] = 1, 1
		}
		t.mustSucceed("SaveApproval of "+i.name, t.SaveApproval(t.ctx, approval))
		limits := oauthkit.CleanupLimits{Now: t.now.Add(time.Minute)}
		t.wantEqual("rows removed before they expire", t.cleanTables(limits), map[string]int{})
		t.wantApproved(approval)
		limits.Now = approval.Authorization.ExpiresAt
		t.wantEqual("rows removed of "+i.name, t.cleanTables(limits), want)
		t.wantNotApproved(approval)
	}
}

// issuedRules are the rules of an [oauthkit.AuthorizationManager] about approvals of
// other credentials than a code alone.
func issuedRules() []rule {
	rules := []rule{{
		"UserAuthorizations returns approved tokens, but those beside a code only once it is redeemed",
		"users cannot find access that they gave, or revoke a sign-in that is not complete",
		testApprovedSignIns,
	}}
	for _, e := range endings() {
		rules = append(rules, rule{
			e.name + " revokes an Authorization whichever credentials its approval has",
			"a removed user or application keeps tokens from the authorization endpoint",
			e.testEndsIssued,
		}, rule{
			e.name + " refuses a concurrent approval of any credentials, or revokes it if and only if it counts it",
			"the operator believes that an application lost access, and it did not",
			func(t *trial) {
				for _, i := range issuances() {
					t.pairs(20, func(t *trial) { e.testAgainstIssued(t, i) })
				}
			},
		})
	}
	return rules
}

func testApprovedSignIns(t *trial) {
	for _, i := range issuances() {
		approval, _ := t.approval("")
		t.mustSucceed("SaveApproval of "+i.name, t.SaveApproval(t.ctx, i.issue(t, approval)))
		authorization := approval.Authorization
		authorization.ConsentID = approval.Consent.ID // set by the store
		switch {
		case i.code:
			t.wantSignIns(authorization.Subject, 10)
			t.mustRedeem(approval.Code)
			t.wantSignIns(authorization.Subject, 10, authorization)
		case i.tokens:
			t.wantSignIns(authorization.Subject, 10, authorization)
			t.wantLastUsed("of approved tokens", authorization, approval.Tokens.Access.IssuedAt)
		default:
			t.wantSignIns(authorization.Subject, 10)
		}
	}
}

func (e ending) testEndsIssued(t *trial) {
	for _, i := range issuances() {
		t := t.alone()
		approval, _ := t.approval("")
		t.mustSucceed("SaveApproval of "+i.name, t.SaveApproval(t.ctx, i.issue(t, approval)))
		e.mustRevokeAll(t, 1, approval.Authorization)
		t.wantNoAuthorization(approval.Authorization) // none that is not revoked
		t.wantNoConsent(approval.Consent)
	}
}

func (e ending) testAgainstIssued(t *trial, i issuance) {
	t = t.alone()
	approval, _ := t.approval("")
	i.issue(t, approval)
	revoked, saved := e.against(t, approval.Authorization, func(store Store) error { return store.SaveApproval(t.ctx, approval) })
	t.wantError("SaveApproval of "+i.name+", against "+e.name, saved, nil, oauthkit.ErrEnded)
	if saved != nil {
		t.wantNotApproved(approval)
		t.wantNoConsent(approval.Consent)
		t.wantEqual(e.name, revoked, 0)
		return
	}
	_, err := t.Consent(t.ctx, t.client, approval.Authorization.Subject)
	t.wantError("Consent, after SaveApproval against "+e.name, err, nil, oauthkit.ErrNotFound)
	valid, failure := t.RevokeAuthorization(t.ctx, approval.Authorization.ID, t.revocation())
	t.mustSucceed("RevokeAuthorization", failure)
	if known := err == nil; known != valid || valid != (revoked == 0) {
		t.Errorf("SaveApproval of %s, against %s: got consent %t, Authorization valid %t, %d revoked, want these to agree", i.name, e.name, known, valid, revoked)
	}
}
