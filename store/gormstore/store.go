// Package gormstore keeps everything of a provider in a relational database, through GORM: PostgreSQL or SQLite. It is
// generic over the host's application, so that the host's own columns come back typed.
//
// Package store/sqlite and package store/postgres open such a database; a host that has a *gorm.DB already passes it to
// [New]. GORM's chained calls serve the applications, whose columns are the host's. Everything else is SQL written out by
// hand: on PostgreSQL each act is one statement, on SQLite one transaction. [Credentials] are that part alone, for a host whose
// applications are in a table of its own.
package gormstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Config says how the tables are named and what may be stored. The zero value is good.
type Config struct {
	// TablePrefix begins the name of every table: at most 24 lower-case letters, digits and underscores, no digit first.
	// Empty: "oauth_".
	TablePrefix string
	// Rules say which URIs applications may be stored with. The zero value is the library's own rules.
	Rules oauthkit.ApplicationRules
	// ApplicationDB is the database of the applications, where it is another one than that of everything that is issued to them.
	// It may be of another kind. Disabling or deleting an application holds there what it holds in one database. If nil, it is the
	// same.
	ApplicationDB *gorm.DB
}

// Store keeps the applications, of the host's type A, and everything that is issued to them. It is safe for concurrent use,
// and any number of them, in any number of processes, can share a database.
type Store[A oauthkit.Application] struct {
	// ApplicationTable finds, creates, changes and removes applications in their own type.
	ApplicationTable *ApplicationTable[A]
	// ScopeTable are scopes that can change, for a host that sets them as [oauthkit.Config.ScopeTable].
	ScopeTable *ScopeTable
	*Credentials
}

// Everything that a store can promise, checked by the compiler.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
	oauthkit.Readier
	oauthkit.ConnectionPool
} = (*Store[*oauthkit.AbstractApplication])(nil)

// New makes a store on a database that the host opened with GORM, or on two with [Config.Applications]. Each must speak the dialect
// "postgres" or "sqlite". A must be a pointer to a struct that has a column client_id, as every struct that embeds
// [oauthkit.AbstractApplication] has; it must not embed a pointer to one, have a further primary key, or have a method TableName that
// says another table than [Config.TablePrefix] makes.
//
// Nothing is read or written before the first call of a method; [Store.Migrate] creates the tables.
//
// The host's settings of GORM stay as they are, and those that could change what the store does (DryRun, PrepareStmt, a
// logger that prints values, ...) do not reach it.
//
// On PostgreSQL the isolation level should be the default, READ COMMITTED. At a higher one the server undoes concurrent acts;
// the store executes them again, up to 8 times, until the context ends. A pool that package store/postgres has opened also
// cancels a statement on the server when its context ends, and drops connections that have become read-only. A pool that
// pgx's own stdlib.OpenDB or GORM's driver has opened closes the connection when a context ends, and the server may finish the
// statement.
//
// On SQLite the writers of a Store queue before they take a connection. A file that is removed or replaced while it is open
// makes every method fail within a second.
func New[A oauthkit.Application](db *gorm.DB, config Config) (*Store[A], error) {
	credentials, err := NewCredentials(db, config.TablePrefix)
	if err != nil {
		return nil, err
	}
	database := credentials.database
	if config.ApplicationDB != nil {
		applications, err := newDatabase(config.ApplicationDB, config.TablePrefix)
		if err != nil {
			return nil, err
		}
		if applications.pool() != database.pool() {
			database = applications
		}
	}
	model := reflect.TypeFor[A]()
	if model.Kind() != reflect.Pointer || model.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("gormstore: the application's type %v is not a pointer to a struct", model)
	}
	table, err := newApplicationTable(database, reflect.New(model.Elem()).Interface())
	if err != nil {
		return nil, err
	}
	return &Store[A]{
		ApplicationTable: &ApplicationTable[A]{applicationRows: table, credentials: credentials, rules: config.Rules},
		ScopeTable:       &ScopeTable{database},
		Credentials:      credentials,
	}, nil
}

// Application implements [oauthkit.ApplicationStore]. What it returns is an A.
func (s *Store[A]) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	app, err := s.ApplicationTable.Find(ctx, clientID)
	if err != nil {
		return nil, err
	}
	return app, nil
}

// Close closes the database, or both of them, the host's *gorm.DB included.
func (s *Store[A]) Close() error {
	if s.ApplicationTable.together() {
		return s.close()
	}
	return errors.Join(s.close(), s.ApplicationTable.close())
}
