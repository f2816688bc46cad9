package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// managing is a store with every optional interface except OwnerLimiter.
type managing interface {
	Store
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
}

// managed adapts a fault in an optional interface.
func managed(commit func(managing) Store) func(Store) Store {
	return func(s Store) Store { return commit(s.(managing)) }
}

func connectionSabotages() []sabotage {
	return append(signInSabotages(), []sabotage{
		{"lists one consent", managed(func(s managing) Store { return listsOne{s} }), []string{"connections/UserConsents returns the"}},
		{"ignores the case of subjects", managed(func(s managing) Store { return foldsListed{s} }), []string{"connections/users see and"}},
		{"revokes Authorizations without a user", managed(func(s managing) Store { return &revokesNobodys{managing: s} }), []string{"connections/Authorizations of applications"}},
		{"returns stored lists, not copies", managed(func(s managing) Store { return &keepsLists{managing: s} }), []string{
			"connections/UserAuthorizations and UserConsents",
		}},
		{"ignores failures of lists", managed(func(s managing) Store { return answersConnections{s} }), []string{"connections/managing Authorizations returns"}},
		{"revokes nothing", managed(func(s managing) Store { return endsNothing{s} }), []string{
			"connections/RevokeUser deletes", "connections/RevokeUser counts newly", "connections/RevokeUser refuses or revokes", "connections/RevokeUser leaves no valid",
			"connections/RevokeApplication deletes", "connections/RevokeApplication counts newly", "connections/RevokeApplication refuses or revokes",
			"connections/RevokeApplication leaves no valid",
		}},
		{"revokes other users too", managed(func(s managing) Store { return endsEverybodys{s} }), []string{"connections/RevokeUser deletes"}},
		{"keeps Consents", managed(func(s managing) Store { return &leavesConsent{s, nil} }), []string{"connections/RevokeApplication deletes"}},
		{"refuses new approvals after a revocation", managed(func(s managing) Store { return &endsForEver{managing: s} }), []string{
			"connections/RevokeUser allows new", "connections/RevokeApplication allows new",
		}},
	}...)
}

type listsOne struct{ managing }

func (s listsOne) UserConsents(ctx context.Context, subject string) ([]*oauthkit.Consent, error) {
	consents, err := s.managing.UserConsents(ctx, subject)
	return consents[:min(len(consents), 1)], err
}

type foldsListed struct{ managing }

func (s foldsListed) UserConsents(ctx context.Context, subject string) ([]*oauthkit.Consent, error) {
	consents, err := s.managing.UserConsents(ctx, subject)
	if folded := strings.ToLower(subject); err == nil && folded != subject {
		return s.managing.UserConsents(ctx, folded)
	}
	return consents, err
}

type revokesNobodys struct {
	managing
	saved []string // the IDs of the Authorizations without a user
}

func (s *revokesNobodys) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if authorization.Subject == "" {
		s.saved = append(s.saved, authorization.ID)
	}
	return s.managing.SaveTokens(ctx, authorization, tokens)
}

func (s *revokesNobodys) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	if subject != "" {
		return s.managing.RevokeUser(ctx, subject, revocation)
	}
	for _, id := range s.saved {
		if _, err := s.RevokeAuthorization(ctx, id, revocation); err != nil {
			return 0, err
		}
	}
	return len(s.saved), nil
}

type keepsLists struct {
	managing
	uses []oauthkit.AuthorizationUse
}

func (s *keepsLists) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) (uses []oauthkit.AuthorizationUse, err error) {
	if s.uses == nil {
		s.uses, err = s.managing.UserAuthorizations(ctx, query)
	}
	return s.uses, err
}

type answersConnections struct{ managing }

func (s answersConnections) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	if subject == "" {
		return 0, nil
	}
	return s.managing.RevokeUser(ctx, subject, revocation)
}

type endsNothing struct{ managing }

func (endsNothing) RevokeUser(context.Context, string, oauthkit.Revocation) (int, error) {
	return 0, nil
}
func (endsNothing) RevokeApplication(context.Context, string, oauthkit.Revocation) (int, error) {
	return 0, nil
}

// endsEverybodys revokes all applications that a user approved, for every user.
type endsEverybodys struct{ managing }

func (s endsEverybodys) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	consents, err := s.UserConsents(ctx, subject)
	if err != nil {
		return 0, err
	}
	for _, consent := range consents {
		if _, err := s.RevokeApplication(ctx, consent.ClientID, revocation); err != nil {
			return 0, err
		}
	}
	return s.managing.RevokeUser(ctx, subject, revocation)
}

