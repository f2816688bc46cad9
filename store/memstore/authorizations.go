package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// UserAuthorizations implements [oauthkit.AuthorizationManager].
func (s *Store) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	var uses []oauthkit.AuthorizationUse
	for _, authorization := range s.authorizations {
		matches := ofUser(query.Subject)(authorization) && (query.ID == "" || authorization.ID == query.ID)
		if matches && authorization.Valid(query.Now) && s.canBeUsed(authorization, query.Now) {
			uses = append(uses, oauthkit.AuthorizationUse{Authorization: copyAuthorization(authorization), LastUsedAt: s.lastUsed(authorization)})
		}
	}
	slices.SortFunc(uses, func(one, other oauthkit.AuthorizationUse) int {
		return cmp.Or(other.CreatedAt.Compare(one.CreatedAt), strings.Compare(other.ID, one.ID))
	})
	listed := map[string]int{} // by application
	return slices.DeleteFunc(uses, func(use oauthkit.AuthorizationUse) bool {
		listed[use.ClientID]++
		return listed[use.ClientID] > query.Limit
	}), nil
}

// canBeUsed reports whether an Authorization has a valid token, and its code, if any,
// was redeemed.
func (s *Store) canBeUsed(authorization *oauthkit.Authorization, now time.Time) bool {
	if s.unredeemed[authorization.ID] {
		return false
	}
	for _, token := range s.accessTokens {
		if token.Authorization == authorization && now.Before(token.ExpiresAt) {
			return true
		}
	}
	for _, token := range s.refreshTokens {
		if token.Authorization == authorization && token.ConsumedAt.IsZero() && now.Before(token.ExpiresAt) {
			return true
		}
	}
	return false
}

// lastUsed returns the time at which the newest stored token of an Authorization was
// issued.
func (s *Store) lastUsed(authorization *oauthkit.Authorization) time.Time {
	var last time.Time
	for _, token := range s.accessTokens {
		if token.Authorization == authorization && token.IssuedAt.After(last) {
			last = token.IssuedAt
		}
	}
	for _, token := range s.refreshTokens {
		if token.Authorization == authorization && token.IssuedAt.After(last) {
			last = token.IssuedAt
		}
	}
	return last
}

// UserConsents implements [oauthkit.AuthorizationManager].
func (s *Store) UserConsents(ctx context.Context, subject string) ([]*oauthkit.Consent, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	var consents []*oauthkit.Consent
	for key, consent := range s.consents {
		if key.subject == subject {
			consents = append(consents, copyConsent(consent))
		}
	}
	slices.SortFunc(consents, func(one, other *oauthkit.Consent) int {
		return strings.Compare(one.ClientID, other.ClientID)
	})
	return consents, nil
}

// RevokeUser implements [oauthkit.AuthorizationManager].
func (s *Store) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (revoked int, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mutex.Unlock()
	maps.DeleteFunc(s.consents, func(key approver, _ *oauthkit.Consent) bool { return key.subject == subject })
	return s.revokeWhere(revocation, ofUser(subject)), nil
}

// RevokeApplication implements [oauthkit.AuthorizationManager].
func (s *Store) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (revoked int, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mutex.Unlock()
	return s.revokeApplication(clientID, revocation), nil
}

func (s *Store) revokeApplication(clientID string, revocation oauthkit.Revocation) (revoked int) {
	maps.DeleteFunc(s.consents, func(key approver, _ *oauthkit.Consent) bool { return key.clientID == clientID })
	return s.revokeWhere(revocation, ofApplication(clientID))
}

// revokeWhere revokes the Authorizations that match and are not revoked, and returns
// their number.
func (s *Store) revokeWhere(revocation oauthkit.Revocation, matches func(*oauthkit.Authorization) bool) (revoked int) {
	for _, authorization := range s.authorizations {
		if authorization.RevokedAt.IsZero() && matches(authorization) {
			authorization.RevokedAt = revocation.Now
			s.noteRevoked(revocation, authorization)
			revoked++
		}
	}
	return revoked
}

// ofUser matches the Authorizations of a user. An empty subject matches none:
// Authorizations that applications have for themselves belong to no user.
func ofUser(subject string) func(*oauthkit.Authorization) bool {
	return func(authorization *oauthkit.Authorization) bool {
		return subject != "" && authorization.Subject == subject
	}
}

func ofApplication(clientID string) func(*oauthkit.Authorization) bool {
	return func(authorization *oauthkit.Authorization) bool { return authorization.ClientID == clientID }
}
