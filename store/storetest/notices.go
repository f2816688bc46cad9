package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// noticeRules are the rules of a NoticeStore. Each has receivers of its own, because the
// rules of a chapter share a store.
func noticeRules() []rule {
	return []rule{
		{
			"EndSession saves a notice with the sid for each receiver and each application of the session",
			"an application is not told of the logout",
			testSessionNotices,
		},
		{
			"RevokeAuthorization saves a notice about a valid Authorization with a Subject and a SessionID, and about no other",
			"an application is told of a revocation that did not happen, or not told of one that did",
			testAuthorizationNotices,
		},
		{
			"RevokeConsent saves a notice for each session of the Authorizations that it revokes",
			"an application that the user removed is not told which sessions ended",
			testConsentNotices,
		},
		{
			"an act without receivers saves no notice",
			"the table grows though nobody reads it",
			testNoNotices,
		},
		{
			"ClaimNotices returns the notices of a receiver that have been due longest",
			"a receiver gets the messages of another one, too early, or never",
			testClaimOrder,
		},
		{
			"a claimed notice has one attempt more and is due again at the end of the claim",
			"a message is lost when the instance that delivers it is killed",
			testClaimLease,
		},
		{
			"RemoveNotice removes a notice, and an unknown id is not an error",
			"a message is delivered again and again",
			testRemoveNotice,
		},
		{
			"PostponeNotice changes the time of a notice, unless it was claimed since",
			"a message is never repeated, or one instance delivers it while another one does",
			testPostponeNotice,
		},
		{
			"a newer notice replaces an older one about the same, under another id and with no attempts",
			"the end of an older delivery removes the message about a newer logout",
			testNoticeReplaced,
		},
		{
			"notices about different sessions, users, applications or receivers do not replace each other",
			"an application is told of only one of several logouts",
			testNoticesBeside,
		},
		{
			"exactly one of many concurrent claims gets a notice",
			"every instance delivers every message",
			testClaimRace,
		},
		{
			"a notice that is replaced while the older one is removed stays",
			"a message is lost that nobody has delivered",
			func(t *trial) { t.pairs(60, testReplaceAgainstRemove) },
		},
		{
			"acts that save the same notices at the same time succeed",
			"a logout fails because of another one",
			testNoticesAtOnce,
		},
		{
			"a notice that was due for a week is removed, and no other",
			"a receiver that was removed fills the database, or messages are lost while no instance runs",
			testCleanupNotices,
		},
	}
}

// userNoticeRules are the rules of a NoticeStore that is an AuthorizationManager too.
func userNoticeRules() []rule {
	return []rule{
		{
			"RevokeUser saves one notice for each application and session of the user",
			"an application believes that a removed user is signed in",
			testUserNotices,
		},
		{
			"RevokeApplication saves one notice for each user and session of the application",
			"an application is not told who lost access",
			testApplicationNotices,
		},
	}
}

// noticing is a store with notices and the lists of users.
type noticing interface {
	oauthkit.AuthorizationManager
	oauthkit.NoticeStore
}

// notices returns the notices of one side of a trial.
func (t *trial) notices(store Store) oauthkit.NoticeStore { return store.(oauthkit.NoticeStore) }

// telling returns a Revocation with new receivers.
func (t *trial) telling(receivers int) oauthkit.Revocation {
	revocation := t.revocation()
	for range receivers {
		revocation.Receivers = append(revocation.Receivers, "receiver-"+secret.NewID())
	}
	return revocation
}

// mustClaim claims everything of a receiver that is due at the time of the trial, in the
// order of the applications, users and sessions.
func (t *trial) mustClaim(receiver string) []*oauthkit.Notice {
	t.Helper()
	claimed, err := t.notices(t.Store).ClaimNotices(t.ctx, oauthkit.NoticeClaim{
		Receiver: receiver, Now: t.now, Until: t.now.Add(time.Minute), Limit: 100,
	})
	t.mustSucceed("ClaimNotices", err)
	slices.SortFunc(claimed, func(one, other *oauthkit.Notice) int {
		return cmp.Or(cmp.Compare(one.ClientID, other.ClientID), cmp.Compare(one.Subject, other.Subject), cmp.Compare(one.SessionID, other.SessionID))
	})
	return claimed
}

