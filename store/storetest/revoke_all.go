package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// ending is an act that revokes everything of a user or an application.
type ending struct {
	name string
	// end revokes everything of the user, or of the application, of an Authorization.
	end func(t *trial, users oauthkit.AuthorizationManager, of *oauthkit.Authorization) (revoked int, err error)
	// ends reports whether this revokes another Authorization too.
	ends func(of, other *oauthkit.Authorization) bool
}

func endings() []ending {
	return []ending{
		{
			"RevokeUser",
			func(t *trial, users oauthkit.AuthorizationManager, of *oauthkit.Authorization) (int, error) {
				return users.RevokeUser(t.ctx, of.Subject, t.revocation())
			},
			func(of, other *oauthkit.Authorization) bool { return of.Subject == other.Subject },
		},
		{
			"RevokeApplication",
			func(t *trial, users oauthkit.AuthorizationManager, of *oauthkit.Authorization) (int, error) {
				return users.RevokeApplication(t.ctx, of.ClientID, t.revocation())
			},
			func(of, other *oauthkit.Authorization) bool { return of.ClientID == other.ClientID },
		},
	}
}

// endingRules are the rules of RevokeUser and RevokeApplication.
func endingRules() []rule {
	var rules []rule
	for _, e := range endings() {
		rules = append(rules, []rule{
			{
				e.name + " deletes every Consent and revokes every Authorization, and affects no others",
				"a removed user or application keeps access, or all others lose it",
				e.testEnds,
			},
			{
				e.name + " counts newly revoked Authorizations and keeps earlier times",
				"the audit log contains a wrong time",
				e.testEndsOnce,
			},
			{
				e.name + " allows new approvals afterwards",
				"a user who returns, or an application that was cleared, is locked out forever",
				e.testApprovedAgain,
			},
			{
				e.name + " refuses or revokes a code that is saved concurrently under a remembered Consent",
				"a request that read the Consent before its deletion stays valid",
				func(t *trial) {
					t.pairs(60, func(t *trial) { e.testAgainstKnown(t, oauthkit.ConsentRemembered) })
					t.pairs(60, func(t *trial) { e.testAgainstKnown(t, oauthkit.ConsentWidened) })
				},
			},
			{
				e.name + " keeps or revokes a concurrent new Consent together with its Authorization",
				"the page of connected apps hides valid access, or shows revoked access",
				func(t *trial) { t.pairs(100, e.testAgainstGiven) },
			},
			{
				e.name + " refuses tokens that are saved concurrently, or revokes them if and only if it counts them",
				"the operator believes that an application lost access, and it did not",
				func(t *trial) { t.pairs(60, e.testAgainstTokens) },
			},
			{
				e.name + " leaves no valid token of a concurrent refresh",
				"a session continues that seems to be over",
				func(t *trial) { t.pairs(100, e.testAgainstRefresh) },
			},
			{
				e.name + " counts each Authorization in exactly one of many concurrent calls",
				"the audit log contains several revocations, or none",
				e.testEndRace,
			},
		}...)
	}
	return append(rules, rule{
		"concurrent revocations of users, applications and Consents do not deadlock",
		"during an incident, deadlocks become errors and nothing is revoked",
		testEndingsAtOnce,
	})
}

// alone returns a trial with its own application.
func (t *trial) alone() *trial {
	own := *t
	own.client = t.application()
	return &own
}

// issued is everything that an application has for a user.
type issued struct {
	consent *oauthkit.Consent
	code    *oauthkit.AuthorizationCode
	tokens  oauthkit.Tokens // of another Authorization, without a Consent
}

// approveAll has two users approve two applications each.
func (t *trial) approveAll() []issued {
	var all []issued
	users := []string{"user-" + secret.NewID(), "user-" + secret.NewID()}
	for _, clientID := range []string{t.application(), t.application()} {
		for _, subject := range users {
			consent, code := t.approve(clientID, subject)
			authorization := t.authorization()
			authorization.ClientID, authorization.Subject = clientID, subject
			tokens := t.tokens(authorization)
			t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
			all = append(all, issued{consent, code, tokens})
		}
	}
	return all
}

