package storetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

func signInSabotages() []sabotage {
	return []sabotage{
		{"lists what has expired", managed(func(s managing) Store { return listsExpired{s} }), []string{"connections/UserAuthorizations returns the valid"}},
		{"lists what cannot be used", managed(func(s managing) Store { return listsUsed{s} }), []string{"connections/UserAuthorizations omits Authorizations"}},
		{"lists without a limit", managed(func(s managing) Store { return listsAll{s} }), []string{"connections/UserAuthorizations limits the"}},
		{"lists the newest of all", managed(func(s managing) Store { return listsNewest{s} }), []string{"connections/UserAuthorizations omits no"}},
		{"looks for one among the newest", managed(func(s managing) Store { return looksAtNewest{s} }), []string{"connections/UserAuthorizations finds an"}},
		{"finds whoever's it is", managed(func(s managing) Store { return &findsAnybodys{managing: s} }), []string{"connections/UserAuthorizations finds an"}},
		{"does not look at tokens", managed(func(s managing) Store { return neverUsed{s} }), []string{"connections/UserAuthorizations returns the time"}},
	}
}

type listsExpired struct{ managing }

func (s listsExpired) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	query.Now = time.Time{}
	return s.managing.UserAuthorizations(ctx, query)
}

// listsUsed looks at what could be used a moment after it was issued.
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

// listsNewest has one limit for all applications together.
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

// findsAnybodys takes the id for enough.
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
