package storetest

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// sessionRules are the rules of EndSession.
func sessionRules() []rule {
	return []rule{
		{
			"EndSession revokes the Authorizations of the session, and no others",
			"an application keeps its access after a logout, or a logout on one device signs a user out everywhere",
			testEndSession,
		},
		{
			"EndSession keeps the Authorizations with the scope to keep, and clears their SessionID",
			"a logout ends offline access, or access that was kept is reported as ended by the next logout",
			testEndSessionKeeps,
		},
		{
			"EndSession that keeps all revokes none, and clears their SessionID",
			"a logout ends access that the host wants to keep",
			testEndSessionKeepsAll,
		},
		{
			"EndSession returns each application of the session once, sorted, and counts what it revoked",
			"an application is not told of the logout, or is told of one that it was not part of",
			testEndSessionResult,
		},
		{
			"EndSession deletes the open Interactions of the user in the browser, and no others",
			"the next user of the browser finds the requests of the previous one, or a decision can be repeated",
			testEndSessionInteractions,
		},
		{
			"after EndSession nothing new of the session is saved, even after a Cleanup",
			"a request that began before the logout gives access after it",
			testSessionStaysEnded,
		},
		{
			"EndSession does not affect other sessions and other users, later ones included",
			"a user cannot sign in again after a logout",
			testOtherSessions,
		},
		{
			"an ended session refuses an approval without consuming its interaction",
			"the user cannot decide again after signing in again",
			testEndedKeepsInteraction,
		},
	}
}

// sessionRaces are the races of EndSession.
func sessionRaces() []rule {
	return []rule{
		{
			"EndSession refuses or ends an approval that is saved concurrently",
			"an approval that was saved a moment after the logout stays valid",
			func(t *trial) { t.pairs(100, testEndSessionAgainstApproval) },
		},
		{
			"EndSession refuses or ends tokens that are saved concurrently",
			"a token that was saved a moment after the logout stays valid",
			func(t *trial) { t.pairs(100, testEndSessionAgainstTokens) },
		},
		{
			"a session that ends while a code is redeemed leaves no valid token",
			"a sign-in that was under way continues after the logout",
			func(t *trial) { t.pairs(100, testEndSessionAgainstRedeem) },
		},
		{
			"each Authorization is counted by exactly one of many concurrent EndSession calls",
			"the audit log contains several revocations, or none",
			testEndSessionRace,
		},
	}
}

// member returns a new Authorization of the user in the session of another.
func (t *trial) member(of *oauthkit.Authorization) *oauthkit.Authorization {
	authorization := t.authorization()
	authorization.Subject, authorization.SessionID = of.Subject, of.SessionID
	return authorization
}

// inSession returns a new Authorization in a session of its own.
func (t *trial) inSession() *oauthkit.Authorization {
	authorization := t.authorization()
	authorization.SessionID = newHash()
	return authorization
}

