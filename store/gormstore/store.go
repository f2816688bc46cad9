// Package gormstore keeps everything of a provider in a relational database, through GORM: PostgreSQL or SQLite. It is
// generic over the host's application, so that the host's own columns come back typed.
//
// Package store/sqlite and package store/postgres open such a database; a host that has a *gorm.DB already passes it to
// [New]. GORM's chained calls serve the applications, whose columns are the host's. Everything else is SQL written out by
// hand: on PostgreSQL each act is one statement, on SQLite one transaction.
package gormstore

import (
	"context"
	"fmt"
	"reflect"
	"regexp"

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
}

// Store keeps the applications, of the host's type A, and everything that is issued to them. It is safe for concurrent use,
// and any number of them, in any number of processes, can share a database.
type Store[A oauthkit.Application] struct {
	// Applications finds, creates, changes and removes applications in their own type.
	Applications *Applications[A]
	*database
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
} = (*Store[*oauthkit.AbstractApplication])(nil)

var tablePrefix = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,23}$`)

// New makes a store on a database that the host opened with GORM, which must speak the dialect "postgres" or "sqlite". A must
// be a pointer to a struct that has a column client_id, as every struct that embeds [oauthkit.AbstractApplication] has.
// Nothing is read or written before the first call of a method; [Store.Migrate] creates the tables.
//
// The host's settings of GORM stay as they are, and those that could change what the store does (DryRun, PrepareStmt, a
// logger that prints values, ...) do not reach it. PostgreSQL must run at its default isolation level, READ COMMITTED: at a
// higher one concurrent acts fail instead of being told that they lost.
func New[A oauthkit.Application](db *gorm.DB, config Config) (*Store[A], error) {
	if config.TablePrefix == "" {
		config.TablePrefix = "oauth_"
	}
	if !tablePrefix.MatchString(config.TablePrefix) {
		return nil, fmt.Errorf("gormstore: the table prefix %q is not 1 to 24 characters of a-z, 0-9 and _, no digit first", config.TablePrefix)
	}
	database, err := newDatabase(db, config.TablePrefix)
	if err != nil {
		return nil, err
	}
	model := reflect.TypeFor[A]()
	if model.Kind() != reflect.Pointer || model.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("gormstore: the application's type %v is not a pointer to a struct", model)
	}
	if err := database.useApplication(reflect.New(model.Elem()).Interface()); err != nil {
		return nil, err
	}
	return &Store[A]{Applications: &Applications[A]{database: database, rules: config.Rules}, database: database}, nil
}

// Application implements [oauthkit.ApplicationStore]. What it returns is an A.
func (s *Store[A]) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	app, err := s.Applications.Find(ctx, clientID)
	if err != nil {
		return nil, err
	}
	return app, nil
}

// Close closes the database, the host's *gorm.DB included.
func (s *Store[A]) Close() error {
	pool, err := s.db.DB()
	if err != nil {
		return fmt.Errorf("gormstore: closing the database: %w", err)
	}
	return pool.Close()
}
