// Package postgres opens a PostgreSQL database as a store.
//
// A context that ends cancels its statement on the server and leaves the connection open.
// [OpenDB] describes the pool.
//
// # Poolers
//
// Prepared statements do not work behind PgBouncer in transaction mode, or another
// pooler that gives each transaction another connection to the server. [OpenDB] detects
// a pooler and then sends statements without preparing them, like
// default_query_exec_mode=exec in the URL. It keeps another mode that the URL chooses,
// except describe_exec, which is always an error ([ErrExecMode]): behind a pooler it
// mixes up the results of statements.
//
// Migrations need a lock and settings of a session, and therefore a direct connection
// to PostgreSQL. Behind a pooler, [Open] and Migrate return an error if a migration is
// due, and succeed otherwise.
package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Open opens the database at url as [OpenDB] does, creates or updates the tables, and
// returns the store. Close of the store closes the connections.
func Open[A oauthkit.Application](url string) (*gormstore.Store[A], error) {
	return OpenWith[A](url, gormstore.Config{})
}

// OpenWith is Open with a [gormstore.Config], for example for other table names.
func OpenWith[A oauthkit.Application](url string, config gormstore.Config) (*gormstore.Store[A], error) {
	db, err := OpenDB(url)
	if err != nil {
		return nil, err
	}
	return gormstore.Open[A](db, config)
}

// OpenDB opens the database at url, for example
// postgres://user:password@host:5432/name. It returns an error if it cannot connect to
// the database. The pool keeps up to 20 connections; to change the number, call
// SetMaxOpenConns of the pool that the method DB of the result returns. If the URL has
// no connect_timeout, it is 5 seconds per host.
//
// With several hosts and target_session_attrs=read-write in the URL, the pool follows
// the primary: after a server refuses a write as read-only, the pool drops all
// connections that were opened before.
//
// Statements run at READ COMMITTED, even if default_transaction_isolation is another
// level on the server. A level in the URL is kept. Behind a pooler, which may refuse
// the parameter, the default of the server applies, and Check reports
// gormstore.W005 if it is higher.
//
// The package comment describes how OpenDB sends statements behind a pooler.
func OpenDB(url string) (*gorm.DB, error) {
	config, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	pooled, err := behindPooler(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	switch {
	case !pooled:
		isolate(config.ConnConfig)
	case !config.modeChosen:
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	pool := openPool(config.ConnConfig)
	db, err := gormstore.OpenDB(dialector{postgres.New(postgres.Config{Conn: pool}).(*postgres.Dialector), pooled}, pool)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return db, nil
}
