package storetest

import (
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
				return users.RevokeUser(t.ctx, of.Subject, t.now)
			},
			func(of, other *oauthkit.Authorization) bool { return of.Subject == other.Subject },
		},
		{
			"RevokeApplication",
			func(t *trial, users oauthkit.AuthorizationManager, of *oauthkit.Authorization) (int, error) {
				return users.RevokeApplication(t.ctx, of.ClientID, t.now)
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
	t.mustSucceed("SaveCode, consent given again", t.SaveCode(t.ctx, approval, code))
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
	t.wantEqual("Consent", t.storedConsent(consent), consent)
}

// testRecycled creates an application with the client_id of an earlier one.
func testRecycled(t *trial) {
	earlier := t.alone()
	earlier.client = secret.NewID() // an application without a row
	consent, code := earlier.mustSaveConsent()
	tokens := earlier.mustSaveTokens()
	t.mustSucceed("CreateApplication", t.apps.CreateApplication(t.ctx, t.model(earlier.client, ""), t.now))
	t.wantNoConsent(consent)
	t.wantError("RedeemCode, of the earlier application", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
	if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("AccessToken, of the earlier application: got one that is alive")
	}
}

// testSwitchedOff disables and deletes applications.
func testSwitchedOff(t *trial) {
	ends := map[string]func(clientID string) error{
		"DeleteApplication": func(clientID string) error { return t.apps.DeleteApplication(t.ctx, clientID, t.now) },
	}
	if canBeDisabled(t.apps.NewApplication()) {
		ends["UpdateApplication, switched off"] = func(clientID string) error {
			off := t.modifiedApplication(clientID, func(with *oauthkit.AbstractApplication) { with.Disabled = true })
			return t.apps.UpdateApplication(t.ctx, off, t.now)
		}
	}
	for name, end := range ends {
		own, other := t.alone(), t.mustSaveTokens()
		consent, code := own.mustSaveConsent()
		tokens := own.mustSaveTokens()
		t.mustSucceed(name, end(own.client))
		t.wantError("RedeemCode, after "+name, t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
		if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
			t.Errorf("AccessToken, after %s: got one that is alive", name)
		}
		t.wantEqual("another application's AccessToken", t.storedAccessToken(other.Access.Hash), other.Access)
		if name == "DeleteApplication" {
			t.wantNoConsent(consent)
			_, err := t.Application(t.ctx, own.client)
			t.wantError("Application, after "+name, err, oauthkit.ErrNotFound)
		}
	}
}

// testTimeOfActs creates, disables and deletes applications at a time other than the
// present.
func testTimeOfActs(t *trial) {
	for _, off := range t.waysToEnd() {
		t := t.alone()
		tokens := t.mustSaveTokens()
		t.now = t.now.Add(time.Hour)
		t.mustSucceed(off.name, off.end(t, t.apps))
		t.wantEqual("RevokedAt, after "+off.name, t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt, t.now)
	}
	earlier := t.alone()
	earlier.client = secret.NewID() // an application without a row
	tokens := earlier.mustSaveTokens()
	t.now = t.now.Add(time.Hour)
	t.mustSucceed("CreateApplication", t.apps.CreateApplication(t.ctx, t.model(earlier.client, ""), t.now))
	t.wantEqual("RevokedAt, after CreateApplication", t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt, t.now)
	if abstract := oauthkit.Abstract(t.mustFind(earlier.client)); abstract != nil {
		t.wantEqual("CreatedAt", abstract.CreatedAt, t.now)
		t.wantEqual("UpdatedAt", abstract.UpdatedAt, t.now)
	}
	created := t.now
	t.now = t.now.Add(time.Hour)
	t.mustSucceed("UpdateApplication", t.apps.UpdateApplication(t.ctx, t.mustFind(earlier.client), t.now))
	if abstract := oauthkit.Abstract(t.mustFind(earlier.client)); abstract != nil {
		t.wantEqual("CreatedAt, after UpdateApplication", abstract.CreatedAt, created)
		t.wantEqual("UpdatedAt, after UpdateApplication", abstract.UpdatedAt, t.now)
	}
}
