package storetest

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/oauthkit/oauthkit"
)

func repeatRules() []rule {
	return []rule{
		{
			"RepeatRefreshToken counts the repeats of a token, and saves the access token if there is one",
			"a shared stolen refresh token is never noticed, or a client gets a token that does not work",
			testRepeat,
		},
		{
			"a repeat returns ErrReplayed if no response is sealed or the successor cannot be used",
			"an attacker with an old token gets tokens beside the client (RFC 9700 §4.14.2)",
			testRepeatReplayed,
		},
		{
			"a repeat beyond the limit returns ErrExhausted, and saves and counts nothing",
			"one old token gives any number of access tokens",
			testRepeatExhausted,
		},
		{
			"a repeat under a revoked Authorization returns ErrRevoked and saves nothing",
			"a session continues after the user revoked it",
			testRepeatRevoked,
		},
		{
			"RepeatRefreshToken counts how many tokens in a row were repeated",
			"two parties that share an Authorization are not noticed, or a client that lost two responses in a year is reported",
			testRepeatGenerations,
		},
		{
			"RepeatRefreshToken does everything or nothing",
			"a repeat is counted without a response, or answered and not counted",
			testRepeatFails,
		},
		{
			"the retry window has its full length by one clock, regardless of the clocks of the instances",
			"a retry at another instance signs the user out, or the window stays open for as long as a clock is behind",
			testRepeatWindow,
		},
		{
			"the clock of a rotation is read after its locks are held",
			"waiting for a lock uses up the retry window, and the client that refreshes is signed out",
			testRotateClock,
		},
		{
			"RevokeAuthorization removes the sealed responses of its tokens",
			"a database dump holds more secrets than necessary",
			testRevokeDropsSealed,
		},
	}
}

func repeatRaces() []rule {
	return []rule{
		{
			"concurrent repeats do not exceed the limit together",
			"one old token gives any number of access tokens at once",
			testRepeatRace,
		},
		{
			"a repeat while the Authorization is revoked leaves no valid token",
			"a token that is saved a moment after the logout stays valid",
			func(t *trial) { t.pairs(100, testRepeatAgainstRevoke) },
		},
	}
}

// mustRotate saves tokens and rotates the refresh token.
func (t *trial) mustRotate() (token, successor *oauthkit.RefreshToken) {
	t.Helper()
	token = t.mustSaveTokens().Refresh
	return token, t.mustRotateAgain(token)
}

func (t *trial) mustRotateAgain(token *oauthkit.RefreshToken) (successor *oauthkit.RefreshToken) {
	t.Helper()
	successors := t.tokens(token.Authorization)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, []byte("sealed"))))
	return successors.Refresh
}

// wantRepeat repeats a token and reports if the counts differ from want.
func (t *trial) wantRepeat(repeat oauthkit.Repeat, want oauthkit.Repeats) {
	t.Helper()
	got, err := t.RepeatRefreshToken(t.ctx, repeat)
	t.mustSucceed("RepeatRefreshToken", err)
	t.wantEqual("Repeats", got, want)
}

// wantNoRepeat repeats a token with a new access token, and reports if the error is
// none of want or the access token is saved.
func (t *trial) wantNoRepeat(what string, repeat oauthkit.Repeat, want ...error) {
	t.Helper()
	repeat.Access = t.accessToken(t.authorization())
	_, err := t.RepeatRefreshToken(t.ctx, repeat)
	t.wantError("RepeatRefreshToken, "+what, err, want...)
	t.wantNoTokens(oauthkit.Tokens{Access: repeat.Access})
}

func testRepeat(t *trial) {
	token, successor := t.mustRotate()
	repeat := t.repeat(token, successor)
	t.wantRepeat(repeat, oauthkit.Repeats{Token: 1, Generations: 1})
	repeat.Access = t.accessToken(token.Authorization)
	repeat.Access.Scopes, repeat.Access.Resources = oauthkit.Scopes{"read"}, oauthkit.URIs{"urn:example:api"}
	t.wantRepeat(repeat, oauthkit.Repeats{Token: 2, Generations: 1})
	t.wantEqual("AccessToken", t.storedAccessToken(repeat.Access.Hash), repeat.Access)
	t.wantEqual("the successor", t.storedRefreshToken(successor.Hash), successor)
	t.wantEqual("Sealed", t.storedRefreshToken(token.Hash).Sealed, []byte("sealed"))
	t.mustRotateAgain(successor)
}

