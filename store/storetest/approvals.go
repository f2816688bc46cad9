package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// approvalRules are what SaveCode promises about consent, which it writes in one act with the code.
func approvalRules() []rule {
	return []rule{
		{
			"SaveCode saves consent that was given, and puts the Authorization under it",
			"the user is asked again and again, or revoking the consent does not reach the Authorization",
			testNewConsent,
		},
		{
			"consent that is given anew where there is one keeps its row, and its Scopes, ResourceScopes, ApplicationDigest and UpdatedAt are replaced",
			"a user has two consents for one application and can only withdraw one",
			testConsentGivenAgain,
		},
		{
			"consent that is widened keeps its row, and its Scopes, ResourceScopes, ApplicationDigest and UpdatedAt are replaced",
			"a user is asked again for what he has just approved",
			testConsentWidened,
		},
		{
			"SaveCode under remembered consent leaves it as it is",
			"a request that nobody was asked about widens what was approved",
			testConsentRemembered,
		},
		{
			"SaveCode without consent leaves the Authorization under none",
			"an application of the operator depends on consent that nobody can give",
			testNoConsent,
		},
		{
			"SaveCode under consent that is gone is ErrRevoked, and nothing is saved or consumed",
			"a code is issued after the user has withdrawn",
			func(t *trial) { testConsentGone(t, oauthkit.ConsentRemembered) },
		},
		{
			"SaveCode that widens consent which is gone is ErrRevoked, and nothing is saved or consumed",
			"what the user has withdrawn is remembered again, because another page of his was open",
			func(t *trial) { testConsentGone(t, oauthkit.ConsentWidened) },
		},
		{
			"consent that was revoked and given again is not the one it was",
			"a request goes through that was begun under what the user has withdrawn, or widens it",
			testConsentReplaced,
		},
	}
}

// decisionRules are what SaveCode promises about the interaction in which the user decided, and about failing.
func decisionRules() []rule {
	return []rule{
		{
			"SaveCode consumes the interaction",
			"the consent page can be sent twice, and each time a code is issued",
			testApprovalConsumes,
		},
		{
			"SaveCode with an interaction that does not exist is ErrNotFound, and nothing is saved",
			"a request that nobody began is approved",
			testUnknownInteractionOfApproval,
		},
		{
			"SaveCode does everything or nothing",
			"a failure in the middle uses up the request without a code, or remembers consent that led to none",
			testSaveCodeFails,
		},
	}
}

func testNewConsent(t *trial) {
	consent, code := t.savedConsent()
	t.same("Consent", t.storedConsent(consent), consent)
	t.consentIDs(consent.ID, code)
}

func testNoConsent(t *trial) {
	code := t.savedCode()
	t.consentIDs("", code)
	t.noConsent(t.consent(code.Authorization))
}

func testUnknownInteractionOfApproval(t *trial) {
	approval, code := t.approval(newHash())
	t.answered("SaveCode, unknown interaction", t.SaveCode(t.ctx, approval, code), oauthkit.ErrNotFound)
	t.noCode(code)
	t.noConsent(approval.Consent)
}

// approval returns a new one with consent and a code for it, not saved yet.
func (t *trial) approval(interactionHash string) (*oauthkit.Approval, *oauthkit.AuthorizationCode) {
	authorization := t.authorization()
	return &oauthkit.Approval{
		Authorization:   authorization,
		Consent:         t.consent(authorization),
		ConsentUse:      oauthkit.ConsentNew,
		InteractionHash: interactionHash,
	}, t.code(authorization)
}

// under returns an approval that rests on a copy of remembered consent and a code for it, not saved yet.
func (t *trial) under(consent *oauthkit.Consent) (*oauthkit.Approval, *oauthkit.AuthorizationCode) {
	authorization, remembered := t.authorization(), *consent
	authorization.Subject = consent.Subject
	return &oauthkit.Approval{Authorization: authorization, Consent: &remembered}, t.code(authorization)
}

func (t *trial) consentIDs(want string, codes ...*oauthkit.AuthorizationCode) {
	t.Helper()
	for _, code := range codes {
		if got := t.storedCode(code.Hash).Authorization.ConsentID; got != want {
			t.Errorf("Authorization.ConsentID: got %q, want %q", got, want)
		}
	}
}

// testConsentGivenAgain gives consent as requests do that began when there was none.
func testConsentGivenAgain(t *trial) {
	first, firstCode := t.savedConsent()
	for i, id := range []string{first.ID, secret.NewID()} {
		approval, code := t.under(first)
		approval.ConsentUse = oauthkit.ConsentNew
		approval.Consent.ID = id
		t.replaces(first, approval, code, oauthkit.Scopes{"openid", "read", "write"}[i:])
		t.consentIDs(first.ID, firstCode, code)
	}
}

func testConsentWidened(t *trial) {
	first, firstCode := t.savedConsent()
	for _, scopes := range []oauthkit.Scopes{{"openid", "read", "write"}, {"write"}} {
		approval, code := t.under(first)
		approval.ConsentUse = oauthkit.ConsentWidened
		t.replaces(first, approval, code, scopes)
		t.consentIDs(first.ID, firstCode, code)
	}
}