// notice returns a notice at its first claim, about an Authorization. The id is the
// store's.
func (t *trial) notice(receiver string, kind oauthkit.NoticeKind, about *oauthkit.Authorization) *oauthkit.Notice {
	return &oauthkit.Notice{
		Receiver: receiver, Kind: kind, ClientID: about.ClientID, Subject: about.Subject, SessionID: about.SessionID,
		CreatedAt: t.now, Attempts: 1, DueAt: t.now.Add(time.Minute),
	}
}

// wantNotices claims the notices of a receiver and reports differences.
func (t *trial) wantNotices(receiver string, want ...*oauthkit.Notice) {
	t.Helper()
	claimed := t.mustClaim(receiver)
	if len(claimed) != len(want) {
		t.Fatalf("ClaimNotices: got %d notices, want %d", len(claimed), len(want))
	}
	for i, expected := range want {
		notice := claimed[i]
		if notice.ID == "" {
			t.Errorf("Notice.ID: got none")
		}
		expected.ID = notice.ID
		t.wantEqual("Notice", notice, expected)
	}
}

func testSessionNotices(t *trial) {
	one := t.inSession()
	kept, twice := t.member(one), t.member(one)
	kept.Scopes, kept.ClientID = oauthkit.Scopes{"offline_access"}, t.application()
	other := t.member(one)
	other.SessionID = newHash()
	for _, authorization := range []*oauthkit.Authorization{one, kept, twice, other} {
		t.mustSave(authorization)
	}
	end := t.sessionEnd(one)
	end.Keep, end.Revocation = "offline_access", t.telling(2)
	t.mustEndSession(end)
	members := []*oauthkit.Authorization{one, kept}
	slices.SortFunc(members, func(a, b *oauthkit.Authorization) int { return cmp.Compare(a.ClientID, b.ClientID) })
	for _, receiver := range end.Receivers {
		t.wantNotices(receiver, t.notice(receiver, oauthkit.NoticeSessionEnded, members[0]), t.notice(receiver, oauthkit.NoticeSessionEnded, members[1]))
	}
	again := t.sessionEnd(one)
	again.Revocation = t.telling(1)
	t.mustEndSession(again)
	t.wantNotices(again.Receivers[0])
}

func testAuthorizationNotices(t *trial) {
	one, without, machine := t.inSession(), t.inSession(), t.inSession()
	without.SessionID, machine.Subject = "", ""
	for _, authorization := range []*oauthkit.Authorization{one, without, machine} {
		t.mustSave(authorization)
		revocation := t.telling(2)
		for range 2 {
			_, err := t.RevokeAuthorization(t.ctx, authorization.ID, revocation)
			t.mustSucceed("RevokeAuthorization", err)
			for _, receiver := range revocation.Receivers {
				if authorization == one {
					t.wantNotices(receiver, t.notice(receiver, oauthkit.NoticeAccessRevoked, one))
				} else {
					t.wantNotices(receiver)
				}
			}
			if authorization == one {
				one = nil // the second call saves none
			}
		}
	}
}

func testConsentNotices(t *trial) {
	consent, code := t.mustSaveConsent()
	one, twice, other, without := t.member(code.Authorization), t.member(code.Authorization), t.member(code.Authorization), t.member(code.Authorization)
	one.SessionID, other.SessionID, without.SessionID = newHash(), newHash(), ""
	twice.SessionID = one.SessionID
	sessions := []*oauthkit.Authorization{code.Authorization, without, other, one}
	if code.Authorization.SessionID == "" {
		sessions = sessions[1:]
	}
	for _, authorization := range []*oauthkit.Authorization{one, twice, other, without} {
		t.mustSave(authorization)
	}
	revocation := t.telling(2)
	_, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, revocation)
	t.mustSucceed("RevokeConsent", err)
	t.wantNoticesAbout(revocation, sessions...)
	again := t.telling(1)
	_, err = t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, again)
	t.mustSucceed("RevokeConsent", err)
	t.wantNotices(again.Receivers[0])
}