func testRepeatReplayed(t *trial) {
	token, successor := t.mustRotate()
	other, others := t.mustRotate()
	t.wantNoRepeat("with the successor of another", t.repeat(token, others), oauthkit.ErrReplayed)
	t.wantNoRepeat("with an unknown successor", t.repeat(token, t.refreshToken(token.Authorization)), oauthkit.ErrReplayed)
	unused := t.mustSaveTokens().Refresh
	t.wantNoRepeat("of a token that was not used", t.repeat(unused, unused), oauthkit.ErrReplayed)
	unknown := t.refreshToken(token.Authorization)
	t.wantNoRepeat("of an unknown token", t.repeat(unknown, successor), oauthkit.ErrNotFound)
	t.mustRotateAgain(successor)
	t.wantNoRepeat("after the successor was used", t.repeat(token, successor), oauthkit.ErrReplayed)

	silent, silentSuccessors := t.mustSaveTokens().Refresh, t.tokens(other.Authorization)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(silent.Hash, silentSuccessors, nil)))
	t.wantNoRepeat("of a token without anything sealed", t.repeat(silent, silentSuccessors.Refresh), oauthkit.ErrReplayed)
	t.wantRepeat(t.repeat(other, others), oauthkit.Repeats{Token: 1, Generations: 1})
}

func testRepeatExhausted(t *trial) {
	token, successor := t.mustRotate()
	repeat := t.repeat(token, successor)
	for i := range repeat.Limit {
		t.wantRepeat(repeat, oauthkit.Repeats{Token: i + 1, Generations: 1})
	}
	for range 2 {
		t.wantNoRepeat("beyond the limit", repeat, oauthkit.ErrExhausted)
	}
	repeat.Limit++
	t.wantRepeat(repeat, oauthkit.Repeats{Token: repeat.Limit, Generations: 1})
	t.mustRotateAgain(successor)
	t.wantNoRepeat("beyond the limit, after the successor was used", repeat, oauthkit.ErrReplayed)
}

func testRepeatRevoked(t *trial) {
	token, successor := t.mustRotate()
	t.mustRevoke(token.Authorization)
	t.wantNoRepeat("revoked", t.repeat(token, successor), oauthkit.ErrRevoked)

	consent, code := t.mustSaveConsent()
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	successor = t.mustRotateAgain(tokens.Refresh)
	_, err := t.RevokeConsent(t.ctx, consent.ClientID, consent.Subject, t.revocation())
	t.mustSucceed("RevokeConsent", err)
	t.wantNoRepeat("whose consent was revoked", t.repeat(tokens.Refresh, successor), oauthkit.ErrRevoked)
}

func testRepeatGenerations(t *trial) {
	token, successor := t.mustRotate()
	for _, generations := range []int{1, 2, 3, 4, 0, 1, 2} { // 0: the client received the response
		for i := range min(generations, 2) {
			t.wantRepeat(t.repeat(token, successor), oauthkit.Repeats{Token: i + 1, Generations: generations})
		}
		token, successor = successor, t.mustRotateAgain(successor)
	}
}

func testRepeatFails(t *trial) {
	existing := t.mustSaveTokens().Access
	token, successor := t.mustRotate()
	repeat := t.repeat(token, successor)
	repeat.Access = t.accessToken(token.Authorization)
	repeat.Access.Hash = existing.Hash
	_, err := t.RepeatRefreshToken(t.ctx, repeat)
	t.wantFailure("RepeatRefreshToken, with an access token that exists", err)
	t.wantEqual("the token that exists", t.storedAccessToken(existing.Hash), existing)
	repeat.Access = nil
	t.wantRepeat(repeat, oauthkit.Repeats{Token: 1, Generations: 1})
}

// testRepeatWindow detects whether the store has its own clock. A store without one
// gets the time from the act, and its instances share the clock of a machine.
func testRepeatWindow(t *trial) {
	token, told := t.mustSaveTokens().Refresh, false
	successors := t.tokens(token.Authorization)
	rotation := t.rotation(token.Hash, successors, []byte("sealed"))
	rotation.Now = func() time.Time { told = true; return t.now }
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, rotation))
	repeat := t.repeat(token, successors.Refresh)
	if !told {
		t.ownWindow(repeat)
		return
	}
	t.wantEqual("ConsumedAt", t.storedRefreshToken(token.Hash).ConsumedAt, t.now)
	for i, open := range []time.Duration{0, rotation.Window, -time.Second} {
		repeat.Now = at(t.now.Add(open))
		t.wantRepeat(repeat, oauthkit.Repeats{Token: i + 1, Generations: 1})
	}
	for _, over := range []time.Duration{rotation.Window + time.Microsecond, time.Hour, -time.Minute - time.Microsecond} {
		repeat.Now = at(t.now.Add(over))
		t.wantNoRepeat("outside of the window", repeat, oauthkit.ErrReplayed)
	}
}

