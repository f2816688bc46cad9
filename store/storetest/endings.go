package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// ending is an act that ends everything of somebody.
type ending struct {
	name string
	// end ends all of the user, or of the application, of an Authorization.
	end func(t *trial, users oauthkit.AuthorizationManager, of *oauthkit.Authorization) (revoked int, err error)
	// ends reports whether that ends another Authorization as well.
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

// endingRules are what RevokeUser and RevokeApplication promise.
func endingRules() []rule {
	var rules []rule
	for _, e := range endings() {
		rules = append(rules, []rule{
			{
				e.name + " forgets all consent and revokes every Authorization, and leaves others alone",
				"who was thrown out still has access, or everybody is thrown out",
				e.testEnds,
			},
			{
				e.name + " counts those only that were not revoked before, and keeps when they were",
				"the audit log holds another time than when access ended",
				e.testEndsOnce,
			},
			{
				e.name + ": what ended can be approved again",
				"a user who comes back, or an application that was cleared, is locked out for ever",
				e.testApprovedAgain,
			},
			{
				e.name + ": a code that is saved at the same time under consent that was known is refused, or revoked with it",
				"a request that had looked at the consent a moment before outlives it",
				func(t *trial) {
					t.pairs(60, func(t *trial) { e.testAgainstKnown(t, oauthkit.ConsentRemembered) })
					t.pairs(60, func(t *trial) { e.testAgainstKnown(t, oauthkit.ConsentWidened) })
				},
			},
			{
				e.name + ": consent that is given at the same time lives together with its Authorization, or neither does",
				"the connected-apps page does not show what is alive, or shows what is not",
				func(t *trial) { t.pairs(100, e.testAgainstGiven) },
			},
			{
				e.name + ": tokens that are saved at the same time are refused, or revoked if and only if they are counted",
				"the operator is told that an application has nothing any more, and it has",
				func(t *trial) { t.pairs(60, e.testAgainstTokens) },
			},
			{
				e.name + ": what is refreshed at the same time is not alive afterwards",
				"a session goes on that everybody believes to be over",
				func(t *trial) { t.pairs(100, e.testAgainstRefresh) },
			},
			{
				e.name + ": of any number of concurrent calls exactly one counts each Authorization",
				"the audit log holds several revocations, or none",
				e.testEndRace,
			},
		}...)
	}
	return append(rules, rule{
		"users, applications and consents that are revoked on the same rows at once all come to an end",
		"a deadlock turns an incident into errors, in which nothing is revoked",
		testEndingsAtOnce,
	})
}

// alone returns a trial that has an application of its own.
func (t *trial) alone() *trial {
	own := *t
	own.client = t.application()
	return &own
}

// issued is all that an application has from a user.
type issued struct {
	consent *oauthkit.Consent
	code    *oauthkit.AuthorizationCode
	tokens  oauthkit.Tokens // of another Authorization, without consent
}

// grid lets two users approve two applications.
func (t *trial) grid() []issued {
	var all []issued
	users := []string{"user-" + secret.NewID(), "user-" + secret.NewID()}
	for _, clientID := range []string{t.application(), t.application()} {
		for _, subject := range users {
			consent, code := t.approved(clientID, subject)
			authorization := t.authorization()
			authorization.ClientID, authorization.Subject = clientID, subject
			tokens := t.tokens(authorization)
			t.done("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
			all = append(all, issued{consent, code, tokens})
		}
	}
	return all
}

func (e ending) ended(t *trial, want int, of *oauthkit.Authorization) {
	t.Helper()
	revoked, err := e.end(t, t.users, of)
	t.done(e.name, err)
	t.same(e.name, revoked, want)
}

func (e ending) testEnds(t *trial) {
	all := t.grid()
	e.ended(t, 4, all[0].code.Authorization)
	for _, each := range all {
		authorization := each.code.Authorization
		var want time.Time
		if e.ends(all[0].code.Authorization, authorization) {
			want = t.now
			t.noConsent(each.consent)
		} else {
			t.same("Consent", t.storedConsent(each.consent), each.consent)
		}
		t.same("RevokedAt, of a code", t.storedCode(each.code.Hash).Authorization.RevokedAt, want)
		t.same("RevokedAt, without consent", t.storedRefreshToken(each.tokens.Refresh.Hash).Authorization.RevokedAt, want)
	}
}

func (e ending) testEndsOnce(t *trial) {
	all := t.grid()
	of, first := all[0].code.Authorization, t.now
	t.revoked(of)
	t.now = first.Add(time.Hour)
	e.ended(t, 3, of)
	e.ended(t, 0, of)
	t.same("RevokedAt", t.storedCode(all[0].code.Hash).Authorization.RevokedAt, first)
}

func (e ending) testApprovedAgain(t *trial) {
	t = t.alone()
	consent, code := t.savedConsent()
	e.ended(t, 1, code.Authorization)
	approval, code := t.under(consent)
	approval.ConsentUse = oauthkit.ConsentNew
	t.done("SaveCode, consent given again", t.SaveCode(t.ctx, approval, code))
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now))
	t.same("Consent", t.storedConsent(consent), consent)
}