func (e ending) mustRevokeAll(t *trial, want int, of *oauthkit.Authorization) {
	t.Helper()
	revoked, err := e.end(t, t.users, of)
	t.mustSucceed(e.name, err)
	t.wantEqual(e.name, revoked, want)
}

func (e ending) testEnds(t *trial) {
	all := t.approveAll()
	e.mustRevokeAll(t, 4, all[0].code.Authorization)
	for _, each := range all {
		authorization := each.code.Authorization
		var want time.Time
		if e.ends(all[0].code.Authorization, authorization) {
			want = t.now
			t.wantNoConsent(each.consent)
		} else {
			t.wantEqual("Consent", t.storedConsent(each.consent), each.consent)
		}
		t.wantEqual("RevokedAt, of a code", t.storedCode(each.code.Hash).Authorization.RevokedAt, want)
		t.wantEqual("RevokedAt, without consent", t.storedRefreshToken(each.tokens.Refresh.Hash).Authorization.RevokedAt, want)
	}
}

func (e ending) testEndsOnce(t *trial) {
	all := t.approveAll()
	of, first := all[0].code.Authorization, t.now
	t.mustRevoke(of)
	t.now = first.Add(time.Hour)
	e.mustRevokeAll(t, 3, of)
	e.mustRevokeAll(t, 0, of)
	t.wantEqual("RevokedAt", t.storedCode(all[0].code.Hash).Authorization.RevokedAt, first)
}

func (e ending) testApprovedAgain(t *trial) {
	t = t.alone()
	consent, code := t.mustSaveConsent()
	e.mustRevokeAll(t, 1, code.Authorization)
	approval, code := t.approvalUnder(consent)
	approval.ConsentUse = oauthkit.ConsentNew
	t.mustSucceed("SaveApproval, consent given again", t.SaveApproval(t.ctx, approval))
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
	t.wantEqual("Consent", t.storedConsent(consent), consent)
}

// against runs an act during the revocation of everything of an Authorization's user or
// application.
func (e ending) against(t *trial, of *oauthkit.Authorization, act func(Store) error) (revoked int, acted error) {
	acted, err := t.pair(act, func(Store) (err error) {
		revoked, err = e.end(t, t.secondUsers, of)
		return err
	})
	t.mustSucceed(e.name+", at the same time as an act", err)
	return revoked, acted
}

func (e ending) testAgainstKnown(t *trial, use oauthkit.ConsentUse) {
	t = t.alone()
	consent, first := t.mustSaveConsent()
	approval, code := t.approvalUnder(consent)
	approval.ConsentUse = use
	revoked, saved := e.against(t, code.Authorization, func(store Store) error { return store.SaveApproval(t.ctx, approval) })
	t.wantError("SaveApproval, against "+e.name, saved, nil, oauthkit.ErrRevoked, oauthkit.ErrEnded)
	t.wantNoConsent(consent)
	t.wantRevoked(first)
	if saved != nil {
		t.wantEqual(e.name, revoked, 1)
		t.wantNoCode(code)
		return
	}
	t.wantEqual(e.name, revoked, 2)
	t.wantRevoked(code)
}

// wantRevoked reports if the Authorization of a code is not revoked.
func (t *trial) wantRevoked(code *oauthkit.AuthorizationCode) {
	t.Helper()
	if t.storedCode(code.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("got a valid Authorization under a revoked Consent")
	}
}

func (e ending) testAgainstGiven(t *trial) {
	t = t.alone()
	approval, code := t.approval("")
	revoked, saved := e.against(t, code.Authorization, func(store Store) error { return store.SaveApproval(t.ctx, approval) })
	t.wantError("SaveApproval with new consent, against "+e.name, saved, nil, oauthkit.ErrEnded)
	if saved != nil {
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)
		return
	}
	valid := t.storedCode(code.Hash).Authorization.RevokedAt.IsZero()
	_, err := t.Consent(t.ctx, t.client, approval.Authorization.Subject)
	t.wantError("Consent, after SaveApproval against "+e.name, err, nil, oauthkit.ErrNotFound)
	if known := err == nil; known != valid || valid != (revoked == 0) {
		t.Errorf("SaveApproval with new consent, against %s: got consent %t, Authorization valid %t, %d revoked, want these to agree", e.name, known, valid, revoked)
	}
}

