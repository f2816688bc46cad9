package memstore

import (
	"context"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// approver is the key of a Consent.
type approver struct{ clientID, subject string }

// Consent implements [oauthkit.Store].
func (s *Store) Consent(ctx context.Context, clientID, subject string) (*oauthkit.Consent, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	consent, exists := s.consents[approver{clientID, subject}]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyConsent(consent), nil
}

// RevokeConsent implements [oauthkit.Store].
func (s *Store) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) (revoked []string, err error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	delete(s.consents, approver{clientID, subject})
	for id, authorization := range s.authorizations {
		if authorization.ClientID == clientID && authorization.Subject == subject && authorization.RevokedAt.IsZero() {
			authorization.RevokedAt = revocation.Now
			revoked = append(revoked, id)
			s.noteRevoked(revocation, authorization)
		}
	}
	slices.Sort(revoked)
	return revoked, nil
}

// consentFor returns the Consent to store with the approval, or nil if it needs none.
func (s *Store) consentFor(approval *oauthkit.Approval) (*oauthkit.Consent, error) {
	if approval.Consent == nil {
		return nil, nil
	}
	stored, exists := s.consents[approver{approval.Consent.ClientID, approval.Consent.Subject}]
	switch {
	case approval.ConsentUse != oauthkit.ConsentNew && (!exists || stored.ID != approval.Consent.ID):
		return nil, oauthkit.ErrRevoked // a Consent that was given again has another ID
	case approval.ConsentUse == oauthkit.ConsentRemembered:
		return stored, nil
	}
	given := copyConsent(approval.Consent)
	if exists {
		given.ID, given.CreatedAt = stored.ID, stored.CreatedAt
	}
	return given, nil
}
