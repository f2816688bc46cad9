package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// connectionRules are the rules of an [oauthkit.AuthorizationManager].
func connectionRules() []rule {
	return append(signInRules(), []rule{
		{
			"UserConsents returns the Consents of a user in the order of the client_ids",
			"users cannot revoke a Consent that they do not see",
			testUserConsents,
		},
		{
			"users see and revoke only their own rows, compared byte by byte",
			"one user sees or revokes the sign-ins of another",
			testOnlyOnesOwn,
		},
		{
			"Authorizations of applications for themselves belong to no user",
			"a host that passes an empty subject signs out all servers",
			testNobody,
		},
		{
			"UserAuthorizations and UserConsents return copies",
			"a page modifies stored rows",
			testConnectionCopies,
		},
		{
			"managing Authorizations returns an error and does nothing when it fails",
			"the host believes that a user has no sign-ins left while the database is down",
			testConnectionFailure,
		},
	}...)
}

func testUserConsents(t *trial) {
	first, _ := t.mustSaveConsent()
	want := []*oauthkit.Consent{first}
	for range 3 {
		consent, _ := t.approve(t.application(), first.Subject)
		want = append(want, consent)
	}
	t.approve(t.client, "user-"+secret.NewID())
	slices.SortFunc(want, func(one, other *oauthkit.Consent) int { return strings.Compare(one.ClientID, other.ClientID) })
	t.wantConsents(first.Subject, want...)
	t.wantConsents("user-" + secret.NewID())
}

// wantConsents reports if UserConsents does not return exactly want, in this order.
func (t *trial) wantConsents(subject string, want ...*oauthkit.Consent) {
	t.Helper()
	got, err := t.users.UserConsents(t.ctx, subject)
	t.mustSucceed("UserConsents", err)
	if len(got) != len(want) {
		t.Errorf("UserConsents: got %d, want %d", len(got), len(want))
		return
	}
	for i, consent := range got {
		t.wantEqual("UserConsents", consent, want[i])
	}
}

// approve saves a Consent of a user for an application, with an Authorization and a code.
func (t *trial) approve(clientID, subject string) (*oauthkit.Consent, *oauthkit.AuthorizationCode) {
	t.Helper()
	authorization := t.authorization()
	authorization.ClientID, authorization.Subject = clientID, subject
	consent, code := t.consent(authorization), t.code(authorization)
	approval := &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: oauthkit.ConsentNew, Code: code}
	t.mustSucceed("SaveApproval with new consent", t.SaveApproval(t.ctx, approval))
	authorization.ConsentID = consent.ID
	return consent, code
}

func testOnlyOnesOwn(t *trial) {
	base := "user-" + secret.NewID()
	subjects := []string{base + "a", base + "A", base + "a ", base + "%", base + "_", base + "\u00e9", base + "e\u0301"}
	for _, subject := range subjects {
		_, code := t.approve(t.client, subject)
		t.mustRedeem(code)
	}
	for i, subject := range subjects {
		uses, err := t.users.UserAuthorizations(t.ctx, oauthkit.AuthorizationQuery{Subject: subject, Now: t.now, Limit: 10})
		t.mustSucceed("UserAuthorizations", err)
		consents, err := t.users.UserConsents(t.ctx, subject)
		t.mustSucceed("UserConsents", err)
		if len(uses) != 1 || uses[0].Subject != subject || len(consents) != 1 || consents[0].Subject != subject {
			t.Errorf("what user %d of %q has: got %d Authorizations and %d consents, want his one of each", i, subjects, len(uses), len(consents))
		}
		revoked, err := t.users.RevokeUser(t.ctx, subject, t.revocation())
		t.mustSucceed("RevokeUser", err)
		t.wantEqual("RevokeUser", revoked, 1)
	}
}

