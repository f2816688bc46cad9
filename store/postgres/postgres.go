// Package postgres opens a PostgreSQL database as a store.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// OpenDB opens the database at url, such as postgres://user:password@host:5432/name, and fails if it cannot be reached. It
// keeps up to 20 connections; for another number set it on the pool that the result's method DB returns.
func OpenDB(url string) (*gorm.DB, error) {
	db, err := gorm.Open(postgres.Open(url), &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	clock := db.NowFunc
	db.NowFunc = func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	return db, nil
}

// connections leaves four instances room in the 100 connections that PostgreSQL allows by default. As many stay open, since
// opening one costs more than a hundred statements.
const connections = 20

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
