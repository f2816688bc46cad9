package storetest

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

func managementSabotages() []sabotage {
	return []sabotage{
		{"returns one application from NewApplication", managed(func(s managing) Store { return &oneModel{s, s.NewApplication()} }), []string{"management/NewApplication returns a"}},
		{"overwrites existing applications", managed(func(s managing) Store { return createsOver{s} }), []string{
			"management/CreateApplication of an", "management/exactly one of several concurrent CreateApplication",
		}},
		{"keeps the consent of an earlier application", managed(func(s managing) Store { return &keepsConsent{managing: s} }), []string{"management/CreateApplication revokes everything"}},
		{"validates nothing", managed(func(s managing) Store { return validatesNothing{s} }), []string{"management/invalid applications are"}},
		{"disables only valid applications", managed(func(s managing) Store { return validatesAlways{s} }), []string{"management/UpdateApplication disables an"}},
		{"does not update all fields", managed(func(s managing) Store { return updatesPart{s} }), []string{"management/UpdateApplication replaces everything"}},
		{"ignores concurrent changes", managed(func(s managing) Store { return lastWriteWins{s} }), []string{"management/UpdateApplication of an"}},
		{"changes nothing", managed(func(s managing) Store { return changesNothing{s} }), []string{
			"management/UpdateApplication and DeleteApplication", "management/disabling or deleting",
		}},
		{"has a clock", managed(func(s managing) Store { return hasClock{s} }), []string{"management/CreateApplication, UpdateApplication and"}},
		{"ignores After", managed(func(s managing) Store { return firstPage{s} }), []string{"management/ListApplications returns each"}},
		{"lists all applications without owners", managed(func(s managing) Store { return listsEveryones{s} }), []string{"management/ListApplications returns the"}},
		{"lists stored applications, not copies", managed(func(s managing) Store { return &keepsApplications{managing: s} }), []string{"management/ListApplications returns copies"}},
		{"ignores the end of the context of a deletion", managed(func(s managing) Store { return deletesFailing{s} }), []string{"management/managing applications returns"}},
	}
}

type oneModel struct {
	managing
	model oauthkit.Application
}

func (s *oneModel) NewApplication() oauthkit.Application { return s.model }

type createsOver struct{ managing }

func (s createsOver) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if err := s.managing.CreateApplication(ctx, app, now); err != nil {
		return s.UpdateApplication(ctx, app, now)
	}
	return nil
}

// keepsConsent restores the Consent of an earlier application.
type keepsConsent struct {
	managing
	approval *oauthkit.Approval
}

func (s *keepsConsent) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.approval = approval
	return s.managing.SaveApproval(ctx, approval)
}

func (s *keepsConsent) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if err := s.managing.CreateApplication(ctx, app, now); err != nil || s.approval == nil {
		return err
	}
	again, code := *s.approval, *s.approval.Code
	code.Hash += "again"
	again.Code = &code
	return s.managing.SaveApproval(ctx, &again)
}

type validatesNothing struct{ managing }

func (validatesNothing) ValidateApplication(oauthkit.Application) error { return nil }

type validatesAlways struct{ managing }

func (s validatesAlways) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if err := s.ValidateApplication(app); err != nil {
		return err
	}
	return s.managing.UpdateApplication(ctx, app, now)
}

type updatesPart struct{ managing }

func (s updatesPart) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	stored, err := s.Application(ctx, app.GetID())
	if err != nil {
		return err
	}
	if abstract := oauthkit.Abstract(app); abstract.UserID == "" {
		abstract.UserID = oauthkit.Abstract(stored).UserID
	}
	return s.managing.UpdateApplication(ctx, app, now)
}

type lastWriteWins struct{ managing }

func (s lastWriteWins) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	stored, err := s.Application(ctx, app.GetID())
	if err != nil {
		return err
	}
	oauthkit.Abstract(app).UpdatedAt = oauthkit.Abstract(stored).UpdatedAt
	return s.managing.UpdateApplication(ctx, app, now)
}

type changesNothing struct{ managing }

func (changesNothing) UpdateApplication(context.Context, oauthkit.Application, time.Time) error {
	return nil
}
func (changesNothing) DeleteApplication(context.Context, string, time.Time) error { return nil }

// hasClock ignores the time that it is given.
type hasClock struct{ managing }

func (s hasClock) CreateApplication(ctx context.Context, app oauthkit.Application, _ time.Time) error {
	return s.managing.CreateApplication(ctx, app, time.Now())
}

