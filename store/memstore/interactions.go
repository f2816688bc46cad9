package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// SaveInteraction implements [oauthkit.Store].
func (s *Store) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, limit int) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, exists := s.interactions[interaction.Hash]; exists {
		return oauthkit.ErrReplayed
	}
	s.trimInteractions(limit-1, func(other *oauthkit.Interaction) bool { return other.BrowserHash == interaction.BrowserHash })
	s.trimInteractions(limit-1, func(other *oauthkit.Interaction) bool { return other.Subject == interaction.Subject })
	s.interactions[interaction.Hash] = copyInteraction(interaction)
	return nil
}

// trimInteractions removes the oldest open interactions that match until left remain.
func (s *Store) trimInteractions(left int, matches func(*oauthkit.Interaction) bool) {
	var open []*oauthkit.Interaction
	for _, other := range s.interactions {
		if other.ConsumedAt.IsZero() && matches(other) {
			open = append(open, other)
		}
	}
	slices.SortFunc(open, func(a, b *oauthkit.Interaction) int { return b.CreatedAt.Compare(a.CreatedAt) })
	for _, surplus := range open[min(left, len(open)):] {
		delete(s.interactions, surplus.Hash)
	}
}

// SharedSecret implements [oauthkit.Store].
func (s *Store) SharedSecret(ctx context.Context, proposed string) (string, error) {
	if err := s.lock(ctx); err != nil {
		return "", err
	}
	defer s.mutex.Unlock()
	if s.sharedSecret == "" {
		s.sharedSecret = proposed
	}
	return s.sharedSecret, nil
}

// Interaction implements [oauthkit.Store].
func (s *Store) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	interaction, exists := s.interactions[hash]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyInteraction(interaction), nil
}

// ConsumeInteraction implements [oauthkit.Store].
func (s *Store) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	interaction, err := s.openInteraction(hash)
	if err != nil {
		return err
	}
	interaction.ConsumedAt = now
	return nil
}

// openInteraction returns an interaction that is not consumed, or an error.
func (s *Store) openInteraction(hash string) (*oauthkit.Interaction, error) {
	interaction, exists := s.interactions[hash]
	switch {
	case !exists:
		return nil, oauthkit.ErrNotFound
	case !interaction.ConsumedAt.IsZero():
		return nil, oauthkit.ErrReplayed
	default:
		return interaction, nil
	}
}
