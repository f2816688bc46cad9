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
			"consent that was not given is ErrNotFound",
			"users are not asked, or cannot sign in where they have not been asked yet",
			func(t *trial) {
				consent, _ := t.savedConsent()
				other := *consent
				other.ClientID = t.application()
				t.noConsent(&other)
				t.noConsent(t.consent(t.authorization()))
				t.noConsent(t.consent(t.savedCode().Authorization))
			},
		},
		{
			"users are compared byte by byte",
			"one user's consent is another's",
			testConsentIdentity,
		},
		{
			"RevokeConsent forgets the consent and revokes what was issued under it",
			"an application that the user has removed goes on",
			func(t *trial) {
				consent, first := t.savedConsent()
				approval, second := t.under(consent)
				t.done("SaveCode", t.SaveCode(t.ctx, approval, second))
				t.revokes(consent, first.Authorization, second.Authorization)
				t.noConsent(consent)
				for _, code := range []*oauthkit.AuthorizationCode{first, second} {
					if got := t.storedCode(code.Hash).Authorization.RevokedAt; !got.Equal(t.now) {
						t.Errorf("RevokedAt: got %v, want %v", got, t.now)
					}
				}
			},
		},
		{
			"RevokeConsent revokes the Authorizations that rest on no consent as well",
			"an application whose users are not asked cannot be removed",
			testRevokeWithoutConsent,
		},
		{
			"RevokeConsent returns those only that were not revoked before",
			"the audit log holds two revocations, or another time than when it ended",
			testRevokeConsentTwice,
		},
		{
			"RevokeConsent leaves other users and other applications alone",
			"to remove one application means to remove all, or to remove it for everybody",
			testRevokeOnlyThose,
		},
		{
			"RevokeConsent where there is nothing to revoke is no error",
			"a page that is sent twice fails",
			func(t *trial) {
				t.revokes(t.consent(t.authorization()))
				t.revokes(&oauthkit.Consent{})
			},
		},
		{
			"consent can be given again after it was revoked",
			"who has removed an application once can never use it again",
			func(t *trial) {
				consent, code := t.savedConsent()
				t.revokes(consent, code.Authorization)
				approval, code := t.under(consent)
				approval.ConsentUse = oauthkit.ConsentNew
				t.done("SaveCode, consent given again", t.SaveCode(t.ctx, approval, code))
				t.same("Consent", t.storedConsent(consent), consent)
				t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
			},
		},
	}
}

// revokes calls RevokeConsent and notes when it does not revoke exactly these.
func (t *trial) revokes(consent *oauthkit.Consent, authorizations ...*oauthkit.Authorization) {
	t.Helper()
	got, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.now)
	t.done("RevokeConsent", err)
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
		t.done("SaveCode", t.SaveCode(t.ctx, approval, codes[subject]))
	}
	for _, subject := range subjects {
		consent := t.storedConsent(t.consent(codes[subject].Authorization))
		if consent.Subject != subject {
			t.Errorf("Consent of %q: got that of %q", subject, consent.Subject)
		}
		t.revokes(consent, codes[subject].Authorization)
	}
}

func testRevokeWithoutConsent(t *trial) {
	code, authorization := t.savedCode(), t.authorization()
	authorization.Subject = code.Authorization.Subject
	tokens := t.tokens(authorization)
	t.done("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.revokes(t.consent(authorization), code.Authorization, authorization)
	t.answered("RedeemCode, afterwards",
		t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
	t.answered("RotateRefreshToken, afterwards",
		t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, t.tokens(authorization), nil)), oauthkit.ErrRevoked)
}

func testRevokeConsentTwice(t *trial) {
	consent, first := t.savedConsent()
	approval, second := t.under(consent)
	t.done("SaveCode", t.SaveCode(t.ctx, approval, second))
	before := t.now.Add(-time.Hour)
	changed, err := t.RevokeAuthorization(t.ctx, first.Authorization.ID, before)
	t.done("RevokeAuthorization", err)
	if !changed {
		t.Errorf("RevokeAuthorization: got false, want true")
	}
	t.revokes(consent, second.Authorization)
	t.revokes(consent)
	if got := t.storedCode(first.Hash).Authorization.RevokedAt; !got.Equal(before) {
		t.Errorf("RevokedAt: got %v, want that of the first revocation, %v", got, before)
	}
}

func testRevokeOnlyThose(t *trial) {
	consent, code := t.savedConsent()
	otherUser, otherUserCode := t.savedConsent()
	elsewhere := t.authorization()
	elsewhere.ClientID, elsewhere.Subject = t.application(), consent.Subject
	otherApp, otherAppCode := t.consent(elsewhere), t.code(elsewhere)
	t.done("SaveCode", t.SaveCode(t.ctx, &oauthkit.Approval{Authorization: elsewhere, Consent: otherApp, ConsentUse: oauthkit.ConsentNew}, otherAppCode))

	t.revokes(consent, code.Authorization)
	t.same("another user's Consent", t.storedConsent(otherUser), otherUser)
	t.same("another application's Consent", t.storedConsent(otherApp), otherApp)
	for _, untouched := range []*oauthkit.AuthorizationCode{otherUserCode, otherAppCode} {
		t.done("RedeemCode, of another", t.RedeemCode(t.ctx, untouched.Hash, t.tokens(untouched.Authorization), t.now))
	}
}
