package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// ignoresRevocation reports a revocation without revoking.
type ignoresRevocation struct{ Store }

func (s ignoresRevocation) RevokeAuthorization(context.Context, string, oauthkit.Revocation) (bool, error) {
	return true, nil
}

func (s ignoresRevocation) RevokeConsent(context.Context, string, string, oauthkit.Revocation) ([]string, error) {
	return nil, nil
}

type revokesAgain struct{ Store }

func (s revokesAgain) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	_, err := s.Store.RevokeAuthorization(ctx, id, revocation)
	return true, err
}

type revokesOnlyKnown struct{ Store }

func (s revokesOnlyKnown) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	changed, err := s.Store.RevokeAuthorization(ctx, id, revocation)
	if err == nil && !changed {
		return false, oauthkit.ErrNotFound
	}
	return changed, err
}

type revokesAll struct {
	Store
	saved map[string]*oauthkit.Authorization
}

func (s *revokesAll) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	s.saved[authorization.ID] = authorization
	return s.Store.SaveTokens(ctx, authorization, tokens)
}

func (s *revokesAll) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	revoked, err := s.Store.RevokeConsent(ctx, s.saved[id].ClientID, s.saved[id].Subject, revocation)
	return len(revoked) > 0, err
}

// endingRaceSabotages are stores that are correct without concurrency.
func endingRaceSabotages() []sabotage {
	both := func(rule string) []string {
		return []string{"connections/RevokeUser" + rule, "connections/RevokeApplication" + rule}
	}
	return []sabotage{
		{"reads the Consent and then saves, during a revocation of all", managed(func(s managing) Store { return &savesUnlooked{ender{managing: s}} }),
			both(" refuses or revokes a code")},
		{"saves an approval in two acts, during a revocation of all", managed(func(s managing) Store { return &savesTwice{ender{managing: s}} }),
			both(" keeps or revokes")},
		{"reads the token and then rotates, during a revocation of all", managed(func(s managing) Store { return &rotatesUnlooked{ender{managing: s}} }),
			both(" leaves no valid")},
		{"counts more than it revokes", managed(func(s managing) Store { return countsMore{s} }), append(both(" refuses tokens"), both(" refuses a concurrent")...)},
		{"counts before it revokes", managed(func(s managing) Store { return &countsFirst{managing: s} }),
			both(" counts each")},
		{"fails during another revocation", managed(func(s managing) Store { return &endsAlone{managing: s} }), []string{
			"connections/concurrent revocations",
		}},
	}
}

// ender runs RevokeUser and RevokeApplication between the two steps of another act.
type ender struct {
	managing
	meeting
}

func (s *ender) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	s.await(ctx, readKey(subject))
	defer s.reach(changedKey(subject))
	return s.managing.RevokeUser(ctx, subject, revocation)
}

func (s *ender) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (int, error) {
	s.await(ctx, readKey(clientID))
	defer s.reach(changedKey(clientID))
	return s.managing.RevokeApplication(ctx, clientID, revocation)
}

// meet waits for the race between two steps that should be atomic.
func (s *ender) meet(ctx context.Context, authorization *oauthkit.Authorization) {
	s.reach(readKey(authorization.ClientID), readKey(authorization.Subject))
	s.await(ctx, changedKey(authorization.ClientID), changedKey(authorization.Subject))
}

type savesUnlooked struct{ ender }

func (s *savesUnlooked) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Consent == nil || approval.ConsentUse == oauthkit.ConsentNew {
		return s.managing.SaveApproval(ctx, approval)
	}
	if _, err := s.Consent(ctx, approval.Consent.ClientID, approval.Consent.Subject); err != nil {
		return oauthkit.ErrRevoked
	}
	s.meet(ctx, approval.Authorization)
	unlooked := *approval
	unlooked.Consent = nil
	return s.managing.SaveApproval(ctx, &unlooked)
}

type savesTwice struct{ ender }

func (s *savesTwice) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	first, second := *approval, *approval
	first.Consent = nil
	if err := s.managing.SaveApproval(ctx, &first); err != nil {
		return err
	}
	s.meet(ctx, approval.Authorization)
	bearer := *approval.Authorization
	bearer.ID = newHash()
	second.Authorization, second.Code = &bearer, nil
	return s.managing.SaveApproval(ctx, &second)
}

type rotatesUnlooked struct{ ender }

func (s *rotatesUnlooked) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	s.meet(ctx, rotation.Successors.Access.Authorization)
	if err := s.managing.RotateRefreshToken(ctx, rotation); !errors.Is(err, oauthkit.ErrRevoked) {
		return err
	}
	return saveAnyway(ctx, s.managing, rotation.Successors)
}

type countsMore struct{ managing }

func (s countsMore) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	revoked, err := s.managing.RevokeUser(ctx, subject, revocation)
	return revoked + 1, err
}

func (s countsMore) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (int, error) {
	revoked, err := s.managing.RevokeApplication(ctx, clientID, revocation)
	return 1 - revoked, err
}

// countsFirst counts the Authorizations before it revokes them.
type countsFirst struct {
	managing
	meeting
}

func (s *countsFirst) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	s.awaitAnother(ctx, subject)
	revoked, err := s.managing.RevokeUser(ctx, subject, revocation)
	if err == nil && revoked == 0 {
		revoked = 1 // counted by another call too
	}
	return revoked, err
}

func (s *countsFirst) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (int, error) {
	s.awaitAnother(ctx, clientID)
	revoked, err := s.managing.RevokeApplication(ctx, clientID, revocation)
	if err == nil && revoked == 0 {
		revoked = 1 // counted by another call too
	}
	return revoked, err
}

type endsAlone struct {
	managing
	meeting
	row sync.Mutex
}

func (s *endsAlone) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	if !s.row.TryLock() {
		s.reach(changedKey(""))
		return 0, errors.New("deadlock detected")
	}
	defer s.row.Unlock()
	s.await(ctx, changedKey(""))
	return s.managing.RevokeUser(ctx, subject, revocation)
}

func disablingSabotages() []sabotage {
	return []sabotage{
		{"revokes only what existed at the beginning", managed(func(s managing) Store { return &revokesSeen{managing: s} }), []string{
			"management/nothing is saved", "management/rows saved while disabling",
		}},
		{"reads the application before it saves", managed(func(s managing) Store { return &looksFirst{revokesSeen: revokesSeen{managing: s}} }), []string{
			"management/rows saved while an",
		}},
		{"refuses an application that is enabled again", managed(func(s managing) Store { return &disablesForEver{managing: s} }), []string{
			"management/an application that",
		}},
	}
}

// revokesSeen does not refuse requests while it revokes.
type revokesSeen struct {
	managing
	mutex sync.Mutex
	saved map[string][]string // ids of Authorizations by client_id
	lock  sync.Mutex          // locks every row
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

func (s *revokesSeen) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	return s.note(approval.Authorization, s.managing.SaveApproval(ctx, approval))
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
		if _, err := s.RevokeAuthorization(ctx, id, oauthkit.Revocation{Now: now}); err != nil {
			return err
		}
	}
	return nil
}

// looksFirst refuses acts that begin after the revocation, but not those that read the
// application before.
type looksFirst struct {
	revokesSeen
	meeting
	off, first sync.Map // client_ids
}

// looks makes every request of an application meet the revocation, except the first
// one, which prepares the race.
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

func (s *looksFirst) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if err := s.looks(ctx, approval.Authorization.ClientID); err != nil {
		return err
	}
	return s.revokesSeen.SaveApproval(ctx, approval)
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
