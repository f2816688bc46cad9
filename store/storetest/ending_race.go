package storetest

import (
	"errors"
	"fmt"

	"github.com/oauthkit/oauthkit"
)

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
	revoked, saved := e.against(t, code.Authorization, func(store Store) error { return store.SaveCode(t.ctx, approval, code) })
	t.wantError("SaveCode, against "+e.name, saved, nil, oauthkit.ErrRevoked, oauthkit.ErrEnded)
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
		t.Errorf("got an Authorization that is alive under consent that is gone")
	}
}

func (e ending) testAgainstGiven(t *trial) {
	t = t.alone()
	approval, code := t.approval("")
	revoked, saved := e.against(t, code.Authorization, func(store Store) error { return store.SaveCode(t.ctx, approval, code) })
	t.wantError("SaveCode with new consent, against "+e.name, saved, nil, oauthkit.ErrEnded)
	if saved != nil {
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)
		return
	}
	alive := t.storedCode(code.Hash).Authorization.RevokedAt.IsZero()
	_, err := t.Consent(t.ctx, t.client, approval.Authorization.Subject)
	t.wantError("Consent, after SaveCode against "+e.name, err, nil, oauthkit.ErrNotFound)
	if known := err == nil; known != alive || alive != (revoked == 0) {
		t.Errorf("SaveCode with new consent, against %s: got consent %t, Authorization alive %t, %d revoked, want these to agree", e.name, known, alive, revoked)
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
	} else if alive := t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero(); alive != (revoked == 0) {
		t.Errorf("SaveTokens, against %s: got Authorization alive %t, %d revoked, want these to agree", e.name, alive, revoked)
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
		t.Errorf("RotateRefreshToken, against %s: got tokens that are alive", e.name)
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
	remembered, code := t.approvalUnder(each.consent)
	remembered.Authorization.ClientID = of.ClientID
	anew, other := t.approvalUnder(each.consent)
	anew.Authorization.ClientID, anew.ConsentUse = of.ClientID, oauthkit.ConsentNew
	acts := []func(Store, oauthkit.AuthorizationManager) error{
		func(store Store, _ oauthkit.AuthorizationManager) error {
			return store.SaveCode(t.ctx, remembered, code)
		},
		func(store Store, _ oauthkit.AuthorizationManager) error { return store.SaveCode(t.ctx, anew, other) },
		func(store Store, _ oauthkit.AuthorizationManager) error {
			_, err := store.RevokeConsent(t.ctx, of.ClientID, of.Subject, t.now)
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