// ownWindow checks that a store with its own clock uses it, with clocks of instances
// that differ by minutes.
func (t *trial) ownWindow(repeat oauthkit.Repeat) {
	for i, skew := range []time.Duration{-5 * time.Minute, 5 * time.Minute, 24 * time.Hour} {
		repeat.Now = at(t.now.Add(skew))
		got, err := t.side(i).RepeatRefreshToken(t.ctx, repeat)
		t.mustSucceed("RepeatRefreshToken, by another clock", err)
		t.wantEqual("Repeats", got.Token, i+1)
	}
	token := t.mustSaveTokens().Refresh
	rotation := t.rotation(token.Hash, t.tokens(token.Authorization), []byte("sealed"))
	rotation.Window = 0
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, rotation))
	over := t.repeat(token, rotation.Successors.Refresh)
	over.Limit = 1 << 30
	for { // until the store's clock has moved by a microsecond
		_, err := t.RepeatRefreshToken(t.ctx, over)
		t.wantError("RepeatRefreshToken, at the end of the window", err, nil, oauthkit.ErrReplayed)
		if err != nil {
			return
		}
	}
}

// testRotateClock has instances whose clocks differ by minutes use one token
// concurrently. If two calls of Now overlap, the store does not hold a lock while it
// reads the time.
func testRotateClock(t *trial) {
	for range 20 {
		const n = 8
		token := t.mustSaveTokens().Refresh
		successors := t.tokensOfEach(n, token.Authorization)
		var asking, asked atomic.Int64
		winner := t.wantOneWinner("RotateRefreshToken", t.race(n, func(i int) error {
			rotation := t.rotation(token.Hash, successors[i], []byte("sealed"))
			rotation.Now = func() time.Time {
				asked.Add(1)
				if asking.Add(1) > 1 {
					t.Errorf("RotateRefreshToken: Now was called while another call on this token was in Now")
				}
				defer asking.Add(-1)
				for range 100 {
					runtime.Gosched()
				}
				return t.now.Add(time.Duration(i-n/2) * time.Minute)
			}
			return t.side(i).RotateRefreshToken(t.ctx, rotation)
		}))
		if asked.Load() > 0 {
			t.wantEqual("ConsumedAt", t.storedRefreshToken(token.Hash).ConsumedAt, t.now.Add(time.Duration(winner-n/2)*time.Minute))
		}
	}
}

func testRevokeDropsSealed(t *trial) {
	token, _ := t.mustRotate()
	other, _ := t.mustRotate()
	t.mustRevoke(token.Authorization)
	t.wantEqual("Sealed, of what was revoked", t.storedRefreshToken(token.Hash).Sealed, []byte(nil))
	t.wantEqual("Sealed, of another Authorization", t.storedRefreshToken(other.Hash).Sealed, []byte("sealed"))
}

func testRepeatRace(t *trial) {
	const n, limit = 40, 5
	token, successor := t.mustRotate()
	repeats := make([]oauthkit.Repeat, n)
	for i := range repeats {
		repeats[i] = t.repeat(token, successor)
		repeats[i].Limit, repeats[i].Access = limit, t.accessToken(token.Authorization)
	}
	successes := 0
	for i, err := range t.race(n, func(i int) error {
		_, err := t.side(i).RepeatRefreshToken(t.ctx, repeats[i])
		return err
	}) {
		t.wantError("RepeatRefreshToken, at once", err, nil, oauthkit.ErrExhausted)
		if err != nil {
			t.wantNoTokens(oauthkit.Tokens{Access: repeats[i].Access})
			continue
		}
		successes++
		t.wantEqual("AccessToken", t.storedAccessToken(repeats[i].Access.Hash), repeats[i].Access)
	}
	t.wantEqual("repeats that succeeded", successes, limit)
}

func testRepeatAgainstRevoke(t *trial) {
	token, successor := t.mustRotate()
	repeat := t.repeat(token, successor)
	repeat.Access = t.accessToken(token.Authorization)
	repeated, revoked := t.pair(
		func(store Store) error { _, err := store.RepeatRefreshToken(t.ctx, repeat); return err },
		func(store Store) error {
			_, err := store.RevokeAuthorization(t.ctx, token.Authorization.ID, t.revocation())
			return err
		})
	t.mustSucceed("RevokeAuthorization", revoked)
	t.wantError("RepeatRefreshToken, against RevokeAuthorization", repeated, nil, oauthkit.ErrRevoked)
	if repeated != nil {
		t.wantNoTokens(oauthkit.Tokens{Access: repeat.Access})
	} else if t.storedAccessToken(repeat.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("RepeatRefreshToken, against RevokeAuthorization: got a live access token, want none")
	}
}
