package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// replayWindow is how long after its expiry a code is kept, so that a replay can be told from nonsense.
const replayWindow = time.Hour

// Cleanup implements [oauthkit.Cleaner].
func (s *Store) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (removed map[string]int, err error) {
	if limits.Now.IsZero() {
		limits.Now = now()
	}
	if limits.Batch <= 0 {
		limits.Batch = 1000
	}
	past := func(t time.Time) bool { return !limits.Now.Before(t) }
	removed = map[string]int{}
	for _, table := range []struct {
		name  string
		clean func() (int, error)
	}{ // authorizations last: each is kept as long as a credential of it
		{"interactions", func() (int, error) {
			return removeRows(ctx, s, s.interactions, limits, func(row *oauthkit.Interaction) bool { return past(row.ExpiresAt) })
		}},
		{"authorization_codes", func() (int, error) {
			return removeRows(ctx, s, s.codes, limits, func(row *oauthkit.AuthorizationCode) bool {
				return past(row.ExpiresAt.Add(replayWindow))
			})
		}},
		{"access_tokens", func() (int, error) {
			return removeRows(ctx, s, s.accessTokens, limits, func(row *oauthkit.AccessToken) bool { return past(row.ExpiresAt) })
		}},
		{"refresh_tokens", func() (int, error) {
			return removeRows(ctx, s, s.refreshTokens, limits, func(row *oauthkit.RefreshToken) bool { return past(row.ExpiresAt) })
		}},
		{"authorizations", func() (int, error) {
			used := s.authorizationsInUse()
			return removeRows(ctx, s, s.authorizations, limits, func(row *oauthkit.Authorization) bool {
				return past(row.ExpiresAt) && !used[row.ID]
			})
		}},
	} {
		removed[table.name], err = table.clean()
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// authorizationsInUse returns the IDs of those that have credentials. None is added to it later: a new credential replaces
// one that is still there, or comes with an Authorization of its own.
func (s *Store) authorizationsInUse() map[string]bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	used := map[string]bool{}
	for _, code := range s.codes {
		used[code.Authorization.ID] = true
	}
	for _, token := range s.accessTokens {
		used[token.Authorization.ID] = true
	}
	for _, token := range s.refreshTokens {
		used[token.Authorization.ID] = true
	}
	return used
}

// removeRows removes the rows that are expired now, and gives way to others between two batches.
func removeRows[Row any](ctx context.Context, s *Store, rows map[string]Row, limits oauthkit.CleanupLimits, expired func(Row) bool) (removed int, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	var keys []string
	for key, row := range rows {
		if expired(row) {
			keys = append(keys, key)
		}
	}
	s.mutex.Unlock()
	batches := 0
	for batch := range slices.Chunk(keys, limits.Batch) {
		if limits.Batches > 0 && batches == limits.Batches {
			return removed, nil
		}
		if err := s.lock(ctx); err != nil {
			return removed, err
		}
		before := len(rows)
		for _, key := range batch {
			delete(rows, key)
		}
		removed += before - len(rows)
		s.mutex.Unlock()
		batches++
	}
	return removed, nil
}
