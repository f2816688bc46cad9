package storetest

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// sabotage is a fault of a store with the rules that must find it. A rule is named by
// its chapter and the beginning of its name.
type sabotage struct {
	fault   string
	commit  func(Store) Store
	foundBy []string
}

func sabotages() []sabotage {
	return slices.Concat(applicationSabotages(), credentialSabotages(), sealedSabotages(), repeatSabotages(), consentSabotages(), issuanceSabotages(), otherSabotages(), cleanupSabotages(), raceSabotages(),
		connectionSabotages(), endingRaceSabotages(), managementSabotages(), disablingSabotages(), ownerSabotages(), sessionSabotages())
}

// TestSabotage shows that the expected rules find each fault.
func TestSabotage(t *testing.T) {
	withoutFailFiles(t)
	for _, sabotage := range sabotages() {
		t.Run(sabotage.fault, func(t *testing.T) {
			for _, name := range sabotage.foundBy {
				rule := ruleNamed(t, name)
				if broken := hold(t, rule, sabotage.commit); len(broken) == 0 {
					t.Errorf("rule %q holds, want it broken", name)
				} else if !strings.Contains(broken[0], rule.why) {
					t.Errorf("rule %q: got report %q, want the reason of the rule", name, broken[0])
				}
			}
		})
	}
}

// TestEveryRuleIsBroken shows that each rule finds a fault of TestSabotage.
func TestEveryRuleIsBroken(t *testing.T) {
	var broken []string
	for _, sabotage := range sabotages() {
		for _, name := range sabotage.foundBy {
			broken = append(broken, ruleNamed(t, name).name)
		}
	}
	for _, chapter := range chapters() {
		for _, rule := range chapter.rules {
			if !slices.Contains(broken, rule.name) {
				t.Errorf("%s: the rule %q finds no sabotage", chapter.name, rule.name)
			}
		}
	}
}

// TestSoundStore shows that a store without a fault passes every rule.
func TestSoundStore(t *testing.T) {
	for _, chapter := range chapters() {
		for _, rule := range chapter.rules {
			if broken := hold(t, rule, func(store Store) Store { return store }); len(broken) > 0 {
				t.Errorf("%s: %s", chapter.name, strings.Join(broken, "\n"))
			}
		}
	}
}

// TestPromisesLess shows that optional interfaces are not required.
func TestPromisesLess(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		store := memstore.New()
		less := struct{ Store }{store}
		if is[oauthkit.AuthorizationManager](less) || is[oauthkit.ApplicationManager](less) {
			t.Fatal("got a store that promises everything")
		}
		return Subject{Store: less, AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
			return store.CreateApplication(ctx, app, time.Now())
		}}
	})
}

// ruleNamed returns the one rule whose name begins with "chapter/beginning".
func ruleNamed(t *testing.T, name string) rule {
	t.Helper()
	chapterName, beginning, _ := strings.Cut(name, "/")
	var found []rule
	for _, chapter := range chapters() {
		for _, rule := range chapter.rules {
			if chapter.name == chapterName && strings.HasPrefix(rule.name, beginning) {
				found = append(found, rule)
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("%q names %d rules, want 1", name, len(found))
	}
	return found[0]
}

// hold runs a rule against a memstore with a fault and returns the failures.
func hold(t *testing.T, rule rule, commit func(Store) Store) []string {
	t.Helper()
	store := memstore.New()
	faulty := commit(store)
	subject := Subject{Store: faulty, AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
		return store.CreateApplication(ctx, app, time.Now())
	}}
	if locking, ok := faulty.(interface {
		Hold(context.Context, *oauthkit.Authorization) (func() error, error)
	}); ok {
		subject.Hold = locking.Hold
	}
	if lagging, ok := faulty.(*twoStores); ok {
		subject.Second = lagging.second
	}
	return reports(t, rule, subject)
}

// reports runs a rule against a subject and returns the failures.
func reports(t *testing.T, rule rule, subject Subject) []string {
	t.Helper()
	report := &recorder{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rule.run(t.Context(), report, subject)
	}()
	<-done
	return report.failures
}

// recorder records failures.
type recorder struct {
	*testing.T
	mutex    sync.Mutex
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Error(args ...any)   { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any)   { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fail()               { r.Errorf("failed") }
func (r *recorder) FailNow()            { r.Fatalf("failed") }
func (r *recorder) Log(...any)          {}
func (r *recorder) Logf(string, ...any) {}

func (r *recorder) Failed() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.failures) > 0
}

// withoutFailFiles stops rapid from saving and shrinking expected failures.
func withoutFailFiles(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, before) })
	}
}
