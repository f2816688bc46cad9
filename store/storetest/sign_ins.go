package storetest

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// signInRules are the rules of UserAuthorizations.
func signInRules() []rule {
	return []rule{
		{
			"UserAuthorizations returns the valid Authorizations of a user, newest first",
			"users do not see all sign-ins, or see expired ones",
			testUserAuthorizations,
		},
		{
			"UserAuthorizations omits Authorizations without a usable token",
			"users revoke unfinished and expired sign-ins, and cannot find the one that is not theirs",
			testNothingLeft,
		},
		{
			"UserAuthorizations limits the number of results per application",
			"the page of one user exhausts the memory",
			testAtMost,
		},
		{
			"UserAuthorizations omits no application because another one has many Authorizations",
			"users cannot revoke an older approval after many sign-ins elsewhere",
			testEachApplication,
		},
		{
			"UserAuthorizations finds an Authorization of the user by its id, even if many are newer",
			"an old sign-in cannot be revoked, or that of another user can",
			testOneSignIn,
		},
		{
			"UserAuthorizations returns the time at which the last token was issued",
			"users keep unused access, or remove access that they use",
			testLastUsed,
		},
	}
}

func testAtMost(t *trial) {
	first := t.mustSaveTokens().Access.Authorization
	second := t.authorization()
	second.Subject, second.CreatedAt = first.Subject, first.CreatedAt.Add(time.Microsecond)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, second, t.tokens(second)))
	t.wantSignIns(first.Subject, 2, second, first)
	t.wantSignIns(first.Subject, 1, second)
	t.wantSignIns(first.Subject, 0)
}

func testEachApplication(t *trial) {
	oldest := t.mustSaveTokens().Access.Authorization
	var newer []*oauthkit.Authorization
	for i, client := range []string{t.client, t.application(), t.application()} {
		for j := range 3 {
			authorization := t.authorization()
			authorization.ClientID, authorization.Subject = client, oldest.Subject
			authorization.CreatedAt = oldest.CreatedAt.Add(time.Duration(1+3*j+i) * time.Microsecond) // interleaved
			t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, t.tokens(authorization)))
			newer = append(newer, authorization)
		}
	}
	one, second, third := newer[:3], newer[3:6], newer[6:]
	t.wantSignIns(oldest.Subject, 1, third[2], second[2], one[2])
	t.wantSignIns(oldest.Subject, 2, third[2], second[2], one[2], third[1], second[1], one[1])
	t.wantSignIns(oldest.Subject, 4, third[2], second[2], one[2], third[1], second[1], one[1], third[0], second[0], one[0], oldest)
}

func testOneSignIn(t *trial) {
	first := t.mustSaveTokens().Access.Authorization
	second := t.authorization()
	second.Subject, second.CreatedAt = first.Subject, first.CreatedAt.Add(time.Microsecond)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, second, t.tokens(second)))
	others := t.mustSaveTokens().Access.Authorization
	finds := func(subject, id string, limit int, want ...*oauthkit.Authorization) {
		t.Helper()
		t.wantAuthorizations(oauthkit.AuthorizationQuery{Subject: subject, ID: id, Now: t.now, Limit: limit}, want...)
	}
	finds(first.Subject, first.ID, 1, first)
	finds(first.Subject, second.ID, 1, second)
	finds(first.Subject, first.ID, 0)
	finds(first.Subject, others.ID, 1)
	finds(first.Subject, secret.NewID(), 1)
	finds("", first.ID, 1)
	t.mustRevoke(first)
	finds(first.Subject, first.ID, 1)
}

// wantSignIns reports if UserAuthorizations does not return exactly want, in this order.
func (t *trial) wantSignIns(subject string, limit int, want ...*oauthkit.Authorization) {
	t.Helper()
	t.wantAuthorizations(oauthkit.AuthorizationQuery{Subject: subject, Now: t.now, Limit: limit}, want...)
}

func (t *trial) wantAuthorizations(query oauthkit.AuthorizationQuery, want ...*oauthkit.Authorization) {
	t.Helper()
	uses, err := t.users.UserAuthorizations(t.ctx, query)
	t.mustSucceed("UserAuthorizations", err)
	if len(uses) != len(want) {
		t.Errorf("UserAuthorizations, %+v: got %d, want %d", query, len(uses), len(want))
		return
	}
	for i, authorization := range want {
		t.wantEqual("UserAuthorizations", uses[i].Authorization, authorization)
	}
}

func testUserAuthorizations(t *trial) {
	subject := "user-" + secret.NewID()
	var want []*oauthkit.Authorization
	for i, change := range []func(*oauthkit.Authorization){
		func(*oauthkit.Authorization) {},
		func(a *oauthkit.Authorization) { a.ClientID = t.application() },
		func(a *oauthkit.Authorization) { a.ExpiresAt = t.now },
		func(a *oauthkit.Authorization) { a.RevokedAt = t.now },
		func(a *oauthkit.Authorization) { a.ExpiresAt = t.now.Add(time.Microsecond) },
	} {
		authorization := t.authorization()
		authorization.Subject, authorization.CreatedAt = subject, t.now.Add(time.Duration(i-10)*time.Microsecond)
		change(authorization)
		t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, t.tokens(authorization)))
		if authorization.Valid(t.now) {
			want = append(want, authorization)
		}
	}
	slices.Reverse(want)
	t.wantSignIns(subject, 100, want...)
	t.mustRevoke(want[0])
	t.wantSignIns(subject, 100, want[1:]...)
}

func (t *trial) wantLastUsed(what string, of *oauthkit.Authorization, want time.Time) {
	t.Helper()
	uses, err := t.users.UserAuthorizations(t.ctx, oauthkit.AuthorizationQuery{Subject: of.Subject, Now: t.now, Limit: 10})
	t.mustSucceed("UserAuthorizations", err)
	if len(uses) != 1 || !uses[0].LastUsedAt.Equal(want) {
		t.Errorf("LastUsedAt, %s: got %v, want one Authorization with %v", what, uses, want)
	}
}

func testLastUsed(t *trial) {
	code := t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	tokens.Access.IssuedAt = t.now.Add(2 * time.Second)
	tokens.Refresh.IssuedAt = t.now.Add(time.Second)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	t.wantLastUsed("after the code was redeemed", code.Authorization, tokens.Access.IssuedAt)
	successors := t.tokens(code.Authorization)
	successors.Access.IssuedAt = t.now.Add(3 * time.Second)
	successors.Refresh.IssuedAt = t.now.Add(4 * time.Second)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil)))
	t.wantLastUsed("after a refresh", code.Authorization, successors.Refresh.IssuedAt)

	authorization := t.authorization()
	access := t.accessToken(authorization)
	access.IssuedAt = t.now.Add(time.Second)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, oauthkit.Tokens{Access: access}))
	t.wantLastUsed("with an access token alone", authorization, access.IssuedAt)
}