func (s hasClock) UpdateApplication(ctx context.Context, app oauthkit.Application, _ time.Time) error {
	return s.managing.UpdateApplication(ctx, app, time.Now())
}

func (s hasClock) DeleteApplication(ctx context.Context, clientID string, _ time.Time) error {
	return s.managing.DeleteApplication(ctx, clientID, time.Now())
}

type firstPage struct{ managing }

func (s firstPage) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	page.After = ""
	return s.managing.ListApplications(ctx, page)
}

type listsEveryones struct{ managing }

func (s listsEveryones) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	if len(page.Owners) == 0 {
		page.Owners = nil
	}
	return s.managing.ListApplications(ctx, page)
}

type keepsApplications struct {
	managing
	kept []oauthkit.Application
}

func (s *keepsApplications) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) (apps []oauthkit.Application, err error) {
	if s.kept == nil {
		s.kept, err = s.managing.ListApplications(ctx, page)
	}
	return slices.Clone(s.kept), err
}

type deletesFailing struct{ managing }

func (s deletesFailing) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	return s.managing.DeleteApplication(context.WithoutCancel(ctx), clientID, now)
}

// limitingStore is a store with every optional interface.
type limitingStore interface {
	managing
	oauthkit.OwnerLimiter
}

func limits(commit func(limitingStore) Store) func(Store) Store {
	return func(s Store) Store { return commit(s.(limitingStore)) }
}

func ownerSabotages() []sabotage {
	return []sabotage{
		{"has no limit", limits(func(s limitingStore) Store { return limitsNobody{s} }), []string{
			"owners/CreateApplicationWithin creates an", "owners/concurrent CreateApplicationWithin calls",
		}},
		{"checks the limit after creating", limits(func(s limitingStore) Store { return limitsLate{s} }), []string{"owners/CreateApplicationWithin creates an"}},
		{"counts the applications of all owners", limits(func(s limitingStore) Store { return limitsAll{s} }), []string{"owners/CreateApplicationWithin limits each"}},
		{"counts and then creates", limits(func(s limitingStore) Store { return &countsThenCreates{limitingStore: s} }), []string{
			"owners/concurrent CreateApplicationWithin calls",
		}},
	}
}

type limitsNobody struct{ limitingStore }

func (s limitsNobody) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, _ int, now time.Time) error {
	return s.CreateApplication(ctx, app, now)
}

type limitsLate struct{ limitingStore }

func (s limitsLate) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, limit int, now time.Time) error {
	if err := s.CreateApplication(ctx, app, now); err != nil {
		return err
	}
	return tooMany(ctx, s, oauthkit.ApplicationQuery{Owners: []string{app.GetUserID()}, Size: limit + 1}, limit+1)
}

type limitsAll struct{ limitingStore }

func (s limitsAll) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, limit int, now time.Time) error {
	if err := tooMany(ctx, s, oauthkit.ApplicationQuery{Size: limit}, limit); err != nil {
		return err
	}
	return s.limitingStore.CreateApplicationWithin(ctx, app, limit, now)
}

// tooMany returns ErrTooMany if a page is full.
func tooMany(ctx context.Context, store oauthkit.ApplicationManager, page oauthkit.ApplicationQuery, full int) error {
	found, err := store.ListApplications(ctx, page)
	if err == nil && len(found) >= full {
		err = oauthkit.ErrTooMany
	}
	return err
}

type countsThenCreates struct {
	limitingStore
	meeting
}

func (s *countsThenCreates) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, limit int, now time.Time) error {
	page := oauthkit.ApplicationQuery{Owners: []string{app.GetUserID()}, Size: limit}
	if err := tooMany(ctx, s, page, limit); err != nil {
		return err
	}
	page.Size--
	if limit > 1 && tooMany(ctx, s, page, page.Size) != nil { // only one more fits
		s.meet(ctx, app.GetUserID(), func() bool {
			page.Size = limit
			return tooMany(ctx, s, page, limit) != nil
		})
	}
	return s.CreateApplication(ctx, app, now)
}

// meet waits until another call has counted the same number, or has created the last
// application.
func (s *countsThenCreates) meet(ctx context.Context, owner string, full func() bool) {
	if _, second := s.reached.LoadOrStore(readKey(owner), true); second {
		s.reach(changedKey(owner))
	}
	for ctx.Err() == nil && !full() {
		if _, reached := s.reached.Load(changedKey(owner)); reached {
			return
		}
		runtime.Gosched()
	}
}