func (e ending) testAgainstTokens(t *trial) {
	t = t.alone()
	authorization := t.authorization()
	tokens := t.tokens(authorization)
	revoked, saved := e.against(t, authorization, func(store Store) error { return store.SaveTokens(t.ctx, authorization, tokens) })
	t.wantError("SaveTokens, against "+e.name, saved, nil, oauthkit.ErrEnded)
	if saved != nil {
		t.wantNoTokens(tokens)
		t.wantNoAuthorization(authorization)
		t.wantEqual(e.name, revoked, 0)
	} else if valid := t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero(); valid != (revoked == 0) {
		t.Errorf("SaveTokens, against %s: got Authorization valid %t, %d revoked, want these to agree", e.name, valid, revoked)
	}
}

func (e ending) testAgainstRefresh(t *trial) {
	t = t.alone()
	tokens := t.mustSaveTokens()
	successors := t.tokens(tokens.Access.Authorization)
	revoked, rotated := e.against(t, tokens.Access.Authorization, func(store Store) error {
		return store.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil))
	})
	t.wantEqual(e.name, revoked, 1)
	t.wantError("RotateRefreshToken, against "+e.name, rotated, nil, oauthkit.ErrRevoked)
	if errors.Is(rotated, oauthkit.ErrRevoked) {
		t.wantNoTokens(successors)
	} else if t.storedAccessToken(successors.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("RotateRefreshToken, against %s: got valid tokens, want none", e.name)
	}
}

func (e ending) testEndRace(t *trial) {
	const n = 10
	all := t.approveAll()
	var counts [n]int
	for _, err := range t.race(n, func(i int) (err error) {
		users := []oauthkit.AuthorizationManager{t.users, t.secondUsers}[i%2]
		counts[i], err = e.end(t, users, all[0].code.Authorization)
		return err
	}) {
		t.mustSucceed(e.name+", at the same time as others", err)
	}
	sum := 0
	for _, count := range counts {
		sum += count
	}
	t.wantEqual("what all "+e.name+" returned", sum, 4)
}

// testEndingsAtOnce runs all acts that revoke several rows concurrently, together with
// acts that save.
func testEndingsAtOnce(t *trial) {
	for range 10 {
		all := t.approveAll()
		var acts []func(Store, oauthkit.AuthorizationManager) error
		for _, each := range all {
			acts = append(acts, t.revocationsOf(each)...)
		}
		for i, err := range t.race(len(acts), func(i int) error {
			return acts[i](t.side(i), []oauthkit.AuthorizationManager{t.users, t.secondUsers}[i%2])
		}) {
			t.wantError(fmt.Sprintf("act %d of all at once", i), err, nil, oauthkit.ErrReplayed, oauthkit.ErrRevoked, oauthkit.ErrEnded)
		}
		for _, each := range all {
			t.wantRevoked(each.code)
		}
	}
}

func (t *trial) revocationsOf(each issued) []func(Store, oauthkit.AuthorizationManager) error {
	of := each.code.Authorization
	remembered, _ := t.approvalUnder(each.consent)
	remembered.Authorization.ClientID = of.ClientID
	anew, _ := t.approvalUnder(each.consent)
	anew.Authorization.ClientID, anew.ConsentUse = of.ClientID, oauthkit.ConsentNew
	acts := []func(Store, oauthkit.AuthorizationManager) error{
		func(store Store, _ oauthkit.AuthorizationManager) error {
			return store.SaveApproval(t.ctx, remembered)
		},
		func(store Store, _ oauthkit.AuthorizationManager) error { return store.SaveApproval(t.ctx, anew) },
		func(store Store, _ oauthkit.AuthorizationManager) error {
			_, err := store.RevokeConsent(t.ctx, of.ClientID, of.Subject, t.revocation())
			return err
		},
		func(store Store, _ oauthkit.AuthorizationManager) error {
			return store.RotateRefreshToken(t.ctx, t.rotation(each.tokens.Refresh.Hash, t.tokens(each.tokens.Access.Authorization), nil))
		},
	}
	for _, e := range endings() {
		acts = append(acts, func(_ Store, users oauthkit.AuthorizationManager) error {
			_, err := e.end(t, users, of)
			return err
		})
	}
	return acts
}
