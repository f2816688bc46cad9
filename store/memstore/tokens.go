package memstore

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

// SaveTokens implements [oauthkit.TokenStore].
func (s *Store) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if s.isEnded(authorization) {
		return oauthkit.ErrEnded
	}
	if _, exists := s.authorizations[authorization.ID]; exists || s.tokensExist(tokens) {
		return errExists
	}
	stored := copyAuthorization(authorization)
	s.authorizations[stored.ID] = stored
	s.putTokens(tokens, stored)
	return nil
}

// tokensExist reports whether putTokens would overwrite a token.
func (s *Store) tokensExist(tokens oauthkit.Tokens) bool {
	if _, exists := s.accessTokens[tokens.Access.Hash]; exists {
		return true
	}
	if tokens.Refresh == nil {
		return false
	}
	_, exists := s.refreshTokens[tokens.Refresh.Hash]
	return exists
}

func (s *Store) putTokens(tokens oauthkit.Tokens, authorization *oauthkit.Authorization) {
	s.accessTokens[tokens.Access.Hash] = copyAccessToken(tokens.Access, authorization)
	if tokens.Refresh != nil {
		s.refreshTokens[tokens.Refresh.Hash] = &refreshToken{RefreshToken: *copyRefreshToken(tokens.Refresh, authorization)}
	}
}

// AccessToken implements [oauthkit.TokenStore].
func (s *Store) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	token, exists := s.accessTokens[hash]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyAccessToken(token, copyAuthorization(token.Authorization)), nil
}

// RevokeAuthorization implements [oauthkit.TokenStore].
func (s *Store) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (changed bool, err error) {
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.mutex.Unlock()
	authorization, exists := s.authorizations[id]
	if !exists || !authorization.RevokedAt.IsZero() {
		return false, nil
	}
	authorization.RevokedAt = revocation.Now
	s.dropSealed(authorization)
	if authorization.Subject != "" && authorization.SessionID != "" {
		s.note(revocation, oauthkit.NoticeAccessRevoked, noticeKey{
			clientID: authorization.ClientID, subject: authorization.Subject, sessionID: authorization.SessionID,
		})
	}
	return true, nil
}
