package storetest

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// ignoresRevocation says that it has revoked.
type ignoresRevocation struct{ Store }

func (s ignoresRevocation) RevokeAuthorization(context.Context, string, time.Time) (bool, error) {
	return true, nil
}

func (s ignoresRevocation) RevokeConsent(context.Context, string, string, time.Time) ([]string, error) {
	return nil, nil
}

type revokesAgain struct{ Store }

func (s revokesAgain) RevokeAuthorization(ctx context.Context, id string, now time.Time) (bool, error) {
	_, err := s.Store.RevokeAuthorization(ctx, id, now)
	return true, err
}

type revokesOnlyKnown struct{ Store }

func (s revokesOnlyKnown) RevokeAuthorization(ctx context.Context, id string, now time.Time) (bool, error) {
	changed, err := s.Store.RevokeAuthorization(ctx, id, now)
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

func (s *revokesAll) RevokeAuthorization(ctx context.Context, id string, now time.Time) (bool, error) {
	revoked, err := s.Store.RevokeConsent(ctx, s.saved[id].ClientID, s.saved[id].Subject, now)
	return len(revoked) > 0, err
}
