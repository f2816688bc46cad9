package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/oauthkit/oauthkit"
)

// OpenDB opens a pool with GORM as package store/sqlite and package store/postgres
// do: without transactions around single statements, without a log, and with times in
// UTC that have microseconds. It closes the pool if it returns an error.
func OpenDB(dialector gorm.Dialector, pool *sql.DB) (*gorm.DB, error) {
	db, err := gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	clock := db.NowFunc
	db.NowFunc = func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	return db, nil
}

// Open returns a store on db, as [New] does, after it has created or updated the
// tables with [Store.Migrate]. It closes db if it returns an error.
func Open[A oauthkit.Application](db *gorm.DB, config Config) (*Store[A], error) {
	store, err := New[A](db, config)
	if err == nil {
		err = store.Migrate(context.Background())
	}
	if err != nil {
		return nil, errors.Join(err, closeDB(db))
	}
	return store, nil
}