func testNoNotices(t *trial) {
	one := t.inSession()
	revocation := t.telling(1)
	t.mustSave(one)
	t.mustEndSession(t.sessionEnd(one))
	t.mustRevoke(t.mustSave(t.inSession()).Access.Authorization)
	consent, _ := t.mustSaveConsent()
	_, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
	t.mustSucceed("RevokeConsent", err)
	for _, receiver := range []string{revocation.Receivers[0], ""} {
		t.wantNotices(receiver)
	}
}

// saveNotices saves n notices, one second after the other, and returns their receiver.
func (t *trial) saveNotices(n int) (receiver string) {
	t.Helper()
	revocation := t.telling(1)
	for i := range n {
		authorization := t.inSession()
		t.mustSave(authorization)
		revocation.Now = t.now.Add(time.Duration(i) * time.Second)
		_, err := t.RevokeAuthorization(t.ctx, authorization.ID, revocation)
		t.mustSucceed("RevokeAuthorization", err)
	}
	return revocation.Receivers[0]
}

func testClaimOrder(t *trial) {
	receiver, other := t.saveNotices(5), t.saveNotices(1)
	claim := oauthkit.NoticeClaim{Receiver: receiver, Now: t.now.Add(3 * time.Second), Until: t.now.Add(time.Hour), Limit: 3}
	for i, want := range [][]time.Duration{{0, 1, 2}, {3}, nil} {
		claimed, err := t.notices(t.Store).ClaimNotices(t.ctx, claim)
		t.mustSucceed("ClaimNotices", err)
		var created []time.Duration
		for _, notice := range claimed {
			created = append(created, notice.CreatedAt.Sub(t.now)/time.Second)
		}
		slices.Sort(created)
		if !slices.Equal(created, want) {
			t.Errorf("ClaimNotices, call %d: got those of the seconds %d, want %d", i+1, created, want)
		}
	}
	t.wantEqual("notices of another receiver", len(t.mustClaim(other)), 1)
}

func testClaimLease(t *trial) {
	receiver := t.saveNotices(1)
	first := t.mustClaim(receiver)
	t.now = t.now.Add(time.Minute - time.Microsecond)
	t.wantNotices(receiver)
	t.now = t.now.Add(time.Microsecond)
	again := *first[0]
	again.Attempts, again.DueAt = 2, t.now.Add(time.Minute)
	t.wantNotices(receiver, &again)
	t.wantEqual("Notice.ID", again.ID, first[0].ID)
}

func testRemoveNotice(t *trial) {
	receiver := t.saveNotices(2)
	t.now = t.now.Add(time.Second)
	claimed := t.mustClaim(receiver)
	if len(claimed) != 2 {
		t.Fatalf("ClaimNotices: got %d notices, want 2", len(claimed))
	}
	for _, id := range []string{claimed[0].ID, claimed[0].ID, newHash()} {
		t.mustSucceed("RemoveNotice", t.notices(t.Store).RemoveNotice(t.ctx, id))
	}
	t.now = t.now.Add(time.Hour)
	left := t.mustClaim(receiver)
	if len(left) != 1 || left[0].ID != claimed[1].ID {
		t.Errorf("ClaimNotices, after RemoveNotice: got %d notices, want the other one", len(left))
	}
}

func testPostponeNotice(t *trial) {
	store := t.notices(t.Store)
	receiver := t.saveNotices(1)
	notice := t.mustClaim(receiver)[0]
	later := t.now.Add(10 * time.Second)
	t.mustSucceed("PostponeNotice", store.PostponeNotice(t.ctx, notice.ID, notice.Attempts, later))
	t.now = later.Add(-time.Microsecond)
	t.wantEqual("notices before the time", len(t.mustClaim(receiver)), 0)
	t.now = later
	t.wantEqual("notices at the time", len(t.mustClaim(receiver)), 1)
	t.mustSucceed("PostponeNotice, of an earlier claim", store.PostponeNotice(t.ctx, notice.ID, notice.Attempts, t.now))
	t.wantEqual("notices that are claimed", len(t.mustClaim(receiver)), 0)
	t.mustSucceed("PostponeNotice, unknown", store.PostponeNotice(t.ctx, newHash(), 1, t.now))
}

