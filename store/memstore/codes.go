package memstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Code implements [oauthkit.CodeStore].
func (s *Store) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	code, exists := s.codes[hash]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyCode(code, copyAuthorization(code.Authorization)), nil
}

// RedeemCode implements [oauthkit.CodeStore].
func (s *Store) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	code, exists := s.codes[hash]
	switch {
	case !exists:
		return oauthkit.ErrNotFound
	case !code.ConsumedAt.IsZero():
		return oauthkit.ErrReplayed
	case !code.Authorization.RevokedAt.IsZero():
		return oauthkit.ErrRevoked
	case s.tokensExist(tokens):
		return errExists
	}
	code.ConsumedAt, code.Authorization.ExpiresAt = now, tokens.Access.Authorization.ExpiresAt
	delete(s.unredeemed, code.Authorization.ID)
	s.putTokens(tokens, code.Authorization)
	return nil
}
