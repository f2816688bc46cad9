package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// foreignStore presents the applications of a store, possibly with a fault, as a type
// that does not embed AbstractApplication.
type foreignStore struct {
	managing
	disguise func(*oauthkit.AbstractApplication) oauthkit.Application
}

// foreignApplication has all methods of an application. The interface hides the
// AbstractApplication.
type foreignApplication struct{ answering }

type answering interface {
	oauthkit.Application
	oauthkit.Described
	oauthkit.Usable
	oauthkit.SecretHolder
}

// bareApplication has only the required methods of an application.
type bareApplication struct{ oauthkit.Application }

func foreign(app *oauthkit.AbstractApplication) oauthkit.Application { return foreignApplication{app} }
func bare(app *oauthkit.AbstractApplication) oauthkit.Application    { return bareApplication{app} }

// undisguised returns the AbstractApplication of an application.
func undisguised(app oauthkit.Application) *oauthkit.AbstractApplication {
	switch app := app.(type) {
	case foreignApplication:
		return app.answering.(*oauthkit.AbstractApplication)
	default:
		return app.(bareApplication).Application.(*oauthkit.AbstractApplication)
	}
}

func fillDisguised(app oauthkit.Application, with *oauthkit.AbstractApplication) {
	fillAbstract(undisguised(app), with)
}

func (s foreignStore) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	app, err := s.managing.Application(ctx, clientID)
	if err != nil {
		return nil, err
	}
	return s.disguise(oauthkit.Abstract(app)), nil
}

func (s foreignStore) NewApplication() oauthkit.Application {
	return s.disguise(oauthkit.Abstract(s.managing.NewApplication()))
}

func (s foreignStore) ValidateApplication(app oauthkit.Application) error {
	return s.managing.ValidateApplication(undisguised(app))
}

func (s foreignStore) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	return s.managing.CreateApplication(ctx, undisguised(app), now)
}

func (s foreignStore) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	return s.managing.UpdateApplication(ctx, undisguised(app), now)
}

func (s foreignStore) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	found, err := s.managing.ListApplications(ctx, page)
	var apps []oauthkit.Application
	for _, app := range found {
		apps = append(apps, s.disguise(oauthkit.Abstract(app)))
	}
	return apps, err
}

// holdForeign is hold for a foreignStore.
func holdForeign(t *testing.T, rule rule, commit func(Store) Store, disguise func(*oauthkit.AbstractApplication) oauthkit.Application) []string {
	t.Helper()
	store := memstore.New()
	return reports(t, rule, Subject{
		Store: foreignStore{commit(store).(managing), disguise},
		AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
			return store.CreateApplication(ctx, app, now)
		},
		Fill: fillDisguised,
	})
}

// TestSabotageOfForeignApplications shows that each fault of managing is also found if
// applications do not embed AbstractApplication.
func TestSabotageOfForeignApplications(t *testing.T) {
	for _, sabotage := range managementSabotages() {
		for _, name := range sabotage.foundBy {
			for kind, disguise := range map[string]func(*oauthkit.AbstractApplication) oauthkit.Application{"foreign": foreign, "bare": bare} {
				if kind == "bare" && strings.HasPrefix(name, "management/UpdateApplication disables an") {
					continue // the type has no such property
				}
				if broken := holdForeign(t, ruleNamed(t, name), sabotage.commit, disguise); len(broken) == 0 {
					t.Errorf("a store of %s applications that %s: rule %q holds, want it broken", kind, sabotage.fault, name)
				}
			}
		}
	}
}

// TestSoundForeignStore shows that such a store passes without a fault, and that Fill
// is required.
func TestSoundForeignStore(t *testing.T) {
	sound := func(store Store) Store { return store }
	for _, rule := range append(applicationRules(), managementRules()...) {
		if broken := holdForeign(t, rule, sound, foreign); len(broken) > 0 {
			t.Errorf("foreign: %s", strings.Join(broken, "\n"))
		}
	}
	for _, rule := range managementRules() {
		if broken := holdForeign(t, rule, sound, bare); len(broken) > 0 {
			t.Errorf("bare: %s", strings.Join(broken, "\n"))
		}
		store := memstore.New()
		broken := reports(t, rule, Subject{Store: foreignStore{store, foreign}, AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
			return store.CreateApplication(ctx, app, now)
		}})
		if len(broken) == 0 || !strings.Contains(broken[0], "Subject.Fill") {
			t.Errorf("without Fill: got %q, want a report that Fill is missing", broken)
		}
	}
}

// TestFillThatFillsNothing shows that every rule detects a Fill without effect.
func TestFillThatFillsNothing(t *testing.T) {
	store := memstore.New()
	subject := Subject{
		Store: foreignStore{store, foreign},
		AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
			return store.CreateApplication(ctx, app, now)
		},
		Fill: func(oauthkit.Application, *oauthkit.AbstractApplication) {},
	}
	for _, rule := range managementRules() {
		if broken := reports(t, rule, subject); len(broken) == 0 {
			t.Errorf("rule %q holds, want it broken", rule.name)
		}
	}
}