// leavesConsent revokes the Authorizations of an application one by one.
type leavesConsent struct {
	managing
	saved []*oauthkit.Authorization
}

func (s *leavesConsent) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.saved = append(s.saved, approval.Authorization)
	return s.managing.SaveApproval(ctx, approval)
}

func (s *leavesConsent) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	s.saved = append(s.saved, authorization)
	return s.managing.SaveTokens(ctx, authorization, tokens)
}

func (s *leavesConsent) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (revoked int, err error) {
	for _, authorization := range s.saved {
		if authorization.ClientID != clientID {
			continue
		}
		changed, err := s.RevokeAuthorization(ctx, authorization.ID, revocation)
		if err != nil {
			return 0, err
		}
		if changed {
			revoked++
		}
	}
	return revoked, nil
}

// endsForEver records users and applications that were revoked.
type endsForEver struct {
	managing
	ended []string
}

func (s *endsForEver) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	s.ended = append(s.ended, subject)
	return s.managing.RevokeUser(ctx, subject, revocation)
}

func (s *endsForEver) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (int, error) {
	s.ended = append(s.ended, clientID)
	return s.managing.RevokeApplication(ctx, clientID, revocation)
}

func (s *endsForEver) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if slices.Contains(s.ended, approval.Authorization.Subject) || slices.Contains(s.ended, approval.Authorization.ClientID) {
		return oauthkit.ErrRevoked
	}
	return s.managing.SaveApproval(ctx, approval)
}

func signInSabotages() []sabotage {
	return []sabotage{
		{"lists expired Authorizations", managed(func(s managing) Store { return listsExpired{s} }), []string{"connections/UserAuthorizations returns the valid"}},
		{"lists Authorizations without a usable token", managed(func(s managing) Store { return listsUsed{s} }), []string{"connections/UserAuthorizations omits Authorizations"}},
		{"lists without a limit", managed(func(s managing) Store { return listsAll{s} }), []string{"connections/UserAuthorizations limits the"}},
		{"limits all applications together", managed(func(s managing) Store { return listsNewest{s} }), []string{"connections/UserAuthorizations omits no"}},
		{"looks up an id among the newest only", managed(func(s managing) Store { return looksAtNewest{s} }), []string{"connections/UserAuthorizations finds an"}},
		{"finds Authorizations of other users", managed(func(s managing) Store { return &findsAnybodys{managing: s} }), []string{"connections/UserAuthorizations finds an"}},
		{"ignores tokens for LastUsedAt", managed(func(s managing) Store { return neverUsed{s} }), []string{"connections/UserAuthorizations returns the time"}},
	}
}

type listsExpired struct{ managing }

func (s listsExpired) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	query.Now = time.Time{}
	return s.managing.UserAuthorizations(ctx, query)
}

// listsUsed lists Authorizations that could be used just after they were issued.
type listsUsed struct{ managing }

func (s listsUsed) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	query.Now = query.Now.Add(-2 * time.Minute)
	return s.managing.UserAuthorizations(ctx, query)
}

type listsAll struct{ managing }

func (s listsAll) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	query.Limit = 1000
	return s.managing.UserAuthorizations(ctx, query)
}

// listsNewest applies one limit to all applications together.
type listsNewest struct{ managing }

func (s listsNewest) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	uses, err := s.managing.UserAuthorizations(ctx, query)
	return uses[:min(len(uses), query.Limit)], err
}

type looksAtNewest struct{ managing }

func (s looksAtNewest) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	id := query.ID
	query.ID = ""
	uses, err := s.managing.UserAuthorizations(ctx, query)
	return slices.DeleteFunc(uses, func(use oauthkit.AuthorizationUse) bool { return id != "" && use.ID != id }), err
}

// findsAnybodys ignores the subject.
type findsAnybodys struct {
	managing
	owners sync.Map // of Authorizations by id
}

func (s *findsAnybodys) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	s.owners.Store(authorization.ID, authorization.Subject)
	return s.managing.SaveTokens(ctx, authorization, tokens)
}

func (s *findsAnybodys) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	if owner, ok := s.owners.Load(query.ID); ok {
		query.Subject = owner.(string)
	}
	return s.managing.UserAuthorizations(ctx, query)
}

type neverUsed struct{ managing }

func (s neverUsed) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	uses, err := s.managing.UserAuthorizations(ctx, query)
	for i := range uses {
		uses[i].LastUsedAt = uses[i].CreatedAt
	}
	return uses, err
}
