package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Each of these stores is correct without concurrency.
func raceSabotages() []sabotage {
	return []sabotage{
		{"reads and then updates", func(s Store) Store { return &readsThenUpdates{Store: s} }, []string{
			"races/exactly one of 100 concurrent redemptions", "races/exactly one of 100 concurrent uses", "races/an interaction that",
			"races/exactly one of many concurrent approvals", "races/one interaction issues", "races/exactly one of many concurrent AddSigningKey",
		}},
		{"checks for revocation and then saves", func(s Store) Store { return &checksThenSaves{revoker{Store: s}} }, []string{
			"races/redeeming a code", "races/a code saved", "races/a Consent that is widened while", "races/an approval of any",
		}},
		{"checks for revocation and then rotates", func(s Store) Store { return &checksThenRotates{revoker{Store: s}} }, []string{
			"races/a refresh while the Authorization", "races/a refresh while the Consent",
		}},
		{"saves an approval in two acts", func(s Store) Store { return &savesInTwoActs{revoker{Store: s}} }, []string{
			"races/a Consent given",
		}},
		{"reports revocations before it revokes", func(s Store) Store { return &reportsEarly{revoker: revoker{Store: s}} }, []string{
			"races/an Authorization without",
		}},
		{"reads the Consent and then inserts it", func(s Store) Store { return &insertsConsent{Store: s} }, []string{
			"races/concurrent approvals create", "races/concurrent approvals after",
		}},
		{"lists Authorizations and then revokes them", func(s Store) Store { return &listsThenRevokes{Store: s} }, []string{
			"races/concurrent RevokeConsent calls",
		}},
		{"fails if a row is locked", func(s Store) Store { return &deadlocks{Store: s} }, []string{
			"races/concurrent acts on",
		}},
	}
}

type readsThenUpdates struct {
	Store
	meeting
}

func (s *readsThenUpdates) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	code, err := s.Code(ctx, hash)
	if err != nil {
		return err
	}
	if !code.ConsumedAt.IsZero() {
		return oauthkit.ErrReplayed
	}
	s.awaitAnother(ctx, hash)
	if s.Store.RedeemCode(ctx, hash, tokens, now) != nil {
		return saveAnyway(ctx, s.Store, tokens)
	}
	return nil
}

func (s *readsThenUpdates) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	token, err := s.RefreshToken(ctx, rotation.Hash)
	if err != nil {
		return err
	}
	if !token.ConsumedAt.IsZero() {
		return oauthkit.ErrReplayed
	}
	s.awaitAnother(ctx, rotation.Hash)
	if s.Store.RotateRefreshToken(ctx, rotation) != nil {
		return saveAnyway(ctx, s.Store, rotation.Successors)
	}
	return nil
}

func (s *readsThenUpdates) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	rest := *approval
	rest.InteractionHash = ""
	if approval.InteractionHash != "" {
		interaction, err := s.Interaction(ctx, approval.InteractionHash)
		if err != nil {
			return err
		}
		if !interaction.ConsumedAt.IsZero() {
			return oauthkit.ErrReplayed
		}
		s.awaitAnother(ctx, approval.InteractionHash)
		_ = s.Store.ConsumeInteraction(ctx, approval.InteractionHash, approval.Authorization.CreatedAt)
	}
	return s.Store.SaveApproval(ctx, &rest)
}

func (s *readsThenUpdates) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	s.await(ctx, readKey(hash))
	defer s.reach(changedKey(hash))
	return s.Store.ConsumeInteraction(ctx, hash, now)
}

func (s *readsThenUpdates) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(keys, func(stored *oauthkit.SigningKey) bool { return stored.Generation == key.Generation }) {
		return oauthkit.ErrReplayed
	}
	s.awaitAnother(ctx, key.Algorithm)
	_ = s.Store.AddSigningKey(ctx, key)
	return nil
}

type checksThenSaves struct{ revoker }

func (s *checksThenSaves) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	code, err := s.Code(ctx, hash)
	if err != nil {
		return err
	}
	if !code.Authorization.RevokedAt.IsZero() {
		return oauthkit.ErrRevoked
	}
	s.meet(ctx, code.Authorization)
	if err := s.Store.RedeemCode(ctx, hash, tokens, now); !errors.Is(err, oauthkit.ErrRevoked) {
		return err
	}
	return saveAnyway(ctx, s.Store, tokens)
}

func (s *checksThenSaves) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Consent == nil || approval.ConsentUse == oauthkit.ConsentNew {
		return s.Store.SaveApproval(ctx, approval)
	}
	if _, err := s.Consent(ctx, approval.Consent.ClientID, approval.Consent.Subject); err != nil {
		return oauthkit.ErrRevoked
	}
	s.meet(ctx, approval.Authorization)
	unchecked := *approval
	if approval.ConsentUse == oauthkit.ConsentWidened {
		unchecked.ConsentUse = oauthkit.ConsentNew
	} else {
		unchecked.Consent = nil
	}
	return s.Store.SaveApproval(ctx, &unchecked)
}