// replaces saves an approval that changes the consent that there is, and notes what else is changed than scopes, digest and the time of the last question.
func (t *trial) replaces(stored *oauthkit.Consent, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode, scopes oauthkit.Scopes) {
	t.Helper()
	later := t.now.Add(time.Hour)
	approval.Consent.Scopes, approval.Consent.CreatedAt, approval.Consent.UpdatedAt = scopes, later, later
	approval.Consent.ApplicationDigest, approval.Consent.ResourceScopes = newHash(), map[string]oauthkit.Scopes{"https://api.example/" + newHash(): scopes}
	t.done("SaveCode", t.SaveCode(t.ctx, approval, code))
	want := *approval.Consent
	want.ID, want.CreatedAt = stored.ID, stored.CreatedAt
	t.same("Consent", t.storedConsent(stored), &want)
}

func testConsentRemembered(t *trial) {
	consent, _ := t.savedConsent()
	approval, code := t.under(consent)
	approval.Consent.Scopes, approval.Consent.UpdatedAt = oauthkit.Scopes{"everything"}, t.now.Add(time.Hour)
	approval.Consent.ApplicationDigest = newHash()
	t.done("SaveCode", t.SaveCode(t.ctx, approval, code))
	t.same("Consent", t.storedConsent(consent), consent)
	t.consentIDs(consent.ID, code)
}

func testConsentGone(t *trial, use oauthkit.ConsentUse) {
	consent, _ := t.savedConsent()
	_, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.now)
	t.done("RevokeConsent", err)
	interaction := t.savedInteraction()
	approval, code := t.under(consent)
	approval.ConsentUse, approval.InteractionHash = use, interaction.Hash
	t.answered("SaveCode, consent gone", t.SaveCode(t.ctx, approval, code), oauthkit.ErrRevoked)
	t.noCode(code)
	t.noConsent(consent)
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testConsentReplaced(t *trial) {
	old, _ := t.savedConsent()
	_, err := t.RevokeConsent(t.ctx, old.ClientID, old.Subject, t.now)
	t.done("RevokeConsent", err)
	replacement := *old
	replacement.ID = secret.NewID()
	approval, code := t.under(&replacement)
	approval.ConsentUse = oauthkit.ConsentNew
	t.done("SaveCode, given anew", t.SaveCode(t.ctx, approval, code))
	t.consentIDs(replacement.ID, code)

	for _, use := range []oauthkit.ConsentUse{oauthkit.ConsentRemembered, oauthkit.ConsentWidened} {
		approval, code = t.under(old)
		approval.ConsentUse = use
		approval.Consent.Scopes = oauthkit.Scopes{"everything"}
		t.answered("SaveCode, under the old consent", t.SaveCode(t.ctx, approval, code), oauthkit.ErrRevoked)
		t.noCode(code)
	}
	t.same("Consent", t.storedConsent(&replacement), &replacement)
}

func testApprovalConsumes(t *trial) {
	interaction := t.savedInteraction()
	approval, code := t.approval(interaction.Hash)
	t.done("SaveCode", t.SaveCode(t.ctx, approval, code))
	if t.storedInteraction(interaction.Hash).ConsumedAt.IsZero() {
		t.Errorf("Interaction.ConsumedAt: got none, want when SaveCode consumed it")
	}
	t.answered("ConsumeInteraction, afterwards", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now), oauthkit.ErrReplayed)

	consent, _ := t.savedConsent()
	decided := t.savedInteraction()
	t.done("ConsumeInteraction", t.ConsumeInteraction(t.ctx, decided.Hash, t.now))
	for _, used := range []*oauthkit.Interaction{interaction, decided} {
		approval, code = t.approval(used.Hash)
		t.answered("SaveCode, interaction used", t.SaveCode(t.ctx, approval, code), oauthkit.ErrReplayed)
		t.noCode(code)
		t.noConsent(approval.Consent)

		widening, code := t.under(consent)
		widening.ConsentUse, widening.InteractionHash = oauthkit.ConsentWidened, used.Hash
		widening.Consent.Scopes = oauthkit.Scopes{"everything"}
		t.answered("SaveCode to widen, interaction used", t.SaveCode(t.ctx, widening, code), oauthkit.ErrReplayed)
		t.noCode(code)
		t.same("Consent", t.storedConsent(consent), consent)
	}
}

func testSaveCodeFails(t *trial) {
	existing, interaction := t.savedCode(), t.savedInteraction()
	approval, code := t.approval(interaction.Hash)
	taken := *code
	taken.Hash = existing.Hash
	t.failed("SaveCode, of a code that exists", t.SaveCode(t.ctx, approval, &taken))
	t.noCode(code)
	t.noConsent(approval.Consent)

	approval, code = t.approval(interaction.Hash)
	approval.Authorization.ID = existing.Authorization.ID
	t.failed("SaveCode, of an Authorization that exists", t.SaveCode(t.ctx, approval, code))
	_, err := t.Code(t.ctx, code.Hash)
	t.answered("Code, of one that should not have been saved", err, oauthkit.ErrNotFound)
	t.noConsent(approval.Consent)

	t.same("Code", t.storedCode(existing.Hash), existing)
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
	approval, code = t.approval(interaction.Hash)
	t.done("SaveCode, after failures", t.SaveCode(t.ctx, approval, code))
}
