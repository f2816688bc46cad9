package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// otherProgram holds the write lock of a file until release is called, like another
// program.
func otherProgram(t *testing.T, path string) (release func()) {
	t.Helper()
	_, pool := openDB(t, path, sqlite.Options{})
	tx, err := pool.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			t.Error(err)
		}
	}
}

func stored(t *testing.T, path string) (*gormstore.Store[*oauthkit.AbstractApplication], *sql.DB) {
	t.Helper()
	db, pool := openDB(t, path, sqlite.Options{})
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store, pool
}

// TestWaitingWriters RL-31 has 50 writers wait for another program. Only one of them
// holds a connection, so readers are served. The writers finish as soon as the other
// program does.
func TestWaitingWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauth.db")
	store, pool := stored(t, path)
	release := otherProgram(t, path)
	const writers = 50
	answers := make(chan error, writers)
	for range writers {
		go func() {
			_, err := store.RevokeAuthorization(t.Context(), "none", oauthkit.Revocation{Now: time.Now()})
			answers <- err
		}()
	}
	for pool.Stats().InUse == 0 {
		runtime.Gosched()
	}
	for range 100 {
		if _, err := store.AccessToken(t.Context(), "none"); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Fatalf("a reader: got %v, want ErrNotFound", err)
		}
		if used := pool.Stats().InUse; used > 1 {
			t.Fatalf("got %d connections in use, want one writer's", used)
		}
	}
	select {
	case err := <-answers:
		t.Errorf("a writer: got %v, want it to wait", err)
		answers <- err
	default:
	}
	release()
	for range writers {
		if err := <-answers; err != nil {
			t.Errorf("a writer: got %v, want success", err)
		}
	}
}

// TestWriterGivesUp RL-31 ends the contexts of writers while another program writes: of
// the writer whose turn it is, and of one in the queue.
func TestWriterGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauth.db")
	store, pool := stored(t, path)
	release := otherProgram(t, path)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan error)
	for range 2 {
		go func() {
			answers <- store.SaveTokens(ctx, &oauthkit.Authorization{ID: "a"}, oauthkit.Tokens{Access: &oauthkit.AccessToken{}})
		}()
	}
	for pool.Stats().InUse == 0 {
		runtime.Gosched()
	}
	cancel()
	for range 2 {
		if err := <-answers; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
	release()
	if err := store.SaveTokens(t.Context(), &oauthkit.Authorization{ID: "a"}, oauthkit.Tokens{Access: &oauthkit.AccessToken{}}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestFileRemoved RL-32 removes or replaces the open file. Writes would be lost when
// the program ends.
func TestFileRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("removing open files is skipped: Windows does not") //nolint:forbidigo // cannot be installed
	}
	for name, test := range map[string]struct {
		remove func(path string) error
		word   string
	}{
		"removed": {os.Remove, "removed"},
		"replaced": {func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}, "replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "oauth.db")
			store, _ := stored(t, path)
			read := func() error { _, err := store.AccessToken(t.Context(), "none"); return err }
			write := func() error {
				_, err := store.RevokeAuthorization(t.Context(), "none", oauthkit.Revocation{Now: time.Now()})
				return err
			}
			if err := errors.Join(write(), test.remove(path)); err != nil {
				t.Fatal(err)
			}
			var err error
			for deadline := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(deadline); {
				err = write()
			}
			for _, err := range []error{err, write(), read()} {
				if err == nil || errors.Is(err, oauthkit.ErrNotFound) || !strings.Contains(err.Error(), test.word) {
					t.Errorf("got %v, want an error that the file was %s", err, test.word)
				}
			}
			if _, err := os.Stat(path); test.word == "removed" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got a new file, %v, want none", err)
			}
			findings := store.Check(t.Context())
			if len(findings) == 0 || !strings.Contains(findings[0].Message, test.word) {
				t.Errorf("Check: got %v, want a finding that the file was %s", findings, test.word)
			}
		})
	}
}