func (t *trial) mustSave(authorization *oauthkit.Authorization) oauthkit.Tokens {
	t.Helper()
	tokens := t.tokens(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	return tokens
}

// sessionEnd returns the argument that ends the session of an Authorization.
func (t *trial) sessionEnd(of *oauthkit.Authorization) oauthkit.SessionEnd {
	return oauthkit.SessionEnd{
		Session:    oauthkit.Session{Subject: of.Subject, ID: of.SessionID},
		Revocation: t.revocation(),
	}
}

func (t *trial) mustEndSession(end oauthkit.SessionEnd) oauthkit.SessionEndResult {
	t.Helper()
	ended, err := t.EndSession(t.ctx, end)
	t.mustSucceed("EndSession", err)
	return ended
}

// wantMember reports an Authorization that differs from the stored one.
func (t *trial) wantMember(what string, want *oauthkit.Authorization, tokens oauthkit.Tokens) {
	t.Helper()
	t.wantEqual(what, t.storedAccessToken(tokens.Access.Hash).Authorization, want)
}

func testEndSession(t *trial) {
	one := t.inSession()
	tokens := t.mustSave(one)
	approval, code := t.approval("")
	approval.Authorization.Subject, approval.Authorization.SessionID, approval.Consent.Subject = one.Subject, one.SessionID, one.Subject
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	otherSession, otherUser, none := t.member(one), t.inSession(), t.member(one)
	otherSession.SessionID, otherUser.SessionID, none.SessionID = newHash(), one.SessionID, ""
	others := []*oauthkit.Authorization{otherSession, otherUser, none}
	kept := make([]oauthkit.Tokens, len(others))
	for i, other := range others {
		kept[i] = t.mustSave(other)
	}
	t.now = t.now.Add(time.Minute)
	t.mustEndSession(t.sessionEnd(one))
	one.RevokedAt = t.now
	t.wantMember("Authorization with tokens", one, tokens)
	t.wantEqual("RevokedAt, of a code", t.storedCode(code.Hash).Authorization.RevokedAt, t.now)
	for i, other := range others {
		t.wantMember([]string{"another session", "another user", "no session"}[i], other, kept[i])
	}
	t.storedConsent(approval.Consent)
}

func testEndSessionKeeps(t *trial) {
	one := t.inSession()
	offline, similar := t.member(one), t.member(one)
	offline.Scopes, similar.Scopes = oauthkit.Scopes{"openid", "offline_access", "read"}, oauthkit.Scopes{"offline-access", "my_offline_access", "offline_access2"}
	of, kept, not := t.mustSave(one), t.mustSave(offline), t.mustSave(similar)
	end := t.sessionEnd(one)
	end.Keep = "offline_access"
	t.wantEqual("EndSession", t.mustEndSession(end), oauthkit.SessionEndResult{ClientIDs: []string{t.client}, Revoked: 2})
	one.RevokedAt, similar.RevokedAt, offline.SessionID = t.now, t.now, ""
	t.wantMember("without the scope", one, of)
	t.wantMember("with similar scopes", similar, not)
	t.wantMember("with the scope", offline, kept)
	successors := t.tokens(offline)
	t.mustSucceed("RotateRefreshToken, of the one that is kept", t.RotateRefreshToken(t.ctx, t.rotation(kept.Refresh.Hash, successors, nil)))
	t.wantEqual("EndSession, again", t.mustEndSession(end), oauthkit.SessionEndResult{})
}

func testEndSessionKeepsAll(t *trial) {
	one := t.inSession()
	tokens := t.mustSave(one)
	end := t.sessionEnd(one)
	end.KeepAll = true
	t.wantEqual("EndSession", t.mustEndSession(end), oauthkit.SessionEndResult{ClientIDs: []string{t.client}})
	one.SessionID = ""
	t.wantMember("Authorization", one, tokens)
}

func testEndSessionResult(t *trial) {
	one := t.inSession()
	clients := []string{t.client, t.application(), t.application(), t.application()}
	var revoked *oauthkit.Authorization
	for i, clientID := range clients {
		for range 2 {
			authorization := t.member(one)
			authorization.ClientID = clientID
			t.mustSave(authorization)
			if revoked = authorization; i == 3 {
				t.mustRevoke(revoked)
			}
		}
	}
	members := slices.Sorted(slices.Values(clients[:3]))
	t.wantEqual("EndSession", t.mustEndSession(t.sessionEnd(one)), oauthkit.SessionEndResult{ClientIDs: members, Revoked: 6})
	first := t.now
	t.now = first.Add(time.Hour)
	t.wantEqual("EndSession, again", t.mustEndSession(t.sessionEnd(one)), oauthkit.SessionEndResult{})
	t.wantEqual("EndSession, of an unknown one", t.mustEndSession(t.sessionEnd(t.inSession())), oauthkit.SessionEndResult{})
}

func testEndSessionInteractions(t *trial) {
	one := t.inSession()
	save := func(subject, browser string) *oauthkit.Interaction {
		interaction := t.interaction()
		interaction.Subject, interaction.BrowserHash = subject, browser
		t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, interaction, interactionLimit))
		return interaction
	}
	browser := newHash()
	waiting, decided := save(one.Subject, browser), save(one.Subject, browser)
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, decided.Hash, t.now))
	decided.ConsumedAt = t.now
	elsewhere, others := save(one.Subject, newHash()), save("user-"+secret.NewID(), browser)
	end := t.sessionEnd(one)
	t.mustEndSession(end)
	t.wantEqual("Interaction, without a browser", t.storedInteraction(waiting.Hash), waiting)
	end.BrowserHash = browser
	t.mustEndSession(end)
	_, err := t.Interaction(t.ctx, waiting.Hash)
	t.wantError("Interaction, of the user in the browser", err, oauthkit.ErrNotFound)
	for _, kept := range []*oauthkit.Interaction{decided, elsewhere, others} {
		t.wantEqual("Interaction", t.storedInteraction(kept.Hash), kept)
	}
}