func testNoticeReplaced(t *trial) {
	one, revocation := t.inSession(), t.telling(1)
	revoke := func() {
		authorization := t.member(one)
		t.mustSave(authorization)
		revocation.Now = t.now
		_, err := t.RevokeAuthorization(t.ctx, authorization.ID, revocation)
		t.mustSucceed("RevokeAuthorization", err)
	}
	revoke()
	older := t.mustClaim(revocation.Receivers[0])[0]
	t.now = t.now.Add(time.Second)
	t.mustSave(t.member(one))
	end := t.sessionEnd(one)
	end.Receivers = revocation.Receivers
	t.mustEndSession(end)
	newer := t.notice(revocation.Receivers[0], oauthkit.NoticeSessionEnded, one)
	t.mustSucceed("RemoveNotice, the older one", t.notices(t.Store).RemoveNotice(t.ctx, older.ID))
	t.mustSucceed("PostponeNotice, the older one", t.notices(t.Store).PostponeNotice(t.ctx, older.ID, 0, t.now.Add(time.Hour)))
	t.wantNotices(revocation.Receivers[0], newer)
	if newer.ID == older.ID {
		t.Errorf("Notice.ID: got that of the older one")
	}
}

func testNoticesBeside(t *trial) {
	one, revocation := t.inSession(), t.telling(2)
	session, user, application := t.member(one), t.member(one), t.member(one)
	session.SessionID, user.Subject, application.ClientID = newHash(), "user-"+secret.NewID(), t.application()
	for _, authorization := range []*oauthkit.Authorization{one, session, user, application} {
		t.mustSave(authorization)
		_, err := t.RevokeAuthorization(t.ctx, authorization.ID, revocation)
		t.mustSucceed("RevokeAuthorization", err)
	}
	for _, receiver := range revocation.Receivers {
		t.wantEqual("notices", len(t.mustClaim(receiver)), 4)
	}
}

func testClaimRace(t *trial) {
	const n, saved = 10, 20
	receiver := t.saveNotices(saved)
	t.now = t.now.Add(time.Minute)
	claimed := make([][]*oauthkit.Notice, n)
	for _, err := range t.race(n, func(i int) (err error) {
		for range saved / 2 {
			var some []*oauthkit.Notice
			some, err = t.notices(t.side(i)).ClaimNotices(t.ctx, oauthkit.NoticeClaim{
				Receiver: receiver, Now: t.now, Until: t.now.Add(time.Hour), Limit: 3,
			})
			claimed[i] = append(claimed[i], some...)
			if err != nil {
				return err
			}
		}
		return nil
	}) {
		t.mustSucceed("ClaimNotices, at the same time as others", err)
	}
	times := map[string]int{}
	for _, notice := range slices.Concat(claimed...) {
		times[notice.ID]++
		t.wantEqual("claims of a notice", times[notice.ID], 1)
	}
	t.wantEqual("claimed notices", len(times), saved)
}

// testReplaceAgainstRemove removes a notice, as after its delivery, while another act
// saves a newer one about the same.
func testReplaceAgainstRemove(t *trial) {
	one, revocation := t.inSession(), t.telling(1)
	second := t.member(one)
	t.mustSave(one)
	t.mustSave(second)
	_, err := t.RevokeAuthorization(t.ctx, one.ID, revocation)
	t.mustSucceed("RevokeAuthorization", err)
	older := t.mustClaim(revocation.Receivers[0])[0]
	removed, replaced := t.pair(
		func(store Store) error { return t.notices(store).RemoveNotice(t.ctx, older.ID) },
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, second.ID, revocation)
			return err
		})
	t.mustSucceed("RemoveNotice, at the same time as an act", removed)
	t.mustSucceed("RevokeAuthorization, at the same time as RemoveNotice", replaced)
	t.wantNotices(revocation.Receivers[0], t.notice(revocation.Receivers[0], oauthkit.NoticeAccessRevoked, one))
}

