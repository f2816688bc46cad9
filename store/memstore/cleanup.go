package memstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// replayWindow is how long an expired code is kept, so that a replay is not mistaken
// for an unknown code.
const replayWindow = time.Hour

// noticeLife is how long a notice is kept that is due and that no instance claims: its
// receiver was removed, or no program runs oauthkit.Run.
const noticeLife = 7 * 24 * time.Hour

// Cleanup implements [oauthkit.Cleaner].
func (s *Store) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (removed map[string]int, err error) {
	if limits.Now.IsZero() {
		return nil, errors.New("memstore: Cleanup: limits.Now is zero")
	}
	if limits.Batch <= 0 {
		limits.Batch = 1000
	}
	e := expiry(limits.Now)
	removed = map[string]int{}
	if !limits.DryRun {
		s.forget(limits.Now)
	}
	for _, table := range []struct {
		name  string
		clean func(table string) (int, error)
	}{ // authorizations last: each is kept until its credentials are removed
		{"refresh_tokens.sealed", func(table string) (int, error) {
			return clean(ctx, s, table, s.refreshTokens, e.sealed, unseal, limits)
		}},
		{"interactions", func(table string) (int, error) {
			return clean(ctx, s, table, s.interactions, e.interaction, remove, limits)
		}},
		{"authorization_codes", func(table string) (int, error) { return clean(ctx, s, table, s.codes, e.code, remove, limits) }},
		{"access_tokens", func(table string) (int, error) {
			return clean(ctx, s, table, s.accessTokens, e.accessToken, remove, limits)
		}},
		{"refresh_tokens", func(table string) (int, error) {
			return clean(ctx, s, table, s.refreshTokens, e.refreshToken, remove, limits)
		}},
		{"notices", func(table string) (int, error) { return clean(ctx, s, table, s.notices, e.notice, remove, limits) }},
		{"authorizations", func(table string) (int, error) {
			used := s.authorizationsInUse(e, limits.DryRun)
			return clean(ctx, s, table, s.authorizations, func(row *oauthkit.Authorization) bool {
				return e.past(row.ExpiresAt) && !used[row.ID]
			}, remove, limits)
		}},
	} {
		removed[table.name], err = table.clean(table.name)
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// forget removes marks of Authorizations that were removed, and of applications that
// were deleted more than a day ago. Every request that read such an application has
// ended.
func (s *Store) forget(now time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	maps.DeleteFunc(s.endedSessions, func(_ session, at time.Time) bool { return now.Sub(at) > markLife })
	maps.DeleteFunc(s.unredeemed, func(id string, _ bool) bool { return s.authorizations[id] == nil })
	maps.DeleteFunc(s.ended, func(clientID string, at time.Time) bool {
		_, exists := s.applications[clientID]
		return !exists && now.Sub(at) > 24*time.Hour
	})
}

// expiry is the time at which rows must have expired.
type expiry time.Time

func (e expiry) past(t time.Time) bool { return !time.Time(e).Before(t) }

func (e expiry) interaction(row *oauthkit.Interaction) bool { return e.past(row.ExpiresAt) }
func (e expiry) notice(row *oauthkit.Notice) bool           { return e.past(row.DueAt.Add(noticeLife)) }
func (e expiry) accessToken(row *oauthkit.AccessToken) bool { return e.past(row.ExpiresAt) }
func (e expiry) refreshToken(row *refreshToken) bool        { return e.past(row.ExpiresAt) }
func (e expiry) sealed(row *refreshToken) bool {
	return len(row.Sealed) > 0 && time.Time(e).After(row.sealedUntil)
}
func (e expiry) code(row *oauthkit.AuthorizationCode) bool {
	return e.past(row.ExpiresAt.Add(replayWindow))
}

// authorizationsInUse returns the IDs of the Authorizations that have credentials. In a
// dry run, credentials that would be removed do not count. The result stays complete
// while Cleanup runs, because a new credential either replaces one that still exists or
// has a new Authorization.
func (s *Store) authorizationsInUse(e expiry, dryRun bool) map[string]bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	used := map[string]bool{}
	for _, code := range s.codes {
		used[code.Authorization.ID] = used[code.Authorization.ID] || !dryRun || !e.code(code)
	}
	for _, token := range s.accessTokens {
		used[token.Authorization.ID] = used[token.Authorization.ID] || !dryRun || !e.accessToken(token)
	}
	for _, token := range s.refreshTokens {
		used[token.Authorization.ID] = used[token.Authorization.ID] || !dryRun || !e.refreshToken(token)
	}
	return used
}

// clean calls end for the expired rows and unlocks the mutex between two batches. In a
// dry run it counts the rows.
func clean[Row any](
	ctx context.Context, s *Store, table string, rows map[string]Row,
	expired func(Row) bool, end func(rows map[string]Row, key string) bool, limits oauthkit.CleanupLimits,
) (removed int, err error) {
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
	batches := slices.Collect(slices.Chunk(keys, limits.Batch))
	if limits.Batches > 0 {
		batches = batches[:min(limits.Batches, len(batches))]
	}
	for _, batch := range batches {
		cleaned := len(batch)
		if !limits.DryRun {
			if cleaned, err = endRows(ctx, s, rows, batch, end); err != nil {
				return removed, err
			}
			report(limits, table, cleaned)
		}
		removed += cleaned
	}
	if limits.DryRun {
		report(limits, table, removed)
	}
	return removed, nil
}

// endRows calls end for rows and returns how many of them still existed.
func endRows[Row any](
	ctx context.Context, s *Store, rows map[string]Row, keys []string, end func(rows map[string]Row, key string) bool,
) (ended int, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mutex.Unlock()
	for _, key := range keys {
		if end(rows, key) {
			ended++
		}
	}
	return ended, nil
}

func remove[Row any](rows map[string]Row, key string) (removed bool) {
	_, removed = rows[key]
	delete(rows, key)
	return removed
}

// unseal removes the sealed response of a refresh token and keeps the token.
func unseal(tokens map[string]*refreshToken, hash string) (dropped bool) {
	token, exists := tokens[hash]
	if dropped = exists && token.Sealed != nil; dropped {
		token.Sealed = nil
	}
	return dropped
}

func report(limits oauthkit.CleanupLimits, table string, rows int) {
	if limits.Progress != nil && rows > 0 {
		limits.Progress(table, rows)
	}
}
