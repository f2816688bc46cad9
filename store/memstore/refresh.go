package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// RefreshToken implements [oauthkit.RefreshTokenStore].
func (s *Store) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	token, exists := s.refreshTokens[hash]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyRefreshToken(token, copyAuthorization(token.Authorization)), nil
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (s *Store) RotateRefreshToken(ctx context.Context, hash string, successors oauthkit.Tokens, sealed []byte, now time.Time) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	token, exists := s.refreshTokens[hash]
	switch {
	case !exists:
		return oauthkit.ErrNotFound
	case !token.ConsumedAt.IsZero():
		return oauthkit.ErrReplayed
	case !token.Authorization.RevokedAt.IsZero():
		return oauthkit.ErrRevoked
	case s.tokensExist(successors):
		return errExists
	}
	for _, earlier := range s.refreshTokens {
		if earlier.Authorization == token.Authorization {
			earlier.Sealed = nil
		}
	}
	token.ConsumedAt = now
	token.Sealed = slices.Clone(sealed)
	s.putTokens(successors, token.Authorization)
	return nil
}
