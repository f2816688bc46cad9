package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/oauthkit/oauthkit"
)

func repeatSabotages() []sabotage {
	return []sabotage{
		{"counts no repeats", func(s Store) Store { return countsNoRepeats{s} }, []string{
			"refresh/RepeatRefreshToken counts the", "refresh/RepeatRefreshToken counts how",
		}},
		{"has no limit for repeats", func(s Store) Store { return repeatsForEver{s} }, []string{
			"refresh/a repeat beyond", "races/concurrent repeats do",
		}},
		{"checks the limit and then repeats", func(s Store) Store { return &looksThenRepeats{Store: s, counted: map[string]int{}} }, []string{
			"races/concurrent repeats do",
		}},
		{"repeats replayed tokens", func(s Store) Store { return repeatsReplayed{s} }, []string{
			"refresh/a repeat returns", "refresh/the retry window",
		}},
		{"repeats revoked tokens", func(s Store) Store { return repeatsRevoked{s} }, []string{
			"refresh/a repeat under", "races/a repeat while",
		}},
		{"counts failed repeats", func(s Store) Store { return countsFailures{s} }, []string{
			"refresh/RepeatRefreshToken does everything",
		}},
		{"reads the clock before it locks", func(s Store) Store { return readsClockEarly{s} }, []string{
			"refresh/the clock of",
		}},
	}
}

type countsNoRepeats struct{ Store }

func (s countsNoRepeats) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	_, err := s.Store.RepeatRefreshToken(ctx, repeat)
	return oauthkit.Repeats{Token: 1, Generations: 1}, err
}

type repeatsForEver struct{ Store }

func (s repeatsForEver) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeat.Limit = 1 << 30
	return s.Store.RepeatRefreshToken(ctx, repeat)
}

type looksThenRepeats struct {
	Store
	mutex   sync.Mutex
	counted map[string]int // by hash
}

func (s *looksThenRepeats) count(hash string, more int) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counted[hash] += more
	return s.counted[hash]
}

func (s *looksThenRepeats) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	if s.count(repeat.Hash, 0) >= repeat.Limit {
		return oauthkit.Repeats{}, oauthkit.ErrExhausted
	}
	for range 100 {
		runtime.Gosched()
	}
	repeat.Limit = 1 << 30
	repeats, err := s.Store.RepeatRefreshToken(ctx, repeat)
	s.count(repeat.Hash, 1)
	return repeats, err
}

type repeatsReplayed struct{ Store }

func (s repeatsReplayed) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeats, err := s.Store.RepeatRefreshToken(ctx, repeat)
	if errors.Is(err, oauthkit.ErrReplayed) {
		return oauthkit.Repeats{Token: 1, Generations: 1}, nil
	}
	return repeats, err
}

type repeatsRevoked struct{ Store }

func (s repeatsRevoked) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeats, err := s.Store.RepeatRefreshToken(ctx, repeat)
	if errors.Is(err, oauthkit.ErrRevoked) {
		return repeats, saveAnyway(ctx, s.Store, oauthkit.Tokens{Access: repeat.Access})
	}
	return repeats, err
}

type countsFailures struct{ Store }

func (s countsFailures) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeats, err := s.Store.RepeatRefreshToken(ctx, repeat)
	if err != nil {
		repeat.Access = nil
		_, _ = s.Store.RepeatRefreshToken(ctx, repeat)
	}
	return repeats, err
}

type readsClockEarly struct{ Store }

func (s readsClockEarly) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	rotation.Now = at(rotation.Now())
	return s.Store.RotateRefreshToken(ctx, rotation)
}

func sealedSabotages() []sabotage {
	return []sabotage{
		{"loses sealed responses", func(s Store) Store { return losesSealed{s} }, []string{
			"refresh/RotateRefreshToken saves the", "fidelity/the sealed response",
		}},
		{"keeps old sealed responses", func(s Store) Store { return keepsSealed{s, map[string][]byte{}} }, []string{
			"refresh/RotateRefreshToken removes the", "refresh/RevokeAuthorization removes the", "cleanup/Cleanup removes and counts sealed",
		}},
		{"keeps the last sealed response of all tokens", func(s Store) Store { return &keepsLastSealed{Store: s} }, []string{
			"refresh/RotateRefreshToken removes the", "refresh/RotateRefreshToken does everything",
		}},
	}
}

type losesSealed struct{ Store }

func (s losesSealed) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	rotation.Sealed = nil
	return s.Store.RotateRefreshToken(ctx, rotation)
}

type keepsSealed struct {
	Store
	sealed map[string][]byte // by hash
}

func (s keepsSealed) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	err := s.Store.RotateRefreshToken(ctx, rotation)
	if err == nil {
		s.sealed[rotation.Hash] = rotation.Sealed
	}
	return err
}

func (s keepsSealed) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	if err == nil {
		token.Sealed = s.sealed[hash]
	}
	return token, err
}

// keepsLastSealed removes all other sealed responses before it checks the token.
type keepsLastSealed struct {
	Store
	last string // the hash
}

func (s *keepsLastSealed) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	s.last = rotation.Hash
	return s.Store.RotateRefreshToken(ctx, rotation)
}

func (s *keepsLastSealed) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	if err == nil && hash != s.last {
		token.Sealed = nil
	}
	return token, err
}
