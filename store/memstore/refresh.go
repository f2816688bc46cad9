package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// refreshToken is a refresh token with the state of its retry window.
type refreshToken struct {
	oauthkit.RefreshToken
	sealedUntil         time.Time // when its retry window ends
	repeats             int
	repeatedGenerations int // number of tokens in a row before it that were repeated
}

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
	return copyRefreshToken(&token.RefreshToken, copyAuthorization(token.Authorization)), nil
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (s *Store) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	token, exists := s.refreshTokens[rotation.Hash]
	switch {
	case !exists:
		return oauthkit.ErrNotFound
	case !token.ConsumedAt.IsZero():
		return oauthkit.ErrReplayed
	case !token.Authorization.RevokedAt.IsZero():
		return oauthkit.ErrRevoked
	case s.tokensExist(rotation.Successors):
		return errExists
	}
	s.dropSealed(token.Authorization)
	token.ConsumedAt = rotation.Now()
	token.Sealed, token.sealedUntil = slices.Clone(rotation.Sealed), token.ConsumedAt.Add(rotation.Window)
	s.putTokens(rotation.Successors, token.Authorization)
	return nil
}

// dropSealed removes the sealed responses of the tokens of an Authorization.
func (s *Store) dropSealed(authorization *oauthkit.Authorization) {
	for _, token := range s.refreshTokens {
		if token.Authorization == authorization {
			token.Sealed = nil
		}
	}
}

// RepeatRefreshToken implements [oauthkit.RefreshTokenStore].
func (s *Store) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	if err := s.lock(ctx); err != nil {
		return oauthkit.Repeats{}, err
	}
	defer s.mutex.Unlock()
	token, exists := s.refreshTokens[repeat.Hash]
	if !exists {
		return oauthkit.Repeats{}, oauthkit.ErrNotFound
	}
	successor, replaced := s.refreshTokens[repeat.Successor]
	switch {
	case !token.Authorization.RevokedAt.IsZero():
		return oauthkit.Repeats{}, oauthkit.ErrRevoked
	case !token.repeatable(repeat.Now()), !replaced, !successor.follows(token):
		return oauthkit.Repeats{}, oauthkit.ErrReplayed
	case token.repeats >= repeat.Limit:
		return oauthkit.Repeats{}, oauthkit.ErrExhausted
	case repeat.Access != nil && s.accessTokens[repeat.Access.Hash] != nil:
		return oauthkit.Repeats{}, errExists
	}
	token.repeats++
	successor.repeatedGenerations = token.repeatedGenerations + 1
	if repeat.Access != nil {
		s.putTokens(oauthkit.Tokens{Access: repeat.Access}, token.Authorization)
	}
	return oauthkit.Repeats{Token: token.repeats, Generations: successor.repeatedGenerations}, nil
}

// clockTolerance is how far in the future the consumption of a token may be.
const clockTolerance = time.Minute

// repeatable reports whether the retry window of a token is open.
func (t *refreshToken) repeatable(now time.Time) bool {
	return len(t.Sealed) > 0 && !now.After(t.sealedUntil) && !t.ConsumedAt.After(now.Add(clockTolerance))
}

// follows reports whether t belongs to the Authorization of earlier and is not consumed.
func (t *refreshToken) follows(earlier *refreshToken) bool {
	return t.Authorization == earlier.Authorization && t.ConsumedAt.IsZero()
}
