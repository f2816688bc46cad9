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

// Options are settings of a database. The zero value is the safest.
type Options struct {
	// SynchronousNormal sets PRAGMA synchronous to NORMAL: a commit does not wait for the disk. A power failure, or a crash of
	// the operating system, can then lose the last commits, so that a token that was revoked is valid again. The file stays
	// whole, and a crash of the program loses nothing. If false, PRAGMA synchronous is FULL.
	SynchronousNormal bool
}

// OpenDB opens the SQLite file at path, and creates it, readable by its owner only, if there is none. Any path is taken
// as it is, except for ":memory:", which is a database that ends when it is closed.
//
// Readers and one writer work at the same time. The writers of a store queue in the order they came in and hold no connection while they
// wait. While another program writes to the file, a write waits until its context ends, or for a minute if the context has no
// deadline. A commit is on the disk when it returns.
//
// Network file systems are not supported, as https://www.sqlite.org/wal.html explains.
func OpenDB(path string) (*gorm.DB, error) {
	return OpenDBWith(path, Options{})
}

// OpenDBWith is OpenDB with other settings.
func OpenDBWith(path string, options Options) (*gorm.DB, error) {
	synchronous := "full"
	if options.SynchronousNormal {
		synchronous = "normal"
	}
	settings := settings + "&_pragma=synchronous(" + synchronous + ")"
	if path == ":memory:" {
		return open("file::memory:?"+settings, 1, "") // each connection would be a database of its own
	}
	path, err := filepath.Abs(path) // connections that are opened later must find the same file
	if err == nil {
		err = createFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	mode := strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	// The log is readable by those who may read the file. No connection makes a new file in the place of one that was removed.
	return open(address(path)+"?"+settings+"&mode=rw&modeof="+mode, connections, path+"-shm")
}

// connections is how many work at the same time: one writer, and readers.
const connections = 8

// settings of every connection. The time to wait for a lock comes first, because the others may have to. What ends the wait
// is the context.
const settings = "_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=foreign_keys(on)"

// open opens a database, the index of whose log is the file at index if it is not empty.
func open(address string, connections int, index string) (*gorm.DB, error) {
	pool, err := driver.Open(address, func(conn *sqlite3.Conn) error {
		if err := conn.Exec("PRAGMA user_version"); err != nil { // which makes the index where there is a log
			return err
		}
		return limitIndex(index)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	if err := errors.Join(useLog(pool), limitIndex(index)); err != nil {
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
	const attempts, pause = 6000, 10 * time.Millisecond
	for attempt := 1; ; attempt++ {
		_, err := pool.ExecContext(context.Background(), "PRAGMA journal_mode = wal; PRAGMA user_version") // the second makes the index
		if !errors.Is(err, sqlite3.BUSY) || attempt == attempts {
			return err
		}
		time.Sleep(pause) //nolint:forbidigo // there is nothing to wait for but another process
	}
}

// limitIndex gives the index of the log, which the driver makes readable by everybody, the mode of the database's file.
func limitIndex(index string) error {
	info, err := os.Stat(strings.TrimSuffix(index, "-shm"))
	if index == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = os.Chmod(index, info.Mode().Perm())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // no log yet, or made by another account's program
		return nil
	}
	return err
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
