package storetest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
)

// race runs act in n goroutines and returns their errors. All goroutines exist before
// the first one starts.
func (t *trial) race(n int, act func(i int) error) []error {
	var ready, done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, n)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = act(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// side returns the instance for a participant of a race: participants alternate between
// the two.
func (t *trial) side(i int) Store {
	if i%2 == 0 {
		return t.Store
	}
	return t.second
}

// pair runs two acts concurrently on two instances.
func (t *trial) pair(first, second func(Store) error) (firstErr, secondErr error) {
	errs := t.race(2, func(i int) error {
		if i == 0 {
			return first(t.Store)
		}
		return second(t.second)
	})
	return errs[0], errs[1]
}

// pairs runs n pairs of acts, a few at a time, so that pairs also compete with each
// other.
func (t *trial) pairs(n int, hold func(*trial)) {
	const lanes = 4
	lane := *t
	lane.TB = laneReporter{t.TB}
	t.race(lanes, func(int) error {
		for range n / lanes {
			hold(&lane)
		}
		return nil
	})
}

// laneReporter ends its own goroutine on Fatalf, because only the goroutine of a test
// may end a [testing.T].
type laneReporter struct{ rapid.TB }

func (l laneReporter) Fatalf(format string, args ...any) {
	l.Helper()
	l.Errorf(format, args...)
	runtime.Goexit()
}

// wantOneWinner returns the index of the winner of a race. It reports errors other than
// one nil and otherwise ErrReplayed.
func (t *trial) wantOneWinner(act string, errs []error) int {
	t.Helper()
	winner, winners := 0, 0
	for i, err := range errs {
		t.wantError(act, err, nil, oauthkit.ErrReplayed)
		if err == nil {
			winner = i
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%s, %d at once: got %d successes, want exactly 1", act, len(errs), winners)
	}
	return winner
}

func otherRaces() []rule {
	return []rule{
		{
			"an interaction that is approved and denied concurrently is decided once",
			"a code is issued for a request that the user denied",
			func(t *trial) { t.pairs(40, testApproveAgainstDeny) },
		},
		{
			"exactly one of many concurrent approvals of an interaction succeeds",
			"a double click issues two codes",
			testApproveRace,
		},
		{
			"exactly one of many concurrent AddSigningKey calls of one generation succeeds",
			"instances that start together sign with keys that the others do not publish",
			withoutKeys(testKeyRace),
		},
		{
			"concurrent SharedSecret calls return the same secret",
			"data sealed by one instance cannot be opened by another",
			testSharedSecretRace,
		},
		{
			"concurrent saves of one user's interactions succeed, and the next save enforces the limit",
			"one account fills the database, or a busy user gets errors",
			testInteractionLimitRace,
		},
		{
			"concurrent acts on the same rows do not deadlock in any order",
			"under load, deadlocks become errors",
			testEverythingAtOnce,
		},
	}
}

func testApproveAgainstDeny(t *trial) {
	interaction := t.mustSaveInteraction()
	approval, code := t.approval(interaction.Hash)
	approved, denied := t.pair(
		func(store Store) error { return store.SaveApproval(t.ctx, approval) },
		func(store Store) error { return store.ConsumeInteraction(t.ctx, interaction.Hash, t.now) })
	t.wantOneWinner("SaveApproval against ConsumeInteraction", []error{approved, denied})
	if approved != nil {
		t.wantNoCode(code)
		t.wantNoConsent(approval.Consent)
	}
}

func testApproveRace(t *trial) {
	const n = 20
	interaction := t.mustSaveInteraction()
	approvals, codes := make([]*oauthkit.Approval, n), make([]*oauthkit.AuthorizationCode, n)
	for i := range n {
		approvals[i], codes[i] = t.approval(interaction.Hash)
	}
	winner := t.wantOneWinner("SaveApproval of one interaction", t.race(n, func(i int) error {
		return t.side(i).SaveApproval(t.ctx, approvals[i])
	}))
	for i := range n {
		if i == winner {
			t.storedCode(codes[i].Hash)
			t.storedConsent(approvals[i].Consent)
		} else {
			t.wantNoCode(codes[i])
			t.wantNoConsent(approvals[i].Consent)
		}
	}
}

func testKeyRace(t *trial) {
	const n = 20
	keys := make([]*oauthkit.SigningKey, n)
	for i := range keys {
		keys[i] = t.key("RS256", 7)
	}
	winner := t.wantOneWinner("AddSigningKey", t.race(n, func(i int) error {
		return t.side(i).AddSigningKey(t.ctx, keys[i])
	}))
	t.wantEqual("SigningKeys", len(t.keys()), 1)
	t.wantEqual("SigningKey", t.keys()[keys[winner].ID], keys[winner])
}

func testSharedSecretRace(t *trial) {
	const n = 20
	proposed, secrets := make([]string, n), make([]string, n)
	for i := range proposed {
		proposed[i] = newHash()
	}
	for _, err := range t.race(n, func(i int) (err error) {
		secrets[i], err = t.side(i).SharedSecret(t.ctx, proposed[i])
		return err
	}) {
		t.mustSucceed("SharedSecret", err)
	}
	if !slices.Contains(proposed, secrets[0]) {
		t.Errorf("SharedSecret: got none of those that were proposed")
	}
	if different := slices.Compact(slices.Clone(secrets)); len(different) > 1 {
		t.Errorf("SharedSecret, %d at once: got %d different ones, want one", n, len(different))
	}
}

func testInteractionLimitRace(t *trial) {
	const n, limit = 20, 4
	saved := make([]*oauthkit.Interaction, 2*n)
	browser, user := newHash(), newHash()
	for i := range saved {
		saved[i] = t.interaction()
		saved[i].BrowserHash, saved[i].Subject = browser, user
		saved[i].CreatedAt = t.now.Add(time.Duration(i) * time.Microsecond)
	}
	for _, old := range saved[:n] {
		t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, old, n))
	}
	for i, err := range t.race(len(saved), func(i int) error {
		if i < n { // these may have been removed: decide one concurrently
			return t.side(i).ConsumeInteraction(t.ctx, saved[i].Hash, t.now)
		}
		return t.side(i).SaveInteraction(t.ctx, saved[i], limit)
	}) {
		if i < n {
			t.wantError("ConsumeInteraction", err, nil, oauthkit.ErrNotFound)
		} else {
			t.mustSucceed("SaveInteraction", err)
		}
	}
	last := t.interaction()
	last.BrowserHash, last.Subject, last.CreatedAt = browser, user, t.now.Add(time.Hour)
	t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, last, limit))
	open := 0
	for _, interaction := range append(saved, last) {
		stored, err := t.Interaction(t.ctx, interaction.Hash)
		t.wantError("Interaction", err, nil, oauthkit.ErrNotFound)
		if err == nil && stored.ConsumedAt.IsZero() {
			open++
		}
	}
	if open > limit {
		t.Errorf("SaveInteraction: got %d open ones, want at most %d", open, limit)
	}
}

