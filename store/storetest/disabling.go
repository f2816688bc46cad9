package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// disablingRules are about disabling and deleting applications during requests.
func disablingRules() []rule {
	return []rule{
		{
			"nothing is saved for an application after it was disabled or deleted",
			"a request that read the application before saves a token that is never revoked",
			testNothingIssued,
		},
		{
			"rows saved while an application is disabled or deleted are refused or revoked",
			"a disabled application keeps the tokens saved at that moment, and its refresh tokens work when it is enabled again",
			func(t *trial) {
				for _, off := range t.waysToEnd() {
					for _, way := range waysToSave() {
						t.pairs(12, func(t *trial) { testSavedWhile(t, off, way) })
					}
				}
			},
		},
		{
			"rows saved while disabling or deleting waits for a lock are refused or revoked",
			"an application with very many rows gets tokens for minutes that are never revoked",
			testSavedWhileHeld,
		},
		{
			"an application that is enabled or created again gets tokens, and older ones stay revoked",
			"an application that was disabled by mistake is lost, or one that was disabled for a reason regains its old tokens",
			testEnabledAgain,
		},
	}
}

// off is a way to disable or delete an application.
type off struct {
	name    string
	deletes bool
	end     func(t *trial, apps oauthkit.ApplicationManager) error
}

// waysToEnd returns the ways to disable or delete an application.
func (t *trial) waysToEnd() []off {
	offs := []off{{"DeleteApplication", true, func(t *trial, apps oauthkit.ApplicationManager) error {
		return apps.DeleteApplication(t.ctx, t.client, t.now)
	}}}
	if canBeDisabled(t.apps.NewApplication()) {
		offs = append(offs, off{"UpdateApplication, disabled", false, func(t *trial, apps oauthkit.ApplicationManager) error {
			return apps.UpdateApplication(t.ctx, t.disabledApplication(true), t.now)
		}})
	}
	return offs
}

// disabledApplication returns the trial's application with Disabled set, not stored.
func (t *trial) disabledApplication(disabled bool) oauthkit.Application {
	return t.modifiedApplication(t.client, func(with *oauthkit.AbstractApplication) { with.Disabled = disabled })
}

// wayToSave saves a new Authorization of the trial's application. The Consent was given
// before.
type wayToSave struct {
	name string
	save func(t *trial, store Store, authorization *oauthkit.Authorization, consent *oauthkit.Consent) error
}

func waysToSave() []wayToSave {
	ways := []wayToSave{{"SaveTokens", func(t *trial, store Store, authorization *oauthkit.Authorization, _ *oauthkit.Consent) error {
		return store.SaveTokens(t.ctx, authorization, t.tokens(authorization))
	}}, {"SaveApproval", func(t *trial, store Store, authorization *oauthkit.Authorization, _ *oauthkit.Consent) error {
		return store.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: t.code(authorization)})
	}}}
	for name, use := range map[string]oauthkit.ConsentUse{
		"SaveApproval, remembered": oauthkit.ConsentRemembered, "SaveApproval, widened": oauthkit.ConsentWidened, "SaveApproval, given": oauthkit.ConsentNew,
	} {
		ways = append(ways, wayToSave{name, func(t *trial, store Store, authorization *oauthkit.Authorization, consent *oauthkit.Consent) error {
			if use == oauthkit.ConsentNew {
				consent = t.consent(authorization)
			}
			authorization.Subject = consent.Subject
			approval := &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: use, Code: t.code(authorization)}
			return store.SaveApproval(t.ctx, approval)
		}})
	}
	for _, i := range issuances() {
		ways = append(ways, wayToSave{"SaveApproval of " + i.name, func(t *trial, store Store, authorization *oauthkit.Authorization, _ *oauthkit.Consent) error {
			return store.SaveApproval(t.ctx, i.issue(t, &oauthkit.Approval{Authorization: authorization}))
		}})
	}
	return ways
}

// wantRefused reports an act that was not refused although the application was disabled
// or deleted, or that saved something.
func (t *trial) wantRefused(act string, err error, authorization *oauthkit.Authorization, deleted bool) {
	t.Helper()
	wanted := []error{oauthkit.ErrEnded}
	if deleted { // with its Consent
		wanted = append(wanted, oauthkit.ErrRevoked)
	}
	t.wantError(act, err, wanted...)
	t.wantNoAuthorization(authorization)
}