func testNoticesAtOnce(t *trial) {
	const n = 12
	revocation := t.telling(3)
	one := t.inSession()
	clients := []string{t.client, t.application(), t.application()}
	members := make([]*oauthkit.Authorization, n)
	for i := range members {
		members[i] = t.member(one)
		members[i].ClientID = clients[i%len(clients)]
		t.mustSave(members[i])
	}
	end := t.sessionEnd(one)
	end.Revocation = revocation
	for _, err := range t.race(n, func(i int) (err error) {
		switch i % 3 {
		case 0:
			_, err = t.side(i).EndSession(t.ctx, end)
		case 1:
			_, err = t.side(i).RevokeAuthorization(t.ctx, members[i].ID, revocation)
		default:
			_, err = t.side(i).RevokeConsent(t.ctx, members[i].ClientID, one.Subject, revocation)
		}
		return err
	}) {
		t.mustSucceed("an act, at the same time as others", err)
	}
}

func testCleanupNotices(t *trial) {
	const life = 7 * 24 * time.Hour
	receiver := t.saveNotices(2)
	t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.Add(life)})
	t.now = t.now.Add(time.Second)
	t.wantEqual("notices that are left", len(t.mustClaim(receiver)), 1)
	t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.Add(life)})
	t.now = t.now.Add(time.Minute)
	t.wantEqual("notices that were postponed", len(t.mustClaim(receiver)), 1)
}

// shared returns Authorizations of two users at two applications, which a call of
// RevokeUser or RevokeApplication revokes in part.
func (t *trial) shared() []*oauthkit.Authorization {
	t.Helper()
	one := t.alone().inSession()
	sameUser, sameApplication := t.member(one), t.inSession()
	sameUser.ClientID, sameApplication.ClientID = t.application(), one.ClientID
	otherSession, without := t.member(one), t.member(one)
	otherSession.SessionID, without.SessionID = newHash(), ""
	all := []*oauthkit.Authorization{one, sameUser, sameApplication, otherSession, without, t.member(one)}
	for _, authorization := range all[3:] {
		authorization.ClientID = one.ClientID
	}
	for _, authorization := range all {
		t.mustSave(authorization)
	}
	machine := t.inSession()
	machine.ClientID, machine.Subject = one.ClientID, ""
	t.mustSave(machine)
	return all
}

func testUserNotices(t *trial) {
	all, revocation := t.shared(), t.telling(2)
	_, err := t.users.RevokeUser(t.ctx, all[0].Subject, revocation)
	t.mustSucceed("RevokeUser", err)
	t.wantNoticesAbout(revocation, all[0], all[1], all[3], all[4])
}

func testApplicationNotices(t *trial) {
	all, revocation := t.shared(), t.telling(2)
	_, err := t.users.RevokeApplication(t.ctx, all[0].ClientID, revocation)
	t.mustSucceed("RevokeApplication", err)
	t.wantNoticesAbout(revocation, all[0], all[2], all[3], all[4])
}

// wantNoticesAbout expects a notice about the session of each of these.
func (t *trial) wantNoticesAbout(revocation oauthkit.Revocation, of ...*oauthkit.Authorization) {
	t.Helper()
	slices.SortFunc(of, func(one, other *oauthkit.Authorization) int {
		return cmp.Or(cmp.Compare(one.ClientID, other.ClientID), cmp.Compare(one.Subject, other.Subject), cmp.Compare(one.SessionID, other.SessionID))
	})
	for _, receiver := range revocation.Receivers {
		var want []*oauthkit.Notice
		for _, authorization := range of {
			want = append(want, t.notice(receiver, oauthkit.NoticeAccessRevoked, authorization))
		}
		t.wantNotices(receiver, want...)
	}
}
