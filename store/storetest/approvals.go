package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// approvalRules are about the Consent that SaveApproval saves together with the code.
func approvalRules() []rule {
	return []rule{
		{
			"SaveApproval saves a new Consent and links the Authorization to it",
			"the user is asked again and again, or revoking the Consent does not revoke the Authorization",
			testNewConsent,
		},
		{
			"a Consent that is given again keeps its row, with new Scopes, ResourceScopes, ApplicationDigest and UpdatedAt",
			"a user has two Consents for one application and can only revoke one",
			testConsentGivenAgain,
		},
		{
			"a Consent that is widened keeps its row, with new Scopes, ResourceScopes, ApplicationDigest and UpdatedAt",
			"a user is asked again for scopes that they just approved",
			testConsentWidened,
		},
		{
			"SaveApproval under a remembered Consent does not change the Consent",
			"a request that showed no consent page widens the Consent",
			testConsentRemembered,
		},
		{
			"SaveApproval without a Consent links the Authorization to none",
			"a trusted application depends on a Consent that no user can give",
			testNoConsent,
		},
		{
			"SaveApproval under a revoked Consent returns ErrRevoked and saves and consumes nothing",
			"a code is issued after the user revoked the Consent",
			func(t *trial) { testConsentGone(t, oauthkit.ConsentRemembered) },
		},
		{
			"SaveApproval that widens a revoked Consent returns ErrRevoked and saves and consumes nothing",
			"a second consent page that is still open restores the revoked Consent",
			func(t *trial) { testConsentGone(t, oauthkit.ConsentWidened) },
		},
		{
			"a Consent that was revoked and given again has another identity",
			"a request that began under the revoked Consent succeeds, or widens the new one",
			testConsentReplaced,
		},
	}
}

// decisionRules are about the interaction that SaveApproval consumes, and about failures.
func decisionRules() []rule {
	return []rule{
		{
			"SaveApproval consumes the interaction",
			"the consent page can be submitted twice, and each time a code is issued",
			testApprovalConsumes,
		},
		{
			"SaveApproval with an unknown interaction returns ErrNotFound and saves nothing",
			"a request that was never made is approved",
			testUnknownInteractionOfApproval,
		},
		{
			"SaveApproval does everything or nothing",
			"a failure in the middle consumes the interaction without a code, or saves a Consent without an Authorization",
			testSaveApprovalFails,
		},
	}
}

func testNewConsent(t *trial) {
	consent, code := t.mustSaveConsent()
	t.wantEqual("Consent", t.storedConsent(consent), consent)
	t.wantConsentIDs(consent.ID, code)
}

func testNoConsent(t *trial) {
	code := t.mustSaveCode()
	t.wantConsentIDs("", code)
	t.wantNoConsent(t.consent(code.Authorization))
}

func testUnknownInteractionOfApproval(t *trial) {
	approval, code := t.approval(newHash())
	t.wantError("SaveApproval, unknown interaction", t.SaveApproval(t.ctx, approval), oauthkit.ErrNotFound)
	t.wantNoCode(code)
	t.wantNoConsent(approval.Consent)
}

// approval returns an Approval with a code and a new Consent, and the code, all not
// saved.
func (t *trial) approval(interactionHash string) (*oauthkit.Approval, *oauthkit.AuthorizationCode) {
	authorization := t.authorization()
	code := t.code(authorization)
	return &oauthkit.Approval{
		Authorization:   authorization,
		Consent:         t.consent(authorization),
		ConsentUse:      oauthkit.ConsentNew,
		InteractionHash: interactionHash,
		Code:            code,
	}, code
}

// approvalUnder returns an Approval with a code under a copy of a remembered Consent,
// and the code, both not saved.
func (t *trial) approvalUnder(consent *oauthkit.Consent) (*oauthkit.Approval, *oauthkit.AuthorizationCode) {
	authorization, remembered := t.authorization(), *consent
	authorization.Subject = consent.Subject
	code := t.code(authorization)
	return &oauthkit.Approval{Authorization: authorization, Consent: &remembered, Code: code}, code
}

func (t *trial) wantConsentIDs(want string, codes ...*oauthkit.AuthorizationCode) {
	t.Helper()
	for _, code := range codes {
		if got := t.storedCode(code.Hash).Authorization.ConsentID; got != want {
			t.Errorf("Authorization.ConsentID: got %q, want %q", got, want)
		}
	}
}

// testConsentGivenAgain gives consent in requests that began before a Consent existed.
func testConsentGivenAgain(t *trial) {
	first, firstCode := t.mustSaveConsent()
	for i, id := range []string{first.ID, secret.NewID()} {
		approval, code := t.approvalUnder(first)
		approval.ConsentUse = oauthkit.ConsentNew
		approval.Consent.ID = id
		t.wantReplaced(first, approval, oauthkit.Scopes{"openid", "read", "write"}[i:])
		t.wantConsentIDs(first.ID, firstCode, code)
	}
}

func testConsentWidened(t *trial) {
	first, firstCode := t.mustSaveConsent()
	for _, scopes := range []oauthkit.Scopes{{"openid", "read", "write"}, {"write"}} {
		approval, code := t.approvalUnder(first)
		approval.ConsentUse = oauthkit.ConsentWidened
		t.wantReplaced(first, approval, scopes)
		t.wantConsentIDs(first.ID, firstCode, code)
	}
}

