// Package postgres opens a PostgreSQL database as a store.
//
// A context that ends cancels its statement on the server, and the connection stays open; see [OpenDB] for what else the pool
// does.
//
// # Poolers
//
// Behind PgBouncer in transaction mode, or another pooler that gives each transaction another connection of the server, prepared
// statements do not work. [OpenDB] notices a pooler and then sends statements without preparing them, as the setting
// default_query_exec_mode=exec in the URL does. Other values in the URL are kept, but for describe_exec, which mixes
// up the answers of statements behind a pooler: it is an error, with a pooler or without.
//
// Migrations hold a lock and settings of a session, so they need a URL that leads to PostgreSQL itself. Behind a pooler
// [Open] and Migrate return an error that says so if there is something to migrate, and work if there is not.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Open opens the database at url as [OpenDB] does, creates the tables or brings them up to date, and returns the store, whose
// Close closes the connections.
func Open[A oauthkit.Application](url string) (*gormstore.Store[A], error) {
	return OpenWith[A](url, gormstore.Config{})
}

// OpenWith is Open with other names of tables, or other rules for applications.
func OpenWith[A oauthkit.Application](url string, config gormstore.Config) (*gormstore.Store[A], error) {
	db, err := OpenDB(url)
	if err != nil {
		return nil, err
	}
	store, err := gormstore.New[A](db, config)
	if err == nil {
		err = store.Migrate(context.Background())
	}
	if err != nil {
		return nil, errors.Join(err, closeDB(db))
	}
	return store, nil
}

// OpenDB opens the database at url, such as postgres://user:password@host:5432/name, and returns an error if the database cannot
// be reached. It keeps up to 20 connections; to change the number, set it on the pool that the result's method DB returns. If the
// URL has no connect_timeout, it is 5 seconds for each host.
//
// With several hosts and target_session_attrs=read-write in the URL, the pool follows the primary: the first write that a server
// refuses as read-only drops every connection that was opened before.
//
// Behind a pooler, OpenDB chooses how statements are sent, as the package comment describes.
func OpenDB(url string) (*gorm.DB, error) {
	config, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	pooled, err := behindPooler(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if pooled && !config.modeChosen {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	pool := openPool(config.ConnConfig)
	db, err := gorm.Open(dialector{postgres.New(postgres.Config{Conn: pool}).(*postgres.Dialector), pooled}, &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), pool.Close())
	}
	clock := db.NowFunc
	db.NowFunc = func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	return db, nil
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
