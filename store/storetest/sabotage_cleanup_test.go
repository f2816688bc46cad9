package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/oauthkit/oauthkit"
)

func cleanupSabotages() []sabotage {
	fault := func(clean cleaning) func(Store) Store { return func(s Store) Store { return cleaner{s, clean} } }
	return []sabotage{
		{"removes nothing", fault(nothing), []string{
			"cleanup/Cleanup removes and counts expired", "cleanup/Cleanup respects its", "cleanup/Cleanup without CleanupLimits.Now", "cleanup/a dry run counts", "cleanup/the rows of an approval",
		}},
		{"uses its own clock without a time", fault(changed(func(l *oauthkit.CleanupLimits) {
			if l.Now.IsZero() {
				l.Now = time.Now()
			}
		})), []string{"cleanup/Cleanup without CleanupLimits.Now"}},
		{"removes too early", fault(early(time.Hour)), []string{
			"cleanup/Cleanup keeps rows", "cleanup/a consumed code", "cleanup/the rows of an approval",
		}},
		{"removes Authorizations that can be refreshed", fault(early(31 * 24 * time.Hour)), []string{"cleanup/an Authorization is"}},
		{"removes keys", fault(keysToo), []string{"cleanup/Consents, signing keys"}},
		{"removes everything at once", fault(changed(func(l *oauthkit.CleanupLimits) { l.Batches = 0 })), []string{"cleanup/Cleanup respects its", "cleanup/a dry run respects"}},
		{"counts twice", fault(twice), []string{
			"cleanup/Cleanup removes and counts expired", "cleanup/concurrent Cleanups succeed", "cleanup/Cleanup calls CleanupLimits.Progress", "cleanup/Cleanup stops when",
		}},

		{"removes in a dry run", fault(changed(func(l *oauthkit.CleanupLimits) { l.DryRun = false })), []string{"cleanup/a dry run counts"}},
		{"counts too much in a dry run", fault(changed(func(l *oauthkit.CleanupLimits) {
			if l.DryRun {
				l.Now = l.Now.Add(time.Hour)
			}
		})), []string{"cleanup/a dry run counts"}},
		{"counts everything in a dry run", fault(changed(func(l *oauthkit.CleanupLimits) {
			if l.DryRun {
				l.Batches = 0
			}
		})), []string{"cleanup/a dry run respects"}},
		{"never calls Progress", fault(changed(func(l *oauthkit.CleanupLimits) { l.Progress = nil })), []string{
			"cleanup/Cleanup calls CleanupLimits.Progress", "cleanup/Cleanup stops when",
		}},
		{"calls Progress at the end", fault(tellsAfterwards), []string{"cleanup/Cleanup calls CleanupLimits.Progress", "cleanup/Cleanup stops when"}},
		{"ignores the end of its context", fault(unstoppable), []string{"cleanup/Cleanup stops when"}},
		{"loses the counts when it fails", fault(forgetful), []string{"cleanup/Cleanup stops when"}},
	}
}

// cleaner replaces Cleanup.
type cleaner struct {
	Store
	clean cleaning
}

type cleaning func(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error)

func (s cleaner) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (map[string]int, error) {
	return s.clean(ctx, s.Store, limits)
}

// changed returns a Cleanup with modified limits.
func changed(change func(*oauthkit.CleanupLimits)) cleaning {
	return func(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
		change(&limits)
		return store.Cleanup(ctx, limits)
	}
}

// nothing only counts rows.
func nothing(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	if limits.DryRun {
		return store.Cleanup(ctx, limits)
	}
	return nil, nil
}

func early(by time.Duration) cleaning {
	return changed(func(limits *oauthkit.CleanupLimits) { limits.Now = limits.Now.Add(by) })
}

func keysToo(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	keys, err := store.SigningKeys(ctx)
	for _, key := range keys {
		_, failure := store.RemoveSigningKey(ctx, key.ID)
		err = errors.Join(err, failure)
	}
	if err != nil {
		return nil, err
	}
	return store.Cleanup(ctx, limits)
}

func twice(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	removed, err := store.Cleanup(ctx, limits)
	for table := range removed {
		removed[table] *= 2
	}
	return removed, err
}

func tellsAfterwards(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	tell := limits.Progress
	limits.Progress = nil
	removed, err := store.Cleanup(ctx, limits)
	for table, rows := range nonzero(removed) {
		if tell != nil {
			tell(table, rows)
		}
	}
	return removed, err
}

func unstoppable(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	removed, err := store.Cleanup(context.WithoutCancel(ctx), limits)
	return removed, errors.Join(err, ctx.Err())
}

func forgetful(ctx context.Context, store Store, limits oauthkit.CleanupLimits) (map[string]int, error) {
	removed, err := store.Cleanup(ctx, limits)
	if err != nil {
		return nil, err
	}
	return removed, nil
}