func testSessionStaysEnded(t *trial) {
	one := t.inSession()
	t.mustEndSession(t.sessionEnd(one))
	for range 2 {
		tokens := t.tokens(t.member(one))
		t.wantError("SaveTokens, in an ended session", t.SaveTokens(t.ctx, tokens.Access.Authorization, tokens), oauthkit.ErrEnded)
		t.wantNoTokens(tokens)
		t.wantNoAuthorization(tokens.Access.Authorization)
		approval, code := t.approval("")
		approval.Authorization.Subject, approval.Authorization.SessionID, approval.Consent.Subject = one.Subject, one.SessionID, one.Subject
		t.wantError("SaveApproval, in an ended session", t.SaveApproval(t.ctx, approval), oauthkit.ErrEnded)
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)
		t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.Add(24*time.Hour - time.Second)})
	}
}

func testOtherSessions(t *trial) {
	one := t.inSession()
	t.mustEndSession(t.sessionEnd(one))
	another, otherUser, none := t.member(one), t.inSession(), t.member(one)
	another.SessionID, otherUser.SessionID, none.SessionID = newHash(), one.SessionID, ""
	for _, authorization := range []*oauthkit.Authorization{another, otherUser, none} {
		t.mustSave(authorization)
		approval := &oauthkit.Approval{Authorization: t.member(authorization)}
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
	}
}

func testEndedKeepsInteraction(t *trial) {
	one, interaction := t.inSession(), t.mustSaveInteraction()
	t.mustEndSession(t.sessionEnd(one))
	approval := &oauthkit.Approval{Authorization: t.member(one), InteractionHash: interaction.Hash}
	t.wantError("SaveApproval, in an ended session", t.SaveApproval(t.ctx, approval), oauthkit.ErrEnded)
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	approval.Authorization.SessionID = newHash()
	t.mustSucceed("SaveApproval, in a new session", t.SaveApproval(t.ctx, approval))
}

// endedBy runs an act of an Authorization while its session ends.
func (t *trial) endedBy(of *oauthkit.Authorization, act func(Store) error) (ended oauthkit.SessionEndResult, acted error) {
	t.Helper()
	acted, err := t.pair(act, func(store Store) (err error) {
		ended, err = store.EndSession(t.ctx, t.sessionEnd(of))
		return err
	})
	t.mustSucceed("EndSession, at the same time as an act", err)
	return ended, acted
}

func testEndSessionAgainstApproval(t *trial) {
	approval, code := t.approval("")
	approval.Authorization.SessionID = newHash()
	ended, saved := t.endedBy(approval.Authorization, func(store Store) error { return store.SaveApproval(t.ctx, approval) })
	t.wantError("SaveApproval, against EndSession", saved, nil, oauthkit.ErrEnded)
	t.wantEnded(ended, saved)
	if saved != nil {
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)
	} else if t.storedCode(code.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("SaveApproval, against EndSession: got a valid Authorization, want none")
	}
}

// wantEnded reports a result of EndSession that does not agree with that of the act.
func (t *trial) wantEnded(ended oauthkit.SessionEndResult, acted error) {
	t.Helper()
	want := oauthkit.SessionEndResult{}
	if acted == nil {
		want = oauthkit.SessionEndResult{ClientIDs: []string{t.client}, Revoked: 1}
	}
	t.wantEqual("EndSession", ended, want)
}

func testEndSessionAgainstTokens(t *trial) {
	tokens := t.tokens(t.inSession())
	ended, saved := t.endedBy(tokens.Access.Authorization, func(store Store) error {
		return store.SaveTokens(t.ctx, tokens.Access.Authorization, tokens)
	})
	t.wantError("SaveTokens, against EndSession", saved, nil, oauthkit.ErrEnded)
	t.wantEnded(ended, saved)
	if saved != nil {
		t.wantNoTokens(tokens)
	} else if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("SaveTokens, against EndSession: got a valid Authorization, want none")
	}
}

func testEndSessionAgainstRedeem(t *trial) {
	code := t.code(t.inSession())
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: code.Authorization, Code: code}))
	tokens := t.tokens(code.Authorization)
	ended, redeemed := t.endedBy(code.Authorization, func(store Store) error {
		return store.RedeemCode(t.ctx, code.Hash, tokens, t.now)
	})
	t.wantEnded(ended, nil)
	t.wantNoValidToken("RedeemCode", redeemed, "EndSession", nil, tokens)
}

func testEndSessionRace(t *trial) {
	const n, members = 10, 5
	one := t.inSession()
	for range members {
		t.mustSave(t.member(one))
	}
	var counts [n]int
	for _, err := range t.race(n, func(i int) error {
		ended, err := t.side(i).EndSession(t.ctx, t.sessionEnd(one))
		counts[i] = ended.Revoked
		return err
	}) {
		t.mustSucceed("EndSession, at the same time as others", err)
	}
	total := 0
	for _, count := range counts {
		total += count
	}
	t.wantEqual("what all EndSession calls returned", total, members)
}
