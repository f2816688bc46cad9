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

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Open opens the file at path as [OpenDB] does, creates or updates the tables, and
// returns the store. Close of the store closes the file.
func Open[A oauthkit.Application](path string) (*gormstore.Store[A], error) {
	return OpenWith[A](path, gormstore.Config{})
}

// OpenWith is Open with a [gormstore.Config], for example for other table names.
func OpenWith[A oauthkit.Application](path string, config gormstore.Config) (*gormstore.Store[A], error) {
	db, err := OpenDB(path)
	if err != nil {
		return nil, err
	}
	return gormstore.Open[A](db, config)
}

// Options configures a database. The zero value is the safest.
type Options struct {
	// SynchronousNormal sets PRAGMA synchronous to NORMAL: a commit does not wait for
	// the disk. A power failure or a crash of the operating system can then lose the
	// last commits, so that a revoked token becomes valid again. It does not damage the
	// file, and a crash of the program loses nothing. If false, PRAGMA synchronous is
	// FULL.
	SynchronousNormal bool
}

// OpenDB opens the SQLite file at path. If the file does not exist, OpenDB creates it,
// readable by its owner only. No character of a path has a special meaning, but the
// path ":memory:" opens a database in memory that is lost when it is closed.
//
// Readers and one writer work at the same time. The writers of a store queue in the
// order of their arrival and hold no connection while they wait. While another program
// writes to the file, a write waits until its context ends, or for a minute if the
// context has no deadline. A commit is on the disk when it returns.
//
// Network file systems are not supported, as https://www.sqlite.org/wal.html explains.
func OpenDB(path string) (*gorm.DB, error) {
	return OpenDBWith(path, Options{})
}

// OpenDBWith is OpenDB with options.
func OpenDBWith(path string, options Options) (*gorm.DB, error) {
	synchronous := "full"
	if options.SynchronousNormal {
		synchronous = "normal"
	}
	settings := settings + "&_pragma=synchronous(" + synchronous + ")"
	if path == ":memory:" {
		return open("file::memory:?"+settings, 1, "") // a second connection would open another database
	}
	path, err := filepath.Abs(path) // connections that are opened later must find the same file
	if err == nil {
		err = createFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	mode := strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	// modeof gives the log the permissions of the file. With mode=rw, a connection does
	// not create the file again after it was removed.
	return open(address(path)+"?"+settings+"&mode=rw&modeof="+mode, connections, path+"-shm")
}

// connections is the size of the pool: one writer and several readers.
const connections = 8

// settings apply to every connection. busy_timeout comes first because the other
// pragmas may have to wait for a lock. The wait also ends with the context.
const settings = "_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=foreign_keys(on)"

// open opens a database. The index of its log is the file at index, if index is not
// empty.
func open(address string, connections int, index string) (*gorm.DB, error) {
	pool, err := driver.Open(address, func(conn *sqlite3.Conn) error {
		if err := conn.Exec("PRAGMA user_version"); err != nil { // creates the index if there is a log
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
	db, err := gormstore.OpenDB(gormlite.OpenDB(pool), pool)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return db, nil
}

// useLog switches the file to write-ahead logging (https://www.sqlite.org/wal.html),
// which is a lasting property of the file. SQLite does not wait for other programs that
// have the file open when it does so, therefore useLog repeats the statement for up to
// a minute.
func useLog(pool *sql.DB) error {
	const attempts, pause = 6000, 10 * time.Millisecond
	for attempt := 1; ; attempt++ {
		// Reading the user_version creates the index.
		_, err := pool.ExecContext(context.Background(), "PRAGMA journal_mode = wal; PRAGMA user_version")
		if !errors.Is(err, sqlite3.BUSY) || attempt == attempts {
			return err
		}
		time.Sleep(pause) //nolint:forbidigo // no event to wait for
	}
}

// limitIndex gives the index of the log the permissions of the database file. The
// driver creates it readable by everyone.
func limitIndex(index string) error {
	info, err := os.Stat(strings.TrimSuffix(index, "-shm"))
	if index == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = os.Chmod(index, info.Mode().Perm())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // no log yet, or owned by another account
		return nil
	}
	return err
}

// createFile creates the file if it does not exist, readable by its owner only because
// it holds keys. SQLite would create it readable by others.
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

// address returns a path as a URI for SQLite (https://www.sqlite.org/uri.html), with
// special characters escaped.
func address(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/oauth.db
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath()
}
