package memstore

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

// SaveApproval implements [oauthkit.Store]. It checks everything before it changes
// anything.
func (s *Store) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if s.isEnded(approval.Authorization) {
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
	if s.approvalExists(approval) {
		return errExists
	}

	authorization := copyAuthorization(approval.Authorization)
	authorization.ConsentID = ""
	if consent != nil {
		authorization.ConsentID = consent.ID
		s.consents[approver{consent.ClientID, consent.Subject}] = consent
	}
	if interaction != nil {
		interaction.ConsumedAt = authorization.CreatedAt
	}
	s.authorizations[authorization.ID] = authorization
	if approval.Code != nil {
		s.codes[approval.Code.Hash] = copyCode(approval.Code, authorization)
		s.unredeemed[authorization.ID] = true
	}
	if approval.Tokens != nil {
		s.putTokens(*approval.Tokens, authorization)
	}
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

// approvalExists reports whether SaveApproval would overwrite an Authorization, a code
// or a token.
func (s *Store) approvalExists(approval *oauthkit.Approval) bool {
	if _, exists := s.authorizations[approval.Authorization.ID]; exists {
		return true
	}
	if approval.Code != nil {
		if _, exists := s.codes[approval.Code.Hash]; exists {
			return true
		}
	}
	return approval.Tokens != nil && s.tokensExist(*approval.Tokens)
}
