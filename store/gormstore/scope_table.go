package gormstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// ScopeTable are scopes in two tables in the database of the applications: which there are, and which of them an application may
// have. They are an [oauthkit.ScopeBackend] for a host whose scopes change while its programs run; one that does not put them
// into [oauthkit.Config] pays nothing for them. Every instance sees a change with its next request.
//
// An application that [ScopeTable.Allow] was never called for may have every scope that its own AllowsScope allows, which is asked
// in any case. Where a request names no scope, it gets the defaults that were given to it, or those of [ScopeTable.Set] where none
// were given; never one that is not available to it.
type ScopeTable struct{ *database }

var _ oauthkit.ScopeBackend = (*ScopeTable)(nil)

// Scope is one of the scopes that there are.
type Scope struct {
	// Name is what requests name it by: visible ASCII without quotation marks and backslashes (RFC 6749 §3.3).
	Name string
	// Description is what the consent page shows after "This application will be able to".
	Description string
	// Default says whether it is given where a request names no scope and the application has no defaults of its own.
	Default bool
}

func scopeColumns() columns[Scope] {
	return columns[Scope]{
		plain("name", func(s *Scope) *string { return &s.Name }),
		plain("description", func(s *Scope) *string { return &s.Description }),
		plain("is_default", func(s *Scope) *bool { return &s.Default }),
	}
}

// All implements [oauthkit.ScopeBackend], with one statement.
func (s *ScopeTable) All(ctx context.Context) (map[string]string, error) {
	scopes, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(scopes))
	for _, scope := range scopes {
		texts[scope.Name] = scope.Description
	}
	return texts, nil
}

// An application with rows has those scopes alone. Allow makes one row more, without a scope, so that one that may have nothing is
// told from one that may have all.
const availableScopes = `SELECT name FROM {scopes}
WHERE NOT EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id)
OR EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id AND scope = name)
ORDER BY name`

// Available implements [oauthkit.ScopeBackend], with one statement. The request makes no difference.
func (s *ScopeTable) Available(ctx context.Context, app oauthkit.Application, _ oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	scopes, err := s.queryStrings(ctx, s.pool(), availableScopes, arguments{clientID: app.GetID()})
	return scopes, storeError("finding the scopes of an application", err)
}

const defaultScopes = `SELECT name FROM {scopes} s LEFT JOIN {application_scopes} a ON a.client_id = @client_id AND a.scope = s.name
WHERE CASE
	WHEN EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id AND is_default) THEN a.is_default
	WHEN EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id) THEN s.is_default AND a.scope IS NOT NULL
	ELSE s.is_default
END ORDER BY name`

// Default implements [oauthkit.ScopeBackend], with one statement. The request makes no difference.
func (s *ScopeTable) Default(ctx context.Context, app oauthkit.Application, _ oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	scopes, err := s.queryStrings(ctx, s.pool(), defaultScopes, arguments{clientID: app.GetID()})
	return scopes, storeError("finding the default scopes of an application", err)
}

// List returns the scopes that there are, in the order of their names.
func (s *ScopeTable) List(ctx context.Context) ([]Scope, error) {
	var scopes []Scope
	err := s.queryRows(ctx, s.pool(), `SELECT [scope] FROM {scopes} ORDER BY name`, arguments{}, func(scan func(...any) error) error {
		var scope Scope
		err := scan(s.tables.scopes.fields(nil, &scope)...)
		scopes = append(scopes, scope)
		return err
	})
	if err != nil {
		return nil, storeError("listing scopes", err)
	}
	return scopes, nil
}

