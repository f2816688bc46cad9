package memstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// SaveCode implements [oauthkit.CodeStore]. It checks everything before it changes
// anything.
func (s *Store) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, ended := s.ended[approval.Authorization.ClientID]; ended {
		return oauthkit.ErrEnded
	}
	interaction, err := s.interactionOf(approval)
	if err != nil {
		return err
	}
	consent, err := s.consentFor(approval)
	if err != nil {
		return err
	}
	_, codeExists := s.codes[code.Hash]
	if _, exists := s.authorizations[approval.Authorization.ID]; exists || codeExists {
		return errExists
	}

	authorization := copyAuthorization(approval.Authorization)
	authorization.ConsentID = ""
	if consent != nil {
		authorization.ConsentID = consent.ID
		s.consents[approver{consent.ClientID, consent.Subject}] = consent
	}
	if interaction != nil {
		interaction.ConsumedAt = code.IssuedAt
	}
	s.authorizations[authorization.ID] = authorization
	s.codes[code.Hash] = copyCode(code, authorization)
	return nil
}

// interactionOf returns the interaction that the approval consumes, or nil if there was
// none.
func (s *Store) interactionOf(approval *oauthkit.Approval) (*oauthkit.Interaction, error) {
	if approval.InteractionHash == "" {
		return nil, nil
	}
	return s.openInteraction(approval.InteractionHash)
}

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
	s.putTokens(tokens, code.Authorization)
	return nil
}
