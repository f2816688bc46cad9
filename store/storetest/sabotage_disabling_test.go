package storetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

func disablingSabotages() []sabotage {
	return []sabotage{
		{"revokes what there was when it began", managed(func(s managing) Store { return &revokesSeen{managing: s} }), []string{
			"management/nothing is saved", "management/rows saved while disabling",
		}},
		{"looks at the application before it saves", managed(func(s managing) Store { return &looksFirst{revokesSeen: revokesSeen{managing: s}} }), []string{
			"management/rows saved while an",
		}},
		{"disables for ever", managed(func(s managing) Store { return &disablesForEver{managing: s} }), []string{
			"management/an application that",
		}},
	}
}

// revokesSeen lets requests go on while it revokes, and has no mark.
type revokesSeen struct {
	managing
	mutex sync.Mutex
	saved map[string][]string // ids of Authorizations by client_id
	lock  sync.Mutex          // of every row
}

func (s *revokesSeen) Hold(context.Context, *oauthkit.Authorization) (func() error, error) {
	s.lock.Lock()
	return func() error { s.lock.Unlock(); return nil }, nil
}

func (s *revokesSeen) note(authorization *oauthkit.Authorization, err error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.saved == nil {
		s.saved = map[string][]string{}
	}
	if err == nil {
		s.saved[authorization.ClientID] = append(s.saved[authorization.ClientID], authorization.ID)
	}
	return err
}

func (s *revokesSeen) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	return s.note(authorization, s.managing.SaveTokens(ctx, authorization, tokens))
}

func (s *revokesSeen) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	return s.note(approval.Authorization, s.managing.SaveCode(ctx, approval, code))
}

func (s *revokesSeen) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	return s.revoke(ctx, app.GetID(), now)
}

func (s *revokesSeen) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	return s.revoke(ctx, clientID, now)
}

func (s *revokesSeen) revoke(ctx context.Context, clientID string, now time.Time) error {
	s.mutex.Lock()
	seen := slices.Clone(s.saved[clientID])
	s.mutex.Unlock()
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, id := range seen {
		if _, err := s.RevokeAuthorization(ctx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// looksFirst refuses what begins after the end, and not what had looked before.
type looksFirst struct {
	revokesSeen
	meeting
	off, first sync.Map // client_ids
}

// looks lets all but the first request of an application, which prepares the race, meet
// the end.
func (s *looksFirst) looks(ctx context.Context, clientID string) error {
	if _, off := s.off.Load(clientID); off {
		return oauthkit.ErrEnded
	}
	if _, second := s.first.LoadOrStore(clientID, true); second {
		s.reach(readKey(clientID))
		s.await(ctx, changedKey(clientID))
	}
	return nil
}

func (s *looksFirst) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if err := s.looks(ctx, authorization.ClientID); err != nil {
		return err
	}
	return s.revokesSeen.SaveTokens(ctx, authorization, tokens)
}

func (s *looksFirst) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	if err := s.looks(ctx, approval.Authorization.ClientID); err != nil {
		return err
	}
	return s.revokesSeen.SaveCode(ctx, approval, code)
}

func (s *looksFirst) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	return s.DeleteApplication(ctx, app.GetID(), now)
}

func (s *looksFirst) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	s.await(ctx, readKey(clientID))
	defer s.reach(changedKey(clientID))
	s.off.Store(clientID, true)
	return s.revokesSeen.DeleteApplication(ctx, clientID, now)
}

type disablesForEver struct {
	managing
	off sync.Map
}

func (s *disablesForEver) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if !oauthkit.IsUsable(app) {
		s.off.Store(app.GetID(), true)
	}
	return s.managing.UpdateApplication(ctx, app, now)
}

func (s *disablesForEver) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if _, off := s.off.Load(authorization.ClientID); off {
		return oauthkit.ErrEnded
	}
	return s.managing.SaveTokens(ctx, authorization, tokens)
}
