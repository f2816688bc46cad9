package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/oauthkit/oauthkit"
)

// disablingRules are about applications that are disabled or deleted while requests go on.
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
				for _, off := range t.offs() {
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

// off is a way to disable or to delete an application.
type off struct {
	name    string
	deletes bool
	end     func(t *trial, apps oauthkit.ApplicationManager) error
}

// offs returns the ways that there are.
func (t *trial) offs() []off {
	offs := []off{{"DeleteApplication", true, func(t *trial, apps oauthkit.ApplicationManager) error {
		return apps.DeleteApplication(t.ctx, t.client, t.now)
	}}}
	if canBeOff(t.apps.NewApplication()) {
		offs = append(offs, off{"UpdateApplication, disabled", false, func(t *trial, apps oauthkit.ApplicationManager) error {
			return apps.UpdateApplication(t.ctx, t.disabled(true), t.now)
		}})
	}
	return offs
}

// disabled returns the application, changed, without storing it.
func (t *trial) disabled(disabled bool) oauthkit.Application {
	return t.changed(t.client, func(with *oauthkit.AbstractApplication) { with.Disabled = disabled })
}

// wayToSave saves a new Authorization of the trial's application. The consent is one that was given before.
type wayToSave struct {
	name string
	save func(t *trial, store Store, authorization *oauthkit.Authorization, consent *oauthkit.Consent) error
}

func waysToSave() []wayToSave {
	ways := []wayToSave{{"SaveTokens", func(t *trial, store Store, authorization *oauthkit.Authorization, _ *oauthkit.Consent) error {
		return store.SaveTokens(t.ctx, authorization, t.tokens(authorization))
	}}, {"SaveCode", func(t *trial, store Store, authorization *oauthkit.Authorization, _ *oauthkit.Consent) error {
		return store.SaveCode(t.ctx, &oauthkit.Approval{Authorization: authorization}, t.code(authorization))
	}}}
	for name, use := range map[string]oauthkit.ConsentUse{
		"SaveCode, remembered": oauthkit.ConsentRemembered, "SaveCode, widened": oauthkit.ConsentWidened, "SaveCode, given": oauthkit.ConsentNew,
	} {
		ways = append(ways, wayToSave{name, func(t *trial, store Store, authorization *oauthkit.Authorization, consent *oauthkit.Consent) error {
			if use == oauthkit.ConsentNew {
				consent = t.consent(authorization)
			}
			authorization.Subject = consent.Subject
			approval := &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: use}
			return store.SaveCode(t.ctx, approval, t.code(authorization))
		}})
	}
	return ways
}

// refused notes when an act was not refused because of an end, or left something behind.
func (t *trial) refused(act string, err error, authorization *oauthkit.Authorization, deleted bool) {
	t.Helper()
	wanted := []error{oauthkit.ErrEnded}
	if deleted { // with the consent
		wanted = append(wanted, oauthkit.ErrRevoked)
	}
	t.answered(act, err, wanted...)
	t.noAuthorization(authorization)
}

func testNothingIssued(t *trial) {
	for _, off := range t.offs() {
		t := t.alone()
		consent, _ := t.savedConsent()
		t.done(off.name, off.end(t, t.apps))
		for _, way := range waysToSave() {
			authorization := t.authorization()
			t.refused(way.name+", after "+off.name, way.save(t, t.second, authorization, consent), authorization, off.deletes)
		}
		if off.deletes {
			t.noConsent(consent)
		}
	}
}

func testSavedWhile(t *trial, off off, way wayToSave) {
	t = t.alone()
	consent, first := t.savedConsent()
	authorization := t.authorization()
	saved, ended := t.pair(
		func(store Store) error { return way.save(t, store, authorization, consent) },
		func(Store) error { return off.end(t, t.secondApps) },
	)
	t.done(off.name+", against "+way.name, ended)
	t.ended(first)
	if saved != nil {
		t.refused(way.name+", against "+off.name, saved, authorization, off.deletes)
	} else {
		t.noAuthorization(authorization) // that could be revoked
	}
}

func testSavedWhileHeld(t *trial) {
	t.model(t.client, "") // ends the trial here, and not in another goroutine
	hold := t.hold
	if hold == nil {
		hold = func(context.Context, *oauthkit.Authorization) (func() error, error) {
			return func() error { return nil }, nil
		}
	}
	for _, off := range t.offs() {
		t := t.alone()
		consent, first := t.savedConsent()
		release, err := hold(t.ctx, first.Authorization)
		t.done("Subject.Hold", err)
		ended, tried := make(chan error, 1), make(chan []*oauthkit.Authorization, 1)
		go func() { ended <- off.end(t, t.secondApps) }()
		go func() { tried <- t.savesUntilRefused(consent) }()
		var all []*oauthkit.Authorization
		select {
		case all = <-tried:
			t.done("releasing Subject.Hold", release())
		case <-time.After(5 * time.Second): // of a store whose acts wait for the end
			t.done("releasing Subject.Hold", release())
			all = <-tried
		}
		t.done(off.name+", held by a lock", <-ended)
		t.ended(first)
		for _, authorization := range all {
			t.noAuthorization(authorization) // that could be revoked
		}
	}
}

// savesUntilRefused saves in every way in turn, until an act is refused because of an end, and returns what was tried.
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
	for _, off := range t.offs() {
		t := t.alone()
		code, tokens := t.savedCode(), t.savedTokens()
		t.done(off.name, off.end(t, t.apps))
		if off.deletes {
			t.done("CreateApplication, again", t.secondApps.CreateApplication(t.ctx, t.model(t.client, ""), t.now))
		} else {
			t.done("UpdateApplication, enabled", t.secondApps.UpdateApplication(t.ctx, t.disabled(false), t.now))
		}
		t.answered("RedeemCode, from before "+off.name, t.RedeemCode(t.ctx, code.Hash, t.tokens(code.Authorization), t.now), oauthkit.ErrRevoked)
		successors := t.tokens(tokens.Access.Authorization)
		rotated := t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil))
		t.answered("RotateRefreshToken, from before "+off.name, rotated, oauthkit.ErrRevoked)
		fresh := t.savedTokens()
		t.same("AccessToken, of an application that is enabled again", t.storedAccessToken(fresh.Access.Hash), fresh.Access)
		t.redeemed(t.savedCode())
	}
}

// holding locks what a store has, as another transaction would.
type holding = func(ctx context.Context, authorization *oauthkit.Authorization) (release func() error, err error)
