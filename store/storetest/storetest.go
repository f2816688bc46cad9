// Package storetest tests an implementation of the store contract of package oauthkit,
// in the manner of [testing/slogtest]. One call runs every rule of the contract,
// including races. A failure names the broken rule and its consequence.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject {
//			store := mystore.Open(t.TempDir())
//			return storetest.Subject{Store: store, AddApplication: store.AddApplication}
//		})
//	}
//
// If several processes can share the data of a store, set Subject.Second to a second
// instance on the same data; races then run between both. The rules require nothing
// beyond the contract. If the store implements [oauthkit.AuthorizationManager] or
// [oauthkit.ApplicationManager], these are tested too, the latter together with
// [oauthkit.OwnerLimiter]. So is [oauthkit.NoticeStore].
//
// The last chapter draws random sequences of acts with [pgregory.net/rapid] and
// respects its flags, for example -rapid.checks.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
)

// Store combines the interfaces that Run always tests.
type Store interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
}

// Subject is a store to test.
type Subject struct {
	// Store must be empty. The rules of a chapter share it and use unique names.
	Store Store
	// Second is another instance on the same data, as in another process. If nil, Store
	// is used on both sides of a race.
	Second Store
	// AddApplication stores an application at the time now. If the applications of the
	// store do not embed AbstractApplication, it stores one of their type with the same
	// client_id, owner, secrets and usability.
	AddApplication func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error
	// Fill copies the client_id, the owner, the name, the redirect URIs and the
	// usability from the description to an application of the store's type, as far as
	// the type has them. The application is new or was read from the store. Fill keeps
	// all other fields, or sets them to valid values. An invalid description must give
	// an invalid application. Fill may be nil if applications embed AbstractApplication
	// and use its fields; otherwise an [oauthkit.ApplicationManager] needs it.
	Fill func(app oauthkit.Application, with *oauthkit.AbstractApplication)
	// Hold locks the row of an Authorization until release is called, like a
	// transaction of another program, so that a revocation has to wait. If nil, no lock
	// of the store outlives an act.
	Hold func(ctx context.Context, authorization *oauthkit.Authorization) (release func() error, err error)
}

// Run tests the store that open returns. It calls open once for each chapter of the
// contract. Close the store with t.Cleanup. If applications do not embed
// AbstractApplication, Run compares the results of their methods. It then cannot check
// that every column is stored, the time of creation, or the field of a problem. It
// tests disabled applications only if they are [oauthkit.Usable]. Without Subject.Fill
// it does not test that the store returns copies of applications.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, chapter := range chapters() {
		t.Run(chapter.name, func(t *testing.T) {
			subject := open(t)
			if chapter.applies != nil && !chapter.applies(subject.Store) {
				t.Log("the store does not implement this part of the contract")
				return
			}
			for _, rule := range chapter.rules {
				t.Run(rule.name, func(t *testing.T) { rule.run(t.Context(), t, subject) })
			}
		})
	}
}

// chapter is a group of rules that share a Subject.
type chapter struct {
	name    string
	rules   []rule
	applies func(Store) bool // reports whether the chapter applies; if nil, it always does
}

func chapters() []chapter {
	return []chapter{
		{name: "applications", rules: applicationRules()},
		{name: "tokens", rules: slices.Concat(tokenRules(), revocationRules())},
		{name: "codes", rules: codeRules()},
		{name: "approvals", rules: slices.Concat(approvalRules(), decisionRules(), issuanceRules())},
		{name: "refresh", rules: slices.Concat(refreshRules(), repeatRules())},
		{name: "consents", rules: consentRules()},
		{name: "interactions", rules: interactionRules()},
		{name: "sessions", rules: sessionRules()},
		{name: "notices", rules: noticeRules(), applies: is[oauthkit.NoticeStore]},
		{name: "revocation notices", rules: userNoticeRules(), applies: is[noticing]},
		{name: "keys", rules: keyRules()},
		{name: "fidelity", rules: fidelityRules()},
		{name: "failure", rules: failureRules()},
		{name: "cleanup", rules: cleanupRules()},
		{name: "races", rules: slices.Concat(credentialRaces(), repeatRaces(), consentRaces(), issuanceRaces(), sessionRaces(), otherRaces(), linearRules())},
		{name: "sequences", rules: machineRules()},
		{name: "connections", rules: slices.Concat(connectionRules(), endingRules(), issuedRules()), applies: is[oauthkit.AuthorizationManager]},
		{name: "management", rules: managementRules(), applies: is[oauthkit.ApplicationManager]},
		{name: "owners", rules: ownerRules(), applies: is[limiting]},
	}
}

// is reports whether a store implements More.
func is[More any](store Store) bool {
	_, ok := store.(More)
	return ok
}

// rule is one requirement of the contract.
type rule struct {
	name string       // the requirement
	why  string       // the consequence of breaking it
	test func(*trial) // reports failures through the trial
}

// patience limits the time of one rule. A store that needs longer is deadlocked.
const patience = time.Minute

func (r rule) run(ctx context.Context, tb rapid.TB, subject Subject) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.test(newTrial(ctx, &explained{TB: tb, rule: r}, subject))
}

// explained adds the broken rule to every failure.
type explained struct {
	rapid.TB
	rule rule
}

func (e *explained) Errorf(format string, args ...any) {
	e.Helper()
	e.TB.Errorf(format+"\n\tthe rule: %s\n\tor else:  %s", append(args, e.rule.name, e.rule.why)...)
}

func (e *explained) Fatalf(format string, args ...any) {
	e.Helper()
	e.TB.Fatalf(format+"\n\tthe rule: %s\n\tor else:  %s", append(args, e.rule.name, e.rule.why)...)
}
