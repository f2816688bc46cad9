package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

func open(t *testing.T, path string) *gormstore.Store[*oauthkit.AbstractApplication] {
	t.Helper()
	store, err := sqlite.Open[*oauthkit.AbstractApplication](path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func openDB(t *testing.T, path string, options sqlite.Options) (*gorm.DB, *sql.DB) {
	t.Helper()
	db, err := sqlite.OpenDBWith(path, options)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return db, pool
}

func application(id string) *oauthkit.AbstractApplication {
	return &oauthkit.AbstractApplication{ClientID: id, ClientType: oauthkit.Confidential}
}

// TestMemory runs the contract with a database in memory.
func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		store := open(t, ":memory:")
		return storetest.Subject{Store: store, AddApplication: store.ApplicationTable.Create}
	})
}

// TestPaths opens files whose names have characters with a meaning in URIs, URLs or SQL.
func TestPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"a b.db", "a?mode=memory", "a#b", "100%.db", "a%20b", "ünïcödé ☕.db", "it's.db", `"quoted".db`, "a&b=c;d+e", "file:x.db", "a:b", "-rf", "./dot/../plain.db", "_pragma=x",
	} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `?":`) {
			continue
		}
		if err := os.MkdirAll("dot", 0o700); err != nil {
			t.Fatal(err)
		}
		absolute, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := open(t, name).ApplicationTable.Create(t.Context(), application("client"), time.Now()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := open(t, absolute).Application(t.Context(), "client"); err != nil {
			t.Errorf("%s by its absolute path: %v", name, err)
		}
		if info, err := os.Stat(absolute); err != nil || info.Size() == 0 {
			t.Errorf("%s: got %v, want a file of this name", name, err)
		}
	}
}

// TestPermissions RL-32 shows that other users cannot read the keys in the file, its
// log or the index of the log.
func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes are skipped: Windows has none") //nolint:forbidigo // cannot be installed
	}
	path := filepath.Join(t.TempDir(), "oauth.db")
	for range 2 { // first a new file, then an existing one
		store := open(t, path)
		expectPrivate(t, path, path+"-wal", path+"-shm")
		store.Close()
	}
}

func expectPrivate(t *testing.T, files ...string) {
	t.Helper()
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %v, want none for others", file, info.Mode())
		}
	}
}

// TestOpenTogether opens one new file several times concurrently, as in an overlapping
// restart.
func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauth.db")
	var opening sync.WaitGroup
	for range 8 {
		opening.Go(func() {
			store, err := sqlite.Open[*oauthkit.AbstractApplication](path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
}

// TestWriters has many goroutines of two instances read and write concurrently. Each
// waits for its turn, and none gets SQLITE_BUSY.
func TestWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauth.db")
	stores := []*gormstore.Store[*oauthkit.AbstractApplication]{open(t, path), open(t, path)}
	var working sync.WaitGroup
	for i := range 100 {
		working.Go(func() {
			store := stores[i%2]
			for j := range 10 {
				id := fmt.Sprintf("client-%d-%d", i, j)
				if err := store.ApplicationTable.Create(t.Context(), application(id), time.Now()); err != nil {
					t.Errorf("writing: %v", err)
				}
				if _, err := store.Application(t.Context(), id); err != nil {
					t.Errorf("reading: %v", err)
				}
			}
		})
	}
	working.Wait()
}

// TestPragmas reads the settings of the connections.
func TestPragmas(t *testing.T) {
	db, pool := openDB(t, filepath.Join(t.TempDir(), "oauth.db"), sqlite.Options{})
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "60000"} {
		var got string
		if err := pool.QueryRow("PRAGMA " + name).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	_, normal := openDB(t, filepath.Join(t.TempDir(), "oauth.db"), sqlite.Options{SynchronousNormal: true})
	var synchronous int
	if err := normal.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil || synchronous != 1 {
		t.Errorf("SynchronousNormal: got %d, %v, want 1", synchronous, err)
	}
	if now := db.NowFunc(); now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("got the time %v, want UTC with microseconds", now)
	}
}

func TestOpenFails(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "oauth.db")
	if _, err := sqlite.Open[*oauthkit.AbstractApplication](missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing folder: got %v, want an error with its name", err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte(strings.Repeat("this is no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open[*oauthkit.AbstractApplication](other); err == nil {
		t.Error("file of another format: got no error")
	}
}
