// Package sqlite opens a SQLite file as a store, with a driver in pure Go.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Open opens the file at path as [OpenDB] does, creates the tables or brings them up to date, and returns the store, whose
// Close closes the file.
func Open[A oauthkit.Application](path string) (*gormstore.Store[A], error) {
	return OpenWith[A](path, gormstore.Config{})
}

// OpenWith is Open with other names of tables, or other rules for applications.
func OpenWith[A oauthkit.Application](path string, config gormstore.Config) (*gormstore.Store[A], error) {
	db, err := OpenDB(path)
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

// OpenDB opens the SQLite file at path, and creates it, readable by its owner only, where there is none. Any path is taken
// as it is, except for ":memory:", which is a database that ends when it is closed.
//
// Readers and one writer work at the same time; other writers wait for up to 5 seconds. Everything that was committed
// survives a crash of the program; a power failure may take the last commits, but leaves the file whole.
func OpenDB(path string) (*gorm.DB, error) {
	if path == ":memory:" {
		return open("file::memory:", 1, "") // each connection would be a database of its own
	}
	path, err := filepath.Abs(path) // connections that are opened later must find the same file
	if err == nil {
		err = createFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	mode := strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	return open(address(path), connections, "modeof="+mode) // who may read the file may read its log
}

// connections is how many work at the same time. More wait in the order they came in, which SQLite's own waiting does not keep.
const connections = 8

// settings of every connection. The time to wait for a lock comes first, because the others may have to.
const settings = "_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=synchronous(normal)&_pragma=foreign_keys(on)"

func open(address string, connections int, more string) (*gorm.DB, error) {
	pool, err := driver.Open(address + "?" + settings + "&" + more)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	if err := useLog(pool); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), pool.Close())
	}
	db, err := gorm.Open(gormlite.OpenDB(pool), &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), pool.Close())
	}
	clock := db.NowFunc
	db.NowFunc = func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	return db, nil
}

// useLog switches the file to write-ahead logging (https://www.sqlite.org/wal.html), which it then keeps. This is the one thing
// for which SQLite does not wait while somebody else has the file open.
func useLog(pool *sql.DB) error {
	const attempts, pause = 500, 10 * time.Millisecond
	for attempt := 1; ; attempt++ {
		_, err := pool.ExecContext(context.Background(), "PRAGMA journal_mode = wal")
		if !errors.Is(err, sqlite3.BUSY) || attempt == attempts {
			return err
		}
		time.Sleep(pause) //nolint:forbidigo // there is nothing to wait for but another process
	}
}

// createFile makes the file if there is none. SQLite alone would let others read it, and it holds keys.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// address returns a path as SQLite's URI (https://www.sqlite.org/uri.html), in which no character of it means anything.
func address(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/oauth.db
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath()
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
