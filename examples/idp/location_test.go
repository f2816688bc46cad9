package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestST13_PasswordOfDatabase passes commands a location in every spelling, valid or
// not. No command prints the password or creates a file with it in the name.
func TestST13_PasswordOfDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, spelling := range []string{
		"postgres://idp:hunter2@127.0.0.1:1/idp",
		"postgresql://idp:hunter2@127.0.0.1:1/idp",
		"Postgres://idp:hunter2@127.0.0.1:1/idp",
		"POSTGRESQL://idp:hunter2@127.0.0.1:1/idp",
		"pOsTgReS://127.0.0.1:1/idp?user=idp&password=hunter2",
		"postgres://idp:hunter2@127.0.0.1:port/idp",
		"postgres://idp:hunter2@127.0.0.1:99999/idp",
		"postgres://idp:hunter2@[127.0.0.1/idp",
		"postgres://idp:%zzhunter2@127.0.0.1:1/idp",
		"postgres://idp:hunter2/x@127.0.0.1:1/idp",
		"postgres://idp:hunter2#x@127.0.0.1:1/idp",
		"postgres://idp:hunter2?x@127.0.0.1:1/idp",
		"postgres://idp:hunter2@127.0.0.1:1/idp?sslmode=nonsense",
		"postgres://idp@127.0.0.1:1/idp?password=hunter2&connect_timeout=x",
		"postgres:/idp:hunter2@127.0.0.1:1/idp",
		"postgres:idp:hunter2@127.0.0.1:1/idp",
		"postgre://idp:hunter2@127.0.0.1:1/idp",
		"mysql://idp:hunter2@127.0.0.1:1/idp",
		"jdbc:postgresql://127.0.0.1:1/idp?user=idp&password=hunter2",
		"//idp:hunter2@127.0.0.1:1/idp",
		"idp:hunter2@127.0.0.1:1/idp",
		" postgres://idp:hunter2@127.0.0.1:1/idp",
		`"postgres://idp:hunter2@127.0.0.1:1/idp"`,
		"host=127.0.0.1 port=1 user=idp password=hunter2 dbname=idp",
		"HOST=127.0.0.1 PASSWORD='hunter2'",
		"password = hunter2 host = 127.0.0.1",
		"dbname=idp user=idp password=hunter2",
		"postgres://idp:hunter2@127.0.0.1:1/idp\x00",
	} {
		for _, args := range [][]string{
			{"serve", "-db", spelling}, {"-db=" + spelling}, {"serve", "-migrate=false", "-db", spelling},
			{"migrate", "-db", spelling}, {"check", "-db", spelling}, {"keys", "list", "-db", spelling},
			{"keys", "list", spelling}, {spelling}, {"keys", spelling}, {"check", "---db=" + spelling}, {"check", "-db" + spelling},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := run(ctx, args, io.Discard)
			cancel()
			switch {
			case err == nil:
				t.Errorf("%q: got no error", args)
			case strings.Contains(err.Error(), "hunter2"):
				t.Errorf("%q: got %q", args, err)
			case !strings.Contains(err.Error(), "-db") && !errors.As(err, new(*usageError)):
				t.Errorf("%q: got %q, want -db named", args, err)
			}
		}
	}
	made, err := os.ReadDir(".")
	if err != nil || len(made) != 0 {
		t.Errorf("got %v, %v, want no file", made, err)
	}
}

// TestLocation checks which values are files and which are URLs, and that the scheme of
// a URL may be in any case.
func TestLocation(t *testing.T) {
	for text, file := range map[string]bool{
		"idp.db": true, "/var/lib/idp/idp.db": true, "./me@example.db": true, `C:\Users\me@corp\idp.db`: true, "C:/Users/me@corp/idp.db": true,
		":memory:": true, "a=b.db": true, "": false, "file://idp.db": false, "host=": false, "pg:x": false,
	} {
		if l := location(text); l.isInvalid() == file {
			t.Errorf("%q: got a file: %v, want %v", text, !l.isInvalid(), file)
		}
	}
	_, rest, _ := strings.Cut(oauthtest.Postgres(t), "://")
	for _, scheme := range []string{"postgres", "Postgres", "PostgreSQL"} {
		at := location(scheme + "://" + rest)
		database, err := openDatabase(t.Context(), at)
		if err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestUpToDate checks that idp serves without migrating only if every table and column
// exists.
func TestUpToDate(t *testing.T) {
	for name, at := range map[string]location{
		"sqlite": location(filepath.Join(t.TempDir(), "idp.db")), "postgres": location(oauthtest.Postgres(t)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := openUpToDate(t.Context(), at); err == nil || !strings.Contains(err.Error(), "idp migrate") {
				t.Errorf("without tables: got %v, want idp migrate named", err)
			}
			database, err := openDatabase(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer database.Close()
			expectUpToDate(t, at, "")
			for _, change := range []struct{ statement, want string }{
				{"ALTER TABLE idp_sessions DROP COLUMN password", "idp_sessions has no column password"},
				{"ALTER TABLE oauth_applications DROP COLUMN seeded_secrets", "lacks the columns seeded_secrets"},
				{"DELETE FROM oauth_migrations", "lacks the migrations 0001"},
			} {
				if err := database.db.Exec(change.statement).Error; err != nil {
					t.Fatal(err)
				}
				expectUpToDate(t, at, change.want)
			}
		})
	}
}

func expectUpToDate(t *testing.T, at location, missing string) {
	t.Helper()
	database, err := openUpToDate(t.Context(), at)
	if err == nil {
		err = database.Close()
	}
	switch {
	case missing == "" && err != nil:
		t.Errorf("got %v, want no error", err)
	case missing != "" && (err == nil || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "idp migrate")):
		t.Errorf("got %v, want %q and idp migrate", err, missing)
	}
}

// TestRL39_ExecModeNamed checks that the error about an unsafe execution mode behind a
// pooler names the safe one.
func TestRL39_ExecModeNamed(t *testing.T) {
	_, err := connect("postgres://idp:hunter2@127.0.0.1:1/idp?default_query_exec_mode=describe_exec")
	if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
		t.Errorf("got %v, want an error that names default_query_exec_mode=exec", err)
	}
}
