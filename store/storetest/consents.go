package storetest

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func consentRules() []rule {
	return []rule{
		{
			"Consent returns ErrNotFound if the user gave none",
			"users are not asked, or cannot sign in before they were asked",
			func(t *trial) {
				consent, _ := t.mustSaveConsent()
				other := *consent
				other.ClientID = t.application()
				t.wantNoConsent(&other)
				t.wantNoConsent(t.consent(t.authorization()))
				t.wantNoConsent(t.consent(t.mustSaveCode().Authorization))
			},
		},
		{
			"subjects are compared byte by byte",
			"the Consent of one user applies to another",
			testConsentIdentity,
		},
		{
			"RevokeConsent deletes the Consent and revokes its Authorizations",
			"an application that the user removed keeps its access",
			func(t *trial) {
				consent, first := t.mustSaveConsent()
				approval, second := t.approvalUnder(consent)
				t.mustSucceed("SaveCode", t.SaveCode(t.ctx, approval, second))
				t.wantRevokedConsent(consent, first.Authorization, second.Authorization)
				t.wantNoConsent(consent)
				for _, code := range []*oauthkit.AuthorizationCode{first, second} {
					if got := t.storedCode(code.Hash).Authorization.RevokedAt; !got.Equal(t.now) {
						t.Errorf("RevokedAt: got %v, want %v", got, t.now)
					}
				}
			},
		},
		{
			"RevokeConsent also revokes the Authorizations without a Consent",
			"users cannot remove a trusted application",
			testRevokeWithoutConsent,
		},
		{
			"RevokeConsent returns only newly revoked Authorizations",
			"the audit log contains two revocations, or the wrong time",
			testRevokeConsentTwice,
		},
		{
			"RevokeConsent affects no other user and no other application",
			"removing one application removes all of them, or removes it for every user",
			testRevokeOnlyThose,
		},
		{
			"RevokeConsent without anything to revoke is not an error",
			"a page that is submitted twice fails",
			func(t *trial) {
				t.wantRevokedConsent(t.consent(t.authorization()))
				t.wantRevokedConsent(&oauthkit.Consent{})
			},
		},
		{
			"a Consent can be given again after it was revoked",
			"a user who removed an application can never use it again",
			func(t *trial) {
				consent, code := t.mustSaveConsent()
				t.wantRevokedConsent(consent, code.Authorization)
				approval, code := t.approvalUnder(consent)
				approval.ConsentUse = oauthkit.ConsentNew
				t.mustSucceed("SaveCode, consent given again", t.SaveCode(t.ctx, approval, code))
				t.wantEqual("Consent", t.storedConsent(consent), consent)
				t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
			},
		},
	}
}

// wantRevokedConsent calls RevokeConsent and reports if it does not revoke exactly
// authorizations.
func (t *trial) wantRevokedConsent(consent *oauthkit.Consent, authorizations ...*oauthkit.Authorization) {
	t.Helper()
	got, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.now)
	t.mustSucceed("RevokeConsent", err)
	var want []string
	for _, authorization := range authorizations {
		want = append(want, authorization.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("RevokeConsent: got %q, want %q", got, want)
	}
}

func testConsentIdentity(t *trial) {
	base := secret.NewID()
	subjects := []string{base + "a", base + "A", base + "a ", " " + base + "a", base + "%", base + "_", base + "\u00e9", base + "e\u0301", base + "ß", base + "ss"}
	codes := map[string]*oauthkit.AuthorizationCode{}
	for _, subject := range subjects {
		authorization := t.authorization()
		authorization.Subject = subject
		codes[subject] = t.code(authorization)
		approval := &oauthkit.Approval{Authorization: authorization, Consent: t.consent(authorization), ConsentUse: oauthkit.ConsentNew}
		t.mustSucceed("SaveCode", t.SaveCode(t.ctx, approval, codes[subject]))
	}
	for _, subject := range subjects {
		consent := t.storedConsent(t.consent(codes[subject].Authorization))
		if consent.Subject != subject {
			t.Errorf("Consent of %q: got that of %q", subject, consent.Subject)
		}
		t.wantRevokedConsent(consent, codes[subject].Authorization)
	}
}

func testRevokeWithoutConsent(t *trial) {
	code, authorization := t.mustSaveCode(), t.authorization()
	authorization.Subject = code.Authorization.Subject
	tokens := t.tokens(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.wantRevokedConsent(t.consent(authorization), code.Authorization, authorization)
	t.wantError("RedeemCode, afterwards",
		t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
	t.wantError("RotateRefreshToken, afterwards",
		t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, t.tokens(authorization), nil)), oauthkit.ErrRevoked)
}

func testRevokeConsentTwice(t *trial) {
	consent, first := t.mustSaveConsent()
	approval, second := t.approvalUnder(consent)
	t.mustSucceed("SaveCode", t.SaveCode(t.ctx, approval, second))
	before := t.now.Add(-time.Hour)
	changed, err := t.RevokeAuthorization(t.ctx, first.Authorization.ID, before)
	t.mustSucceed("RevokeAuthorization", err)
	if !changed {
		t.Errorf("RevokeAuthorization: got false, want true")
	}
	t.wantRevokedConsent(consent, second.Authorization)
	t.wantRevokedConsent(consent)
	if got := t.storedCode(first.Hash).Authorization.RevokedAt; !got.Equal(before) {
		t.Errorf("RevokedAt: got %v, want that of the first revocation, %v", got, before)
	}
}

func testRevokeOnlyThose(t *trial) {
	consent, code := t.mustSaveConsent()
	otherUser, otherUserCode := t.mustSaveConsent()
	elsewhere := t.authorization()
	elsewhere.ClientID, elsewhere.Subject = t.application(), consent.Subject
	otherApp, otherAppCode := t.consent(elsewhere), t.code(elsewhere)
	t.mustSucceed("SaveCode", t.SaveCode(t.ctx, &oauthkit.Approval{Authorization: elsewhere, Consent: otherApp, ConsentUse: oauthkit.ConsentNew}, otherAppCode))

	t.wantRevokedConsent(consent, code.Authorization)
	t.wantEqual("another user's Consent", t.storedConsent(otherUser), otherUser)
	t.wantEqual("another application's Consent", t.storedConsent(otherApp), otherApp)
	for _, untouched := range []*oauthkit.AuthorizationCode{otherUserCode, otherAppCode} {
		t.mustSucceed("RedeemCode, of another", t.RedeemCode(t.ctx, untouched.Hash, t.tokens(untouched.Authorization), t.now))
	}
}