// testRecycled ends an application by creating another one with its client_id.
func testRecycled(t *trial) {
	earlier := t.alone()
	earlier.client = secret.NewID() // of an application whose row is not there
	consent, code := earlier.savedConsent()
	tokens := earlier.savedTokens()
	t.done("CreateApplication", t.apps.CreateApplication(t.ctx, t.model(earlier.client, ""), t.now))
	t.noConsent(consent)
	t.answered("RedeemCode, of the earlier application", t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
	if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("AccessToken, of the earlier application: got one that is alive")
	}
}

// testSwitchedOff ends an application by switching it off, and by deleting it.
func testSwitchedOff(t *trial) {
	ends := map[string]func(clientID string) error{
		"DeleteApplication": func(clientID string) error { return t.apps.DeleteApplication(t.ctx, clientID, t.now) },
	}
	if canBeOff(t.apps.NewApplication()) {
		ends["UpdateApplication, switched off"] = func(clientID string) error {
			off := t.changed(clientID, func(with *oauthkit.AbstractApplication) { with.Disabled = true })
			return t.apps.UpdateApplication(t.ctx, off, t.now)
		}
	}
	for name, end := range ends {
		own, other := t.alone(), t.savedTokens()
		consent, code := own.savedConsent()
		tokens := own.savedTokens()
		t.done(name, end(own.client))
		t.answered("RedeemCode, after "+name, t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
		if t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt.IsZero() {
			t.Errorf("AccessToken, after %s: got one that is alive", name)
		}
		t.same("another application's AccessToken", t.storedAccessToken(other.Access.Hash), other.Access)
		if name == "DeleteApplication" {
			t.noConsent(consent)
			_, err := t.Application(t.ctx, own.client)
			t.answered("Application, after "+name, err, oauthkit.ErrNotFound)
		}
	}
}

// testTimeOfActs has applications created, disabled and deleted at a time that is not the present.
func testTimeOfActs(t *trial) {
	for _, off := range t.offs() {
		t := t.alone()
		tokens := t.savedTokens()
		t.now = t.now.Add(time.Hour)
		t.done(off.name, off.end(t, t.apps))
		t.same("RevokedAt, after "+off.name, t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt, t.now)
	}
	earlier := t.alone()
	earlier.client = secret.NewID() // of an application whose row is not there
	tokens := earlier.savedTokens()
	t.now = t.now.Add(time.Hour)
	t.done("CreateApplication", t.apps.CreateApplication(t.ctx, t.model(earlier.client, ""), t.now))
	t.same("RevokedAt, after CreateApplication", t.storedAccessToken(tokens.Access.Hash).Authorization.RevokedAt, t.now)
	if abstract := oauthkit.Abstract(t.found(earlier.client)); abstract != nil {
		t.same("CreatedAt", abstract.CreatedAt, t.now)
		t.same("UpdatedAt", abstract.UpdatedAt, t.now)
	}
	created := t.now
	t.now = t.now.Add(time.Hour)
	t.done("UpdateApplication", t.apps.UpdateApplication(t.ctx, t.found(earlier.client), t.now))
	if abstract := oauthkit.Abstract(t.found(earlier.client)); abstract != nil {
		t.same("CreatedAt, after UpdateApplication", abstract.CreatedAt, created)
		t.same("UpdatedAt, after UpdateApplication", abstract.UpdatedAt, t.now)
	}
}
