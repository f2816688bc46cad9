package storetest

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

func sealedSabotages() []sabotage {
	return []sabotage{
		{"loses what was sealed", func(s Store) Store { return losesSealed{s} }, []string{
			"refresh/RotateRefreshToken saves the", "fidelity/the sealed response",
		}},
		{"keeps what was sealed", func(s Store) Store { return keepsSealed{s, map[string][]byte{}} }, []string{
			"refresh/RotateRefreshToken removes the", "refresh/RevokeAuthorization removes the", "cleanup/Cleanup removes and counts sealed",
		}},
		{"keeps what was sealed last, of anybody", func(s Store) Store { return &keepsLastSealed{Store: s} }, []string{
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

// keepsLastSealed has forgotten the rest before it looks whether the token may be used.
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
