package storetest

import (
	"errors"
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
				t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
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
				t.mustSucceed("SaveApproval, consent given again", t.SaveApproval(t.ctx, approval))
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
	got, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
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
		approval := &oauthkit.Approval{Authorization: authorization, Consent: t.consent(authorization), ConsentUse: oauthkit.ConsentNew, Code: codes[subject]}
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
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
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	before := t.now.Add(-time.Hour)
	changed, err := t.RevokeAuthorization(t.ctx, first.Authorization.ID, oauthkit.Revocation{Now: before})
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
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: elsewhere, Consent: otherApp, ConsentUse: oauthkit.ConsentNew, Code: otherAppCode}))

	t.wantRevokedConsent(consent, code.Authorization)
	t.wantEqual("another user's Consent", t.storedConsent(otherUser), otherUser)
	t.wantEqual("another application's Consent", t.storedConsent(otherApp), otherApp)
	for _, untouched := range []*oauthkit.AuthorizationCode{otherUserCode, otherAppCode} {
		t.mustSucceed("RedeemCode, of another", t.RedeemCode(t.ctx, untouched.Hash, t.tokens(untouched.Authorization), t.now))
	}
}

func consentRaces() []rule {
	return []rule{
		{
			"a code saved under a Consent that is being revoked is refused, or its Authorization is revoked too",
			"an application that the user removed regains access at that moment",
			func(t *trial) {
				t.pairs(100, func(t *trial) { testKnownAgainstRevoke(t, oauthkit.ConsentRemembered) })
			},
		},
		{
			"a Consent that is widened while it is revoked stays revoked, and so does the Authorization",
			"a second consent page that the user submits at that moment restores the revoked Consent",
			func(t *trial) {
				t.pairs(100, func(t *trial) { testKnownAgainstRevoke(t, oauthkit.ConsentWidened) })
			},
		},
		{
			"a Consent given during a revocation is valid together with its Authorization, or neither is",
			"the page of connected apps hides valid access, or shows revoked access",
			func(t *trial) { t.pairs(100, testGivenAgainstRevoke) },
		},
		{
			"an Authorization without a Consent that is saved during a revocation is revoked if and only if it is reported",
			"the host believes that an application lost access, and it did not",
			func(t *trial) { t.pairs(100, testNoConsentAgainstRevoke) },
		},
		{
			"concurrent approvals create one Consent",
			"a user has two Consents for one application and can only revoke one, or a second tab fails",
			func(t *trial) {
				t.pairs(20, func(t *trial) { testGivenRace(t, 10, secret.NewID) })
			},
		},
		{
			"concurrent approvals after a revocation create one Consent",
			"two tabs that read the revoked Consent cannot both be approved: they save it with the same ID",
			func(t *trial) {
				t.pairs(20, func(t *trial) {
					withdrawn := secret.NewID()
					testGivenRace(t, 10, func() string { return withdrawn })
				})
			},
		},
		{
			"concurrent RevokeConsent calls report each Authorization once",
			"the audit log contains several revocations, or none",
			testRevokeConsentRace,
		},
	}
}

// saveWhileRevoking saves a code while the Consent of its user is revoked, and returns
// the result of RevokeConsent and the error of SaveApproval.
func (t *trial) saveWhileRevoking(approval *oauthkit.Approval) (ids []string, saved error) {
	saved, err := t.pair(
		func(store Store) error { return store.SaveApproval(t.ctx, approval) },
		func(store Store) (err error) {
			ids, err = store.RevokeConsent(t.ctx, t.client, approval.Authorization.Subject, t.revocation())
			return err
		})
	t.mustSucceed("RevokeConsent, against SaveApproval", err)
	return ids, saved
}

// wasReported reports whether the Authorization of a saved code is revoked. It is an
// error if this does not agree with the ids that RevokeConsent returned.
func (t *trial) wasReported(code *oauthkit.AuthorizationCode, ids []string) bool {
	revoked := !t.storedCode(code.Hash).Authorization.RevokedAt.IsZero()
	if reported := slices.Contains(ids, code.Authorization.ID); reported != revoked {
		t.Errorf("RevokeConsent, against SaveApproval: got reported %t and revoked %t, want the same", reported, revoked)
	}
	return revoked
}

// testKnownAgainstRevoke saves a code under a remembered Consent while the Consent is
// revoked.
func testKnownAgainstRevoke(t *trial, use oauthkit.ConsentUse) {
	consent, _ := t.mustSaveConsent()
	approval, code := t.approvalUnder(consent)
	approval.ConsentUse = use
	ids, saved := t.saveWhileRevoking(approval)
	t.wantError("SaveApproval, against RevokeConsent", saved, nil, oauthkit.ErrRevoked)
	t.wantNoConsent(consent)
	if errors.Is(saved, oauthkit.ErrRevoked) {
		t.wantNoCode(code)
	} else if !t.wasReported(code, ids) {
		t.Errorf("SaveApproval, against RevokeConsent: got a valid code under a revoked Consent")
	}
}

func testGivenAgainstRevoke(t *trial) {
	approval, code := t.approval("")
	ids, saved := t.saveWhileRevoking(approval)
	t.wantError("SaveApproval with new consent, against RevokeConsent", saved, nil)
	revoked := t.wasReported(code, ids)
	_, err := t.Consent(t.ctx, t.client, approval.Authorization.Subject)
	t.wantError("Consent, after SaveApproval against RevokeConsent", err, nil, oauthkit.ErrNotFound)
	if gone := err != nil; gone != revoked {
		t.Errorf("SaveApproval with new consent, against RevokeConsent: got Consent revoked %t and Authorization revoked %t, want the same", gone, revoked)
	}
}

func testNoConsentAgainstRevoke(t *trial) {
	authorization := t.authorization()
	code := t.code(authorization)
	ids, saved := t.saveWhileRevoking(&oauthkit.Approval{Authorization: authorization, Code: code})
	t.wantError("SaveApproval without consent, against RevokeConsent", saved, nil)
	t.wasReported(code, ids)
}

// testGivenRace runs n concurrent approvals of one user, each with a Consent ID from
// newID.
func testGivenRace(t *trial, n int, newID func() string) {
	first := t.authorization()
	approvals, codes := make([]*oauthkit.Approval, n), make([]*oauthkit.AuthorizationCode, n)
	for i := range n {
		consent := t.consent(first)
		consent.ID = newID()
		approvals[i], codes[i] = t.approvalUnder(consent)
		approvals[i].ConsentUse = oauthkit.ConsentNew
	}
	for _, err := range t.race(n, func(i int) error { return t.side(i).SaveApproval(t.ctx, approvals[i]) }) {
		t.mustSucceed("SaveApproval with new consent, at the same time as others", err)
	}
	t.wantConsentIDs(t.storedConsent(approvals[0].Consent).ID, codes...)
}

func testRevokeConsentRace(t *trial) {
	const n = 10
	consent, code := t.mustSaveConsent()
	want := []string{code.Authorization.ID}
	for range 5 {
		approval, code := t.approvalUnder(consent)
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
		want = append(want, code.Authorization.ID)
	}
	ids := make([][]string, n)
	for _, err := range t.race(n, func(i int) (err error) {
		ids[i], err = t.side(i).RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
		return err
	}) {
		t.mustSucceed("RevokeConsent, at the same time as others", err)
	}
	got := slices.Concat(ids...)
	slices.Sort(got)
	slices.Sort(want)
	t.wantEqual("what all RevokeConsent returned", got, want)
}