// testEverythingAtOnce runs two of each act concurrently on one user's rows. Each must
// return, with one of the contract's errors if it came too late.
func testEverythingAtOnce(t *trial) {
	for range 10 {
		consent, code := t.mustSaveConsent()
		approval, open := t.approvalUnder(consent)
		t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, approval))
		tokens := t.tokens(code.Authorization)
		t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
		successors := t.tokens(code.Authorization)
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, []byte("sealed"))))
		acts := append(t.actsOn(consent, open, successors.Refresh), func(store Store) error {
			_, err := store.RepeatRefreshToken(t.ctx, t.repeat(tokens.Refresh, successors.Refresh))
			return err
		})
		for i, err := range t.race(2*len(acts), func(i int) error { return acts[i%len(acts)](t.side(i / len(acts))) }) {
			t.wantError(fmt.Sprintf("act %d of all at once", i%len(acts)), err, nil, oauthkit.ErrReplayed, oauthkit.ErrRevoked)
		}
	}
}

func (t *trial) actsOn(consent *oauthkit.Consent, code *oauthkit.AuthorizationCode, token *oauthkit.RefreshToken) []func(Store) error {
	approve := func(use oauthkit.ConsentUse) func(Store) error {
		return func(store Store) error {
			approval, _ := t.approvalUnder(consent)
			approval.ConsentUse = use
			return store.SaveApproval(t.ctx, approval)
		}
	}
	return []func(Store) error{
		approve(oauthkit.ConsentRemembered),
		approve(oauthkit.ConsentNew),
		approve(oauthkit.ConsentWidened),
		func(store Store) error {
			return store.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now)
		},
		func(store Store) error {
			return store.RotateRefreshToken(t.ctx, t.rotation(token.Hash, t.tokens(token.Authorization), []byte("sealed")))
		},
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, code.Authorization.ID, t.revocation())
			return err
		},
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, token.Authorization.ID, t.revocation())
			return err
		},
		func(store Store) error {
			_, err := store.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
			return err
		},
		func(store Store) error {
			_, err := store.Cleanup(t.ctx, oauthkit.CleanupLimits{Now: t.now, Batch: 10})
			return err
		},
	}
}