// Set adds a scope, or changes what is said about the one of that name. A name that no request could hold is refused with an error
// that holds [oauthkit.Problems].
func (s *ScopeTable) Set(ctx context.Context, scope Scope) error {
	var problems oauthkit.Problems
	words, err := oauthkit.ParseScopes(scope.Name)
	switch {
	case err != nil || len(words) != 1:
		problems.Add("name", "must be one word of visible characters without quotation marks and backslashes")
	case scope.Name == oauthkit.IntrospectionScope:
		problems.Add("name", "%s lets an application introspect; no token can have it", scope.Name)
	}
	if len(problems) > 0 {
		return storeError("setting a scope", problems)
	}
	_, err = s.execute(ctx, s.pool(), `INSERT INTO {scopes} ([scope]) VALUES (@[scope])
ON CONFLICT (name) DO UPDATE SET description = excluded.description, is_default = excluded.is_default`,
		arguments{scope: &scope})
	return storeError("setting a scope", err)
}

// Remove removes a scope, also from the applications that it was allowed to, which may not have more for that. What was issued with
// it stays as it is. Without one of that name the error wraps [oauthkit.ErrNotFound].
func (s *ScopeTable) Remove(ctx context.Context, name string) error {
	err := s.dialect.underLock(ctx, s.database, func(tx *gorm.DB) error {
		removed, err := s.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {scopes} WHERE name = @name`, arguments{name: name})
		if err == nil && removed == 0 {
			err = fmt.Errorf("%q: %w", name, oauthkit.ErrNotFound)
		}
		if err != nil {
			return err
		}
		_, err = s.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {application_scopes} WHERE scope = @name`, arguments{name: name})
		return err
	})
	return storeError("removing a scope", err)
}

// Allow says which scopes an application may have, and which of them it gets where a request names none, in the place of what was
// said before. With no scopes it may have none. A scope that does not exist, and a default that is not among the scopes, are
// refused with an error that holds [oauthkit.Problems]; without such an application it wraps [oauthkit.ErrNotFound].
func (s *ScopeTable) Allow(ctx context.Context, clientID string, scopes, defaults oauthkit.Scopes) error {
	// Under the lock, no scope is removed and no other list is written; what locks the application's row waits for a removal of it.
	err := s.dialect.underLock(ctx, s.database, func(tx *gorm.DB) error {
		pool := tx.Statement.ConnPool
		if err := s.allowable(ctx, pool, scopes, defaults); err != nil {
			return err
		}
		err := s.queryRow(ctx, pool, `SELECT client_id FROM {applications} WHERE client_id = @client_id FOR UPDATE`,
			arguments{clientID: clientID}, new(string))
		if err != nil {
			return fmt.Errorf("%q: %w", clientID, err)
		}
		if _, err := s.execute(ctx, pool, forgetApplicationScopes, arguments{clientID: clientID}); err != nil {
			return err
		}
		restricted := oauthkit.Scopes{""}
		for _, scope := range restricted.Union(scopes) {
			_, err := s.execute(ctx, pool, `INSERT INTO {application_scopes} (client_id, scope, is_default) VALUES (@client_id, @scope.name, @scope.is_default)`,
				arguments{clientID: clientID, scope: &Scope{Name: scope, Default: defaults.Contains(scope)}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return storeError("allowing scopes", err)
}

// allowable refuses what Allow cannot say.
func (s *ScopeTable) allowable(ctx context.Context, pool gorm.ConnPool, scopes, defaults oauthkit.Scopes) error {
	known, err := s.queryStrings(ctx, pool, `SELECT name FROM {scopes}`, arguments{})
	if err != nil {
		return err
	}
	var problems oauthkit.Problems
	for _, scope := range scopes {
		if !slices.Contains(known, scope) {
			problems.Add("scopes", "there is no scope %q", scope)
		}
	}
	for _, scope := range defaults {
		if !scopes.Contains(scope) {
			problems.Add("defaults", "the scope %q is not among those that are allowed", scope)
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

const forgetApplicationScopes = `DELETE FROM {application_scopes} WHERE client_id = @client_id`

// AllowAll takes back what [ScopeTable.Allow] said: the application may have every scope, and gets the general defaults.
func (s *ScopeTable) AllowAll(ctx context.Context, clientID string) error {
	_, err := s.execute(ctx, s.pool(), forgetApplicationScopes, arguments{clientID: clientID})
	return storeError("allowing all scopes", err)
}
