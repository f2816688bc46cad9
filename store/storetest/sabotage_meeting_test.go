package storetest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// meeting lets a fault meet what it is weak against, even where that comes once in a
// thousand times by itself.
type meeting struct{ reached sync.Map }

func (m *meeting) reach(keys ...string) {
	for _, key := range keys {
		m.reached.Store(key, true)
	}
}

// await lets others run until one of the keys is reached.
func (m *meeting) await(ctx context.Context, keys ...string) {
	for ctx.Err() == nil {
		for _, key := range keys {
			if _, reached := m.reached.Load(key); reached {
				return
			}
		}
		runtime.Gosched()
	}
}

// awaitAnother lets others run until somebody else has come here with the same key.
func (m *meeting) awaitAnother(ctx context.Context, key string) {
	if _, second := m.reached.LoadOrStore(readKey(key), true); second {
		m.reach(changedKey(key))
		return
	}
	m.await(ctx, changedKey(key))
}

// Keys of a meeting, of the ID or hash or subject that it is about.
func readKey(of string) string    { return "read " + of }
func changedKey(of string) string { return "changed " + of }

// revoker is what meets those that check for revocation first.
type revoker struct {
	Store
	meeting
}

func (s *revoker) RevokeAuthorization(ctx context.Context, id string, now time.Time) (bool, error) {
	s.await(ctx, readKey(id))
	defer s.reach(changedKey(id))
	return s.Store.RevokeAuthorization(ctx, id, now)
}

func (s *revoker) RevokeConsent(ctx context.Context, clientID, subject string, now time.Time) ([]string, error) {
	s.await(ctx, readKey(subject))
	defer s.reach(changedKey(subject))
	return s.Store.RevokeConsent(ctx, clientID, subject, now)
}

// meet is called between two steps that should be one.
func (s *revoker) meet(ctx context.Context, authorization *oauthkit.Authorization) {
	s.reach(readKey(authorization.ID), readKey(authorization.Subject))
	s.await(ctx, changedKey(authorization.ID), changedKey(authorization.Subject))
}
