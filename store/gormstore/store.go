package gormstore

import (
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Config configures a Store. The zero value is valid.
type Config struct {
	// TablePrefix begins the name of every table. It has at most 24 lower-case
	// letters, digits and underscores, and does not begin with a digit. If empty, it
	// is "oauth_".
	TablePrefix string
	// Rules decide which URIs applications may have. The zero value is the library's
	// rules.
	Rules oauthkit.ApplicationRules
	// ApplicationDB is the database of the applications, if it is not that of the
	// credentials. It may be of the other kind. Disabling or deleting an application
	// has the same effect as in one database. If nil, one database is used.
	ApplicationDB *gorm.DB
}

// Store stores applications of the host's type A and all that is issued to them. It
// is safe for concurrent use, and several stores in several processes can share a
// database.
type Store[A oauthkit.Application] struct {
	// ApplicationTable finds, creates, updates and deletes applications in the host's
	// type.
	ApplicationTable *ApplicationTable[A]
	// ScopeTable holds scopes that can change. A host that needs it sets it as
	// [oauthkit.Config.Scopes].
	ScopeTable *ScopeTable
	*Credentials
}

// The interfaces that a Store implements.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.NoticeStore
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
	oauthkit.Readier
	oauthkit.ConnectionPool
} = (*Store[*oauthkit.AbstractApplication])(nil)

// New returns a Store on a database that the host opened with GORM, or on two with
// [Config.ApplicationDB]. Each must have the dialect "postgres" or "sqlite". A must
// be a pointer to a struct with a column client_id, as every struct has that embeds
// [oauthkit.AbstractApplication]. The struct must not embed a pointer to one, have
// another primary key, or have a method TableName that returns another name than
// [Config.TablePrefix] implies.
//
// New executes no statement. [Store.Migrate] creates the tables.
//
// The store does not change the host's settings of GORM, and ignores those that could
// change its behaviour, such as DryRun, PrepareStmt, or a logger that prints values.
//
// PostgreSQL should have the default isolation level, READ COMMITTED. At a higher
// level the server undoes concurrent acts. The store executes them again, up to 8
// times, until the context ends. A pool that package store/postgres opened also
// cancels a statement on the server when its context ends, and drops connections that
// have become read-only. A pool of pgx's stdlib.OpenDB or of GORM's driver closes the
// connection when a context ends, and the server may complete the statement.
//
// On SQLite the writers of a Store queue before they take a connection. If the file
// is removed or replaced while it is open, every method fails within a second.
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
	table, err := newApplicationRows(database, reflect.New(model.Elem()).Interface())
	if err != nil {
		return nil, err
	}
	return &Store[A]{
		ApplicationTable: &ApplicationTable[A]{applicationRows: table, credentials: credentials, rules: config.Rules},
		ScopeTable:       &ScopeTable{database},
		Credentials:      credentials,
	}, nil
}

// Close closes the database, or both of them, including the host's *gorm.DB.
func (s *Store[A]) Close() error {
	if s.ApplicationTable.together() {
		return s.close()
	}
	return errors.Join(s.close(), s.ApplicationTable.close())
}
