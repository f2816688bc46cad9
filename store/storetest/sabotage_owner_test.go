package storetest

import (
	"context"
	"runtime"
	"time"

	"github.com/oauthkit/oauthkit"
)

// limitingStore is a store that promises everything, and that it limits owners.
type limitingStore interface {
	managing
	oauthkit.OwnerLimiter
}

func limits(commit func(limitingStore) Store) func(Store) Store {
	return func(s Store) Store { return commit(s.(limitingStore)) }
}

func ownerSabotages() []sabotage {
	return []sabotage{
		{"limits nobody", limits(func(s limitingStore) Store { return limitsNobody{s} }), []string{
			"owners/CreateApplicationWithin creates an", "owners/concurrent CreateApplicationWithin calls",
		}},
		{"limits after it has created", limits(func(s limitingStore) Store { return limitsLate{s} }), []string{"owners/CreateApplicationWithin creates an"}},
		{"limits all owners together", limits(func(s limitingStore) Store { return limitsAll{s} }), []string{"owners/CreateApplicationWithin limits each"}},
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
	if limit > 1 && tooMany(ctx, s, page, page.Size) != nil { // it is the last one
		s.meet(ctx, app.GetUserID(), func() bool {
			page.Size = limit
			return tooMany(ctx, s, page, limit) != nil
		})
	}
	return s.CreateApplication(ctx, app, now)
}

// meet lets others run until another call has counted as many, or one that counted
// before has created the last one.
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
