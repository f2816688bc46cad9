package memstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// SaveInteraction implements [oauthkit.InteractionStore].
func (s *Store) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, exists := s.interactions[interaction.Hash]; exists {
		return errExists
	}
	s.interactions[interaction.Hash] = copyInteraction(interaction)
	return nil
}

// Interaction implements [oauthkit.InteractionStore].
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

// ConsumeInteraction implements [oauthkit.InteractionStore].
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

// openInteraction returns one that can be consumed.
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