type checksThenRotates struct{ revoker }

func (s *checksThenRotates) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	token, err := s.RefreshToken(ctx, rotation.Hash)
	if err != nil {
		return err
	}
	if !token.Authorization.RevokedAt.IsZero() {
		return oauthkit.ErrRevoked
	}
	s.meet(ctx, token.Authorization)
	if err := s.Store.RotateRefreshToken(ctx, rotation); !errors.Is(err, oauthkit.ErrRevoked) {
		return err
	}
	return saveAnyway(ctx, s.Store, rotation.Successors)
}

type savesInTwoActs struct{ revoker }

func (s *savesInTwoActs) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	first, second := *approval, *approval
	first.Consent = nil
	if err := s.Store.SaveApproval(ctx, &first); err != nil {
		return err
	}
	s.meet(ctx, approval.Authorization)
	bearer := *approval.Authorization
	bearer.ID = newHash()
	second.Authorization, second.Code = &bearer, nil
	return s.Store.SaveApproval(ctx, &second)
}

type reportsEarly struct {
	revoker
	saved sync.Map // the ID, by subject
}

func (s *reportsEarly) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.saved.Store(approval.Authorization.Subject, approval.Authorization.ID)
	s.meet(ctx, approval.Authorization)
	return s.Store.SaveApproval(ctx, approval)
}

func (s *reportsEarly) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	if _, err := s.revoker.RevokeConsent(ctx, clientID, subject, revocation); err != nil {
		return nil, err
	}
	if id, known := s.saved.Load(subject); known {
		return []string{id.(string)}, nil
	}
	return nil, nil
}

type insertsConsent struct {
	Store
	meeting
}

func (s *insertsConsent) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	_, err := s.Consent(ctx, approval.Consent.ClientID, approval.Consent.Subject)
	if errors.Is(err, oauthkit.ErrNotFound) {
		s.awaitAnother(ctx, approval.Consent.Subject)
		if _, err := s.Consent(ctx, approval.Consent.ClientID, approval.Consent.Subject); err == nil {
			return errors.New("duplicate key")
		}
	}
	return s.Store.SaveApproval(ctx, approval)
}

type listsThenRevokes struct {
	Store
	meeting
	mutex sync.Mutex
	alive []string
}

func (s *listsThenRevokes) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.alive = append(s.alive, approval.Authorization.ID)
	return s.Store.SaveApproval(ctx, approval)
}

func (s *listsThenRevokes) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	s.mutex.Lock()
	ids := slices.Clone(s.alive)
	s.mutex.Unlock()
	s.awaitAnother(ctx, subject)
	s.mutex.Lock()
	s.alive = nil
	s.mutex.Unlock()
	_, err := s.Store.RevokeConsent(ctx, clientID, subject, revocation)
	return ids, err
}

type deadlocks struct {
	Store
	meeting
	row sync.Mutex
}

func (s *deadlocks) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	if !s.row.TryLock() {
		s.reach(changedKey(id))
		return false, errors.New("deadlock detected")
	}
	defer s.row.Unlock()
	s.await(ctx, changedKey(id))
	return s.Store.RevokeAuthorization(ctx, id, revocation)
}

// meeting makes a race happen that would otherwise be rare.
type meeting struct{ reached sync.Map }

func (m *meeting) reach(keys ...string) {
	for _, key := range keys {
		m.reached.Store(key, true)
	}
}

// await yields until one of the keys is reached.
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

// awaitAnother yields until another goroutine calls it with the same key.
func (m *meeting) awaitAnother(ctx context.Context, key string) {
	if _, second := m.reached.LoadOrStore(readKey(key), true); second {
		m.reach(changedKey(key))
		return
	}
	m.await(ctx, changedKey(key))
}

// Keys of a meeting, by ID, hash or subject.
func readKey(of string) string    { return "read " + of }
func changedKey(of string) string { return "changed " + of }

// revoker revokes between the two steps of another act.
type revoker struct {
	Store
	meeting
}

func (s *revoker) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	s.await(ctx, readKey(id))
	defer s.reach(changedKey(id))
	return s.Store.RevokeAuthorization(ctx, id, revocation)
}

func (s *revoker) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	s.await(ctx, readKey(subject))
	defer s.reach(changedKey(subject))
	return s.Store.RevokeConsent(ctx, clientID, subject, revocation)
}

// meet waits for the race between two steps that should be atomic.
func (s *revoker) meet(ctx context.Context, authorization *oauthkit.Authorization) {
	s.reach(readKey(authorization.ID), readKey(authorization.Subject))
	s.await(ctx, changedKey(authorization.ID), changedKey(authorization.Subject))
}