func testNobody(t *trial) {
	authorization := t.authorization()
	authorization.Subject = ""
	tokens := t.tokens(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	t.wantSignIns("", 10)
	t.wantConsents("")
	revoked, err := t.users.RevokeUser(t.ctx, "", t.revocation())
	t.mustSucceed("RevokeUser", err)
	t.wantEqual("RevokeUser, empty subject", revoked, 0)
	t.wantEqual("AccessToken", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
}

func testConnectionCopies(t *trial) {
	consent, code := t.approve(t.client, "user-"+secret.NewID())
	t.mustRedeem(code)
	uses, err := t.users.UserAuthorizations(t.ctx, oauthkit.AuthorizationQuery{Subject: consent.Subject, Now: t.now, Limit: 1})
	t.mustSucceed("UserAuthorizations", err)
	consents, err := t.users.UserConsents(t.ctx, consent.Subject)
	t.mustSucceed("UserConsents", err)
	if len(uses) != 1 || len(consents) != 1 {
		t.Fatalf("got %d Authorizations and %d consents, want 1 and 1", len(uses), len(consents))
	}
	uses[0].Subject, uses[0].Scopes[0], uses[0].Params["nonce"] = "mallory", "admin", "another"
	consents[0].Subject, consents[0].Scopes[0] = "mallory", "admin"
	want := t.authorization()
	want.ID, want.ClientID, want.Subject, want.ConsentID = code.Authorization.ID, t.client, consent.Subject, consent.ID
	t.wantSignIns(consent.Subject, 1, want)
	again, err := t.users.UserConsents(t.ctx, consent.Subject)
	t.mustSucceed("UserConsents", err)
	if len(again) != 1 || again[0].Subject != consent.Subject || again[0].Scopes[0] != want.Scopes[0] {
		t.Errorf("UserConsents, after a change of what was returned: got %+v, want what was stored", again)
	}
}

func testConnectionFailure(t *trial) {
	consent, code := t.mustSaveConsent()
	ctx := t.failing().ctx
	for name, call := range map[string]func() error{
		"UserAuthorizations": func() error {
			_, err := t.users.UserAuthorizations(ctx, oauthkit.AuthorizationQuery{Subject: consent.Subject, Now: t.now, Limit: 10})
			return err
		},
		"UserConsents":              func() error { _, err := t.users.UserConsents(ctx, consent.Subject); return err },
		"RevokeUser":                func() error { _, err := t.users.RevokeUser(ctx, consent.Subject, t.revocation()); return err },
		"RevokeUser, empty subject": func() error { _, err := t.users.RevokeUser(ctx, "", t.revocation()); return err },
		"RevokeApplication":         func() error { _, err := t.users.RevokeApplication(ctx, consent.ClientID, t.revocation()); return err },
	} {
		t.wantFailure(name+", of a caller that has given up", call())
	}
	t.wantEqual("Consent", t.storedConsent(consent), consent)
	if got := t.storedCode(code.Hash).Authorization.RevokedAt; !got.IsZero() {
		t.Errorf("RevokedAt: got %v, want none", got)
	}
}

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

func testNothingLeft(t *trial) {
	code := t.mustSaveCode()
	subject, begun := code.Authorization.Subject, t.now
	t.wantSignIns(subject, 10) // the code may never be redeemed
	tokens := t.tokens(code.Authorization)
	tokens.Access.ExpiresAt, tokens.Refresh.ExpiresAt = begun.Add(time.Minute), begun.Add(time.Hour)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, begun))
	t.now = tokens.Access.ExpiresAt
	t.wantSignIns(subject, 10, code.Authorization)
	successors := t.tokens(code.Authorization)
	successors.Access.ExpiresAt, successors.Refresh.ExpiresAt = begun.Add(3*time.Minute), begun.Add(2*time.Minute)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil)))
	t.now = successors.Refresh.ExpiresAt // its predecessor is consumed
	t.wantSignIns(subject, 10, code.Authorization)
	t.now = successors.Access.ExpiresAt
	t.wantSignIns(subject, 10)
}