func testNothingIssued(t *trial) {
	for _, off := range t.waysToEnd() {
		t := t.alone()
		consent, _ := t.mustSaveConsent()
		t.mustSucceed(off.name, off.end(t, t.apps))
		for _, way := range waysToSave() {
			authorization := t.authorization()
			t.wantRefused(way.name+", after "+off.name, way.save(t, t.second, authorization, consent), authorization, off.deletes)
		}
		if off.deletes {
			t.wantNoConsent(consent)
		}
	}
}

func testSavedWhile(t *trial, off off, way wayToSave) {
	t = t.alone()
	consent, first := t.mustSaveConsent()
	authorization := t.authorization()
	saved, ended := t.pair(
		func(store Store) error { return way.save(t, store, authorization, consent) },
		func(Store) error { return off.end(t, t.secondApps) },
	)
	t.mustSucceed(off.name+", against "+way.name, ended)
	t.wantRevoked(first)
	if saved != nil {
		t.wantRefused(way.name+", against "+off.name, saved, authorization, off.deletes)
	} else {
		t.wantNoAuthorization(authorization) // none that is not revoked
	}
}

func testSavedWhileHeld(t *trial) {
	t.model(t.client, "") // may end the trial, so not in another goroutine
	hold := t.hold
	if hold == nil {
		hold = func(context.Context, *oauthkit.Authorization) (func() error, error) {
			return func() error { return nil }, nil
		}
	}
	for _, off := range t.waysToEnd() {
		t := t.alone()
		consent, first := t.mustSaveConsent()
		release, err := hold(t.ctx, first.Authorization)
		t.mustSucceed("Subject.Hold", err)
		begun, ended, tried := make(chan bool), make(chan error, 1), make(chan []*oauthkit.Authorization, 1)
		go func() {
			close(begun)
			ended <- off.end(t, t.secondApps)
		}()
		go func() {
			<-begun // all saves could otherwise precede the revocation
			tried <- t.savesUntilRefused(consent)
		}()
		var all []*oauthkit.Authorization
		select {
		case all = <-tried:
			t.mustSucceed("releasing Subject.Hold", release())
		case <-time.After(5 * time.Second): // the acts of this store wait for the revocation
			t.mustSucceed("releasing Subject.Hold", release())
			all = <-tried
		}
		t.mustSucceed(off.name+", held by a lock", <-ended)
		t.wantRevoked(first)
		for _, authorization := range all {
			t.wantNoAuthorization(authorization) // none that is not revoked
		}
	}
}

// savesUntilRefused saves in every way in turn until an act returns ErrEnded. It
// returns all Authorizations that it tried to save.
func (t *trial) savesUntilRefused(consent *oauthkit.Consent) (tried []*oauthkit.Authorization) {
	for range 100 {
		for _, way := range waysToSave() {
			authorization := t.authorization()
			tried = append(tried, authorization)
			if err := way.save(t, t.Store, authorization, consent); errors.Is(err, oauthkit.ErrEnded) {
				return tried
			}
		}
	}
	return tried
}

func testEnabledAgain(t *trial) {
	for _, off := range t.waysToEnd() {
		t := t.alone()
		code, tokens := t.mustSaveCode(), t.mustSaveTokens()
		t.mustSucceed(off.name, off.end(t, t.apps))
		if off.deletes {
			t.mustSucceed("CreateApplication, again", t.secondApps.CreateApplication(t.ctx, t.model(t.client, ""), t.now))
		} else {
			t.mustSucceed("UpdateApplication, enabled", t.secondApps.UpdateApplication(t.ctx, t.disabledApplication(false), t.now))
		}
		t.wantError("RedeemCode, from before "+off.name, t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
		successors := t.tokens(tokens.Access.Authorization)
		rotated := t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil))
		t.wantError("RotateRefreshToken, from before "+off.name, rotated, oauthkit.ErrRevoked)
		fresh := t.mustSaveTokens()
		t.wantEqual("AccessToken, of an application that is enabled again", t.storedAccessToken(fresh.Access.Hash), fresh.Access)
		t.mustRedeem(t.mustSaveCode())
	}
}

// holding is the type of Subject.Hold.
type holding = func(ctx context.Context, authorization *oauthkit.Authorization) (release func() error, err error)

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
		t.Errorf("AccessToken, of the earlier application: got a valid token, want a revoked one")
	}
}

// testDisabled disables and deletes applications.
func testDisabled(t *trial) {
	ends := map[string]func(clientID string) error{
		"DeleteApplication": func(clientID string) error { return t.apps.DeleteApplication(t.ctx, clientID, t.now) },
	}
	if canBeDisabled(t.apps.NewApplication()) {
		ends["UpdateApplication, disabled"] = func(clientID string) error {
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
			t.Errorf("AccessToken, after %s: got a valid token, want a revoked one", name)
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
