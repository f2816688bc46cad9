// Package storetest holds a store against the whole contract of package oauthkit, in the manner of [testing/slogtest]: one
// call in a test of the store's own runs every rule, races included, and a store that breaks one is told which, and what
// would go wrong.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject {
//			store := mystore.Open(t.TempDir())
//			return storetest.Subject{Store: store, AddApplication: store.AddApplication}
//		})
//	}
//
// A store that several processes share gives a second instance on the same data as Subject.Second, and every race is then
// run between the two. The rules ask for nothing that the contract does not promise. A store that is an
// [oauthkit.AuthorizationManager] or an [oauthkit.ApplicationManager] as well is tested as that too, and the latter also
// as an [oauthkit.OwnerLimiter].
//
// The last chapter draws random sequences of acts with [pgregory.net/rapid]; its flags, such as -rapid.checks, hold.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
)

// Store is all that a store can promise.
type Store interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
}

// Subject is the store that is tested.
type Subject struct {
	// Store must be empty. Rules of one subject share it, so they use names that occur nowhere else.
	Store Store
	// Second is another instance on the same data, as another process has it. Nil: Store is used for both sides of a race.
	Second Store
	// AddApplication stores an application, in the way that the store has for it. A store of applications that embed no
	// AbstractApplication makes one of its own type of it: with its client_id, its owner, its secrets, and whether it is usable.
	AddApplication func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error
	// Fill makes an application of the store's own type, new or read from it, what the description says: its client_id, its owner,
	// its name, its redirect URIs, and whether it is usable, as far as there are such things. Everything else stays, or becomes what
	// a valid application needs. What is wrong with the description must be wrong with the application. Nil is enough where
	// applications embed AbstractApplication and answer by its fields; a store of others that is an [oauthkit.ApplicationManager]
	// needs it.
	Fill func(app oauthkit.Application, with *oauthkit.AbstractApplication)
	// Hold locks the row of an Authorization, as a transaction of another program would, until release is called: what revokes the
	// Authorization waits. If nil, no lock of the store outlives an act.
	Hold func(ctx context.Context, authorization *oauthkit.Authorization) (release func() error, err error)
}

// Run tests the store that open returns. It calls open once for each subject of the contract; use t.Cleanup to close.
//
// Of applications that embed no AbstractApplication it sees what they answer. So it does not ask whether every column is kept, and
// when the application was created, nor which field a problem is of. What happens to one that is switched off is asked of those
// only that are [oauthkit.Usable]. Without Subject.Fill it cannot ask whether a change of what was read changes what is stored.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, chapter := range chapters() {
		t.Run(chapter.name, func(t *testing.T) {
			subject := open(t)
			if chapter.promised != nil && !chapter.promised(subject.Store) {
				t.Log("the store does not promise this")
				return
			}
			for _, rule := range chapter.rules {
				t.Run(rule.name, func(t *testing.T) { rule.run(t.Context(), t, subject) })
			}
		})
	}
}

// chapter is a part of the contract.
type chapter struct {
	name     string
	rules    []rule
	promised func(Store) bool // whether a store promises it; nil: every store does
}

func chapters() []chapter {
	return []chapter{
		{name: "applications", rules: applicationRules()},
		{name: "tokens", rules: slices.Concat(tokenRules(), revocationRules())},
		{name: "codes", rules: codeRules()},
		{name: "approvals", rules: slices.Concat(approvalRules(), decisionRules())},
		{name: "refresh", rules: slices.Concat(refreshRules(), repeatRules())},
		{name: "consents", rules: consentRules()},
		{name: "interactions", rules: interactionRules()},
		{name: "keys", rules: keyRules()},
		{name: "fidelity", rules: fidelityRules()},
		{name: "failure", rules: failureRules()},
		{name: "cleanup", rules: cleanupRules()},
		{name: "races", rules: slices.Concat(credentialRaces(), repeatRaces(), consentRaces(), otherRaces(), linearRules())},
		{name: "sequences", rules: machineRules()},
		{name: "connections", rules: slices.Concat(connectionRules(), endingRules()), promised: is[oauthkit.AuthorizationManager]},
		{name: "management", rules: managementRules(), promised: is[oauthkit.ApplicationManager]},
		{name: "owners", rules: ownerRules(), promised: is[limiting]},
	}
}

// is reports whether a store promises more, by its type.
func is[More any](store Store) bool {
	_, ok := store.(More)
	return ok
}

// rule is a sentence of the contract.
type rule struct {
	name string       // what a store must do
	why  string       // what happens where a store does not
	test func(*trial) // reports through the trial
}

// patience is how long one rule may take. A store that needs longer has a deadlock.
const patience = time.Minute

func (r rule) run(ctx context.Context, tb rapid.TB, subject Subject) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.test(newTrial(ctx, &explained{TB: tb, rule: r}, subject))
}

// explained adds to every failure the rule that was broken.
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