// wantReplaced saves an Approval that changes the stored Consent, and reports changes
// of other fields than the scopes, the digest and UpdatedAt.
func (t *trial) wantReplaced(stored *oauthkit.Consent, approval *oauthkit.Approval, scopes oauthkit.Scopes) {
	t.Helper()
	later := t.now.Add(time.Hour)
	approval.Consent.Scopes, approval.Consent.CreatedAt, approval.Consent.UpdatedAt = scopes, later, later
	approval.Consent.ApplicationDigest, approval.Consent.ResourceScopes = newHash(), map[string]oauthkit.Scopes{"https://api.example/" + newHash(): scopes}
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	want := *approval.Consent
	want.ID, want.CreatedAt = stored.ID, stored.CreatedAt
	t.wantEqual("Consent", t.storedConsent(stored), &want)
}

func testConsentRemembered(t *trial) {
	consent, _ := t.mustSaveConsent()
	approval, code := t.approvalUnder(consent)
	approval.Consent.Scopes, approval.Consent.UpdatedAt = oauthkit.Scopes{"everything"}, t.now.Add(time.Hour)
	approval.Consent.ApplicationDigest = newHash()
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	t.wantEqual("Consent", t.storedConsent(consent), consent)
	t.wantConsentIDs(consent.ID, code)
}

func testConsentGone(t *trial, use oauthkit.ConsentUse) {
	consent, _ := t.mustSaveConsent()
	_, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
	t.mustSucceed("RevokeConsent", err)
	interaction := t.mustSaveInteraction()
	approval, code := t.approvalUnder(consent)
	approval.ConsentUse, approval.InteractionHash = use, interaction.Hash
	t.wantError("SaveApproval, revoked Consent", t.SaveApproval(t.ctx, approval), oauthkit.ErrRevoked)
	t.wantNoCode(code)
	t.wantNoConsent(consent)
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testConsentReplaced(t *trial) {
	old, _ := t.mustSaveConsent()
	_, err := t.RevokeConsent(t.ctx, old.ClientID, old.Subject, t.revocation())
	t.mustSucceed("RevokeConsent", err)
	replacement := *old
	replacement.ID = secret.NewID()
	approval, code := t.approvalUnder(&replacement)
	approval.ConsentUse = oauthkit.ConsentNew
	t.mustSucceed("SaveApproval, given again", t.SaveApproval(t.ctx, approval))
	t.wantConsentIDs(replacement.ID, code)

	for _, use := range []oauthkit.ConsentUse{oauthkit.ConsentRemembered, oauthkit.ConsentWidened} {
		approval, code = t.approvalUnder(old)
		approval.ConsentUse = use
		approval.Consent.Scopes = oauthkit.Scopes{"everything"}
		t.wantError("SaveApproval, under the old consent", t.SaveApproval(t.ctx, approval), oauthkit.ErrRevoked)
		t.wantNoCode(code)
	}
	t.wantEqual("Consent", t.storedConsent(&replacement), &replacement)
}

func testApprovalConsumes(t *trial) {
	interaction := t.mustSaveInteraction()
	approval, _ := t.approval(interaction.Hash)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	if t.storedInteraction(interaction.Hash).ConsumedAt.IsZero() {
		t.Errorf("Interaction.ConsumedAt: got none, want the time of SaveApproval")
	}
	t.wantError("ConsumeInteraction, afterwards", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now), oauthkit.ErrReplayed)

	consent, _ := t.mustSaveConsent()
	decided := t.mustSaveInteraction()
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, decided.Hash, t.now))
	for _, used := range []*oauthkit.Interaction{interaction, decided} {
		approval, code := t.approval(used.Hash)
		t.wantError("SaveApproval, interaction used", t.SaveApproval(t.ctx, approval), oauthkit.ErrReplayed)
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)

		widening, code := t.approvalUnder(consent)
		widening.ConsentUse, widening.InteractionHash = oauthkit.ConsentWidened, used.Hash
		widening.Consent.Scopes = oauthkit.Scopes{"everything"}
		t.wantError("SaveApproval to widen, interaction used", t.SaveApproval(t.ctx, widening), oauthkit.ErrReplayed)
		t.wantNoCode(code)
		t.wantEqual("Consent", t.storedConsent(consent), consent)
	}
}

func testSaveApprovalFails(t *trial) {
	existing, interaction := t.mustSaveCode(), t.mustSaveInteraction()
	approval, code := t.approval(interaction.Hash)
	taken := *code
	taken.Hash = existing.Hash
	approval.Code = &taken
	t.wantFailure("SaveApproval, of a code that exists", t.SaveApproval(t.ctx, approval))
	t.wantNoCode(code)
	t.wantNoConsent(approval.Consent)

	approval, code = t.approval(interaction.Hash)
	approval.Authorization.ID = existing.Authorization.ID
	t.wantFailure("SaveApproval, of an Authorization that exists", t.SaveApproval(t.ctx, approval))
	_, err := t.Code(t.ctx, code.Hash)
	t.wantError("Code, of a row that must not be saved", err, oauthkit.ErrNotFound)
	t.wantNoConsent(approval.Consent)

	t.wantEqual("Code", t.storedCode(existing.Hash), existing)
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	approval, _ = t.approval(interaction.Hash)
	t.mustSucceed("SaveApproval, after failures", t.SaveApproval(t.ctx, approval))
}
