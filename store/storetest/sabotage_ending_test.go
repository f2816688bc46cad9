package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// endingRaceSabotages are right as long as nobody else does anything.
func endingRaceSabotages() []sabotage {
	both := func(rule string) []string {
		return []string{"connections/RevokeUser" + rule, "connections/RevokeApplication" + rule}
	}
	return []sabotage{
		{"looks for consent and then saves, while all is ended", managed(func(s managing) Store { return &savesUnlooked{ender{managing: s}} }),
			both(" refuses or revokes a code")},
		{"saves an approval in two acts, while all is ended", managed(func(s managing) Store { return &savesTwice{ender{managing: s}} }),
			both(" keeps or revokes")},
		{"looks at the token and then rotates, while all is ended", managed(func(s managing) Store { return &rotatesUnlooked{ender{managing: s}} }),
			both(" leaves no valid")},
		{"counts more than it revokes", managed(func(s managing) Store { return countsMore{s} }), both(" refuses tokens")},
		{"counts what it is about to revoke", managed(func(s managing) Store { return &countsFirst{managing: s} }),
			both(" counts each")},
		{"gives up when another one ends something", managed(func(s managing) Store { return &endsAlone{managing: s} }), []string{
			"connections/concurrent revocations",
		}},
	}
}

// ender is what meets those that look first: RevokeUser and RevokeApplication.
type ender struct {
	managing
	meeting
}

func (s *ender) RevokeUser(ctx context.Context, subject string, now time.Time) (int, error) {
	s.await(ctx, readKey(subject))
	defer s.reach(changedKey(subject))
	return s.managing.RevokeUser(ctx, subject, now)
}

func (s *ender) RevokeApplication(ctx context.Context, clientID string, now time.Time) (int, error) {
	s.await(ctx, readKey(clientID))
	defer s.reach(changedKey(clientID))
	return s.managing.RevokeApplication(ctx, clientID, now)
}

// meet is called between two steps that should be one.
func (s *ender) meet(ctx context.Context, authorization *oauthkit.Authorization) {
	s.reach(readKey(authorization.ClientID), readKey(authorization.Subject))
	s.await(ctx, changedKey(authorization.ClientID), changedKey(authorization.Subject))
}

type savesUnlooked struct{ ender }

func (s *savesUnlooked) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	if approval.Consent == nil || approval.ConsentUse == oauthkit.ConsentNew {
		return s.managing.SaveCode(ctx, approval, code)
	}
	if _, err := s.Consent(ctx, approval.Consent.ClientID, approval.Consent.Subject); err != nil {
		return oauthkit.ErrRevoked
	}
	s.meet(ctx, approval.Authorization)
	unlooked := *approval
	unlooked.Consent = nil
	return s.managing.SaveCode(ctx, &unlooked, code)
}

type savesTwice struct{ ender }

func (s *savesTwice) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	first, second := *approval, *approval
	first.Consent = nil
	if err := s.managing.SaveCode(ctx, &first, code); err != nil {
		return err
	}
	s.meet(ctx, approval.Authorization)
	bearer, unused := *approval.Authorization, *code
	bearer.ID, unused.Hash = newHash(), newHash()
	second.Authorization = &bearer
	return s.managing.SaveCode(ctx, &second, &unused)
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

func (s countsMore) RevokeUser(ctx context.Context, subject string, now time.Time) (int, error) {
	revoked, err := s.managing.RevokeUser(ctx, subject, now)
	return revoked + 1, err
}

func (s countsMore) RevokeApplication(ctx context.Context, clientID string, now time.Time) (int, error) {
	revoked, err := s.managing.RevokeApplication(ctx, clientID, now)
	return 1 - revoked, err
}

// countsFirst counts what has a user or an application, which nobody else may have done
// since.
type countsFirst struct {
	managing
	meeting
}

func (s *countsFirst) RevokeUser(ctx context.Context, subject string, now time.Time) (int, error) {
	s.awaitAnother(ctx, subject)
	revoked, err := s.managing.RevokeUser(ctx, subject, now)
	if err == nil && revoked == 0 {
		revoked = 1 // of another's
	}
	return revoked, err
}

func (s *countsFirst) RevokeApplication(ctx context.Context, clientID string, now time.Time) (int, error) {
	s.awaitAnother(ctx, clientID)
	revoked, err := s.managing.RevokeApplication(ctx, clientID, now)
	if err == nil && revoked == 0 {
		revoked = 1 // of another's
	}
	return revoked, err
}

type endsAlone struct {
	managing
	meeting
	row sync.Mutex
}

func (s *endsAlone) RevokeUser(ctx context.Context, subject string, now time.Time) (int, error) {
	if !s.row.TryLock() {
		s.reach(changedKey(""))
		return 0, errors.New("deadlock detected")
	}
	defer s.row.Unlock()
	s.await(ctx, changedKey(""))
	return s.managing.RevokeUser(ctx, subject, now)
}
