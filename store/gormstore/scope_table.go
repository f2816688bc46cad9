package gormstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// ScopeTable is an [oauthkit.ScopeBackend] for scopes that can change at run time. Two
// tables in the database of the applications store the scopes and the scopes of each
// application. Every instance sees a change with its next request. A host that does not
// set it in [oauthkit.Config] does not pay for it. Until [ScopeTable.Allow] is called
// for an application, all scopes are available to it. Its AllowsScope restricts them in
// any case. A request without scopes gets the defaults of the application, or else
// those of [ScopeTable.Set], but never a scope that is not available to the
// application.
type ScopeTable struct{ *database }

var _ oauthkit.ScopeBackend = (*ScopeTable)(nil)

// Scope is a scope in a [ScopeTable].
type Scope struct {
	// Name is the name in requests: visible ASCII without quotation marks and
	// backslashes (RFC 6749 §3.3).
	Name string
	// Description is the text on the consent page after "This application will be able
	// to".
	Description string
	// Default makes it a scope of requests without scopes, if the application has no
	// defaults of its own.
	Default bool
}

func scopeColumns() columns[Scope] {
	return columns[Scope]{
		plain("name", func(s *Scope) *string { return &s.Name }),
		plain("description", func(s *Scope) *string { return &s.Description }),
		plain("is_default", func(s *Scope) *bool { return &s.Default }),
	}
}

// All implements [oauthkit.ScopeBackend] with one statement.
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

// An application with rows in application_scopes has only these scopes. Allow adds one
// row without a scope, which distinguishes an application without any scopes from one
// with all.
const availableScopes = `SELECT name FROM {scopes}
WHERE NOT EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id)
OR EXISTS (SELECT 1 FROM {application_scopes} WHERE client_id = @client_id AND scope = name)
ORDER BY name`

// Available implements [oauthkit.ScopeBackend] with one statement. It ignores the
// request.
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

// Default implements [oauthkit.ScopeBackend] with one statement. It ignores the request.
func (s *ScopeTable) Default(ctx context.Context, app oauthkit.Application, _ oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	scopes, err := s.queryStrings(ctx, s.pool(), defaultScopes, arguments{clientID: app.GetID()})
	return scopes, storeError("finding the default scopes of an application", err)
}

// List returns the scopes in the order of their names.
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

// Set adds a scope, or replaces the one with its name. For an invalid name, the error
// holds [oauthkit.Problems].
func (s *ScopeTable) Set(ctx context.Context, scope Scope) error {
	var problems oauthkit.Problems
	words, err := oauthkit.ParseScopes(scope.Name)
	switch {
	case err != nil || len(words) != 1:
		problems.Add("name", "must be one word of visible characters without quotation marks and backslashes")
	case scope.Name == oauthkit.IntrospectionScope:
		problems.Add("name", "%s is reserved for applications that introspect", scope.Name)
	}
	if len(problems) > 0 {
		return storeError("setting a scope", problems)
	}
	_, err = s.execute(ctx, s.pool(), `INSERT INTO {scopes} ([scope]) VALUES (@[scope])
ON CONFLICT (name) DO UPDATE SET description = excluded.description, is_default = excluded.is_default`,
		arguments{scope: &scope})
	return storeError("setting a scope", err)
}

// Remove removes a scope, also from the scopes of each application. This makes no other
// scope available to an application, even if it removes its last one. Tokens that have
// the scope stay unchanged. If the scope does not exist, the error wraps
// [oauthkit.ErrNotFound].
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

// Allow sets the scopes that are available to an application, and its defaults for
// requests without scopes. Without scopes, none is available. For a scope that does not
// exist, or a default that is not among the scopes, the error holds
// [oauthkit.Problems]. If the application does not exist, it wraps
// [oauthkit.ErrNotFound].
func (s *ScopeTable) Allow(ctx context.Context, clientID string, scopes, defaults oauthkit.Scopes) error {
	// The lock excludes Remove and other calls of Allow. Locking the row of the
	// application waits for a concurrent Delete.
	err := s.dialect.underLock(ctx, s.database, func(tx *gorm.DB) error {
		pool := tx.Statement.ConnPool
		if err := s.checkAllowed(ctx, pool, scopes, defaults); err != nil {
			return err
		}
		err := s.queryRow(ctx, pool, `SELECT client_id FROM {applications} WHERE client_id = @client_id FOR UPDATE`,
			arguments{clientID: clientID}, new(string))
		if err != nil {
			return fmt.Errorf("%q: %w", clientID, err)
		}
		if _, err := s.execute(ctx, pool, deleteApplicationScopes, arguments{clientID: clientID}); err != nil {
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

// checkAllowed validates the arguments of Allow.
func (s *ScopeTable) checkAllowed(ctx context.Context, pool gorm.ConnPool, scopes, defaults oauthkit.Scopes) error {
	existing, err := s.queryStrings(ctx, pool, `SELECT name FROM {scopes}`, arguments{})
	if err != nil {
		return err
	}
	var problems oauthkit.Problems
	for _, scope := range scopes {
		if !slices.Contains(existing, scope) {
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

const deleteApplicationScopes = `DELETE FROM {application_scopes} WHERE client_id = @client_id`

// AllowAll undoes [ScopeTable.Allow]: all scopes are available to the application, with
// the general defaults.
func (s *ScopeTable) AllowAll(ctx context.Context, clientID string) error {
	_, err := s.execute(ctx, s.pool(), deleteApplicationScopes, arguments{clientID: clientID})
	return storeError("allowing all scopes", err)
}
