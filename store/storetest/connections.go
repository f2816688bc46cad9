package storetest

import (
	"slices"
	"strings"

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
	approval := &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: oauthkit.ConsentNew}
	t.mustSucceed("SaveCode with new consent", t.SaveCode(t.ctx, approval, code))
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
		revoked, err := t.users.RevokeUser(t.ctx, subject, t.now)
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
	revoked, err := t.users.RevokeUser(t.ctx, "", t.now)
	t.mustSucceed("RevokeUser", err)
	t.wantEqual("RevokeUser, of nobody", revoked, 0)
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
		"UserConsents":         func() error { _, err := t.users.UserConsents(ctx, consent.Subject); return err },
		"RevokeUser":           func() error { _, err := t.users.RevokeUser(ctx, consent.Subject, t.now); return err },
		"RevokeUser of nobody": func() error { _, err := t.users.RevokeUser(ctx, "", t.now); return err },
		"RevokeApplication":    func() error { _, err := t.users.RevokeApplication(ctx, consent.ClientID, t.now); return err },
	} {
		t.wantFailure(name+", of a caller that has given up", call())
	}
	t.wantEqual("Consent", t.storedConsent(consent), consent)
	if got := t.storedCode(code.Hash).Authorization.RevokedAt; !got.IsZero() {
		t.Errorf("RevokedAt: got %v, want none", got)
	}
}
