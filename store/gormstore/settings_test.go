package gormstore_test

import (
	"bytes"
	"errors"
	"log"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
	"gorm.io/gorm/utils/tests"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestHostSettings sets every setting of the host's *gorm.DB that could interfere.
// The store works, and prints nothing.
func TestHostSettings(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		var printed bytes.Buffer
		host, err := gorm.Open(open().Dialector, &gorm.Config{
			ConnPool:          open().ConnPool,
			PrepareStmt:       true,
			TranslateError:    true,
			AllowGlobalUpdate: true,
			CreateBatchSize:   1,
			NamingStrategy:    schema.NamingStrategy{TablePrefix: "host_", SingularTable: true, NoLowerCase: true},
			NowFunc:           func() time.Time { return now.In(time.FixedZone("", 3600)) },
			Logger:            logger.New(log.New(&printed, "", 0), logger.Config{LogLevel: logger.Info}),
		})
		if err != nil {
			t.Fatal(err)
		}
		pool, err := host.DB()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pool.Close() })
		host.DryRun = true
		printed.Reset()

		store := migrated[*galleryApplication](t, host.Where("1 = 0").Session(&gorm.Session{}))
		ctx := t.Context()
		app := &galleryApplication{AbstractApplication: *newApplication(), Logo: "logo"}
		if err := store.ApplicationTable.Create(ctx, app, now); err != nil {
			t.Fatal(err)
		}
		found, err := store.ApplicationTable.Find(ctx, "client")
		if err != nil || found.Logo != "logo" || !found.CreatedAt.Equal(now) {
			t.Fatalf("got %+v, %v, want it as created at %v", found, err, now)
		}
		authorization := newAuthorization()
		tokens := newTokens(authorization)
		if err := store.SaveTokens(ctx, authorization, tokens); err != nil {
			t.Fatal(err)
		}
		if err := store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, newTokens(authorization), nil)); err != nil {
			t.Fatal(err)
		}
		err = store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, newTokens(authorization), nil))
		if !errors.Is(err, oauthkit.ErrReplayed) {
			t.Errorf("got %v, want ErrReplayed", err)
		}
		err = store.SaveTokens(ctx, authorization, newTokens(authorization))
		if err == nil || errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("got %v, want the driver's own error", err)
		}
		if printed.Len() != 0 {
			t.Errorf("printed %q, want nothing", printed.String())
		}
		if !host.DryRun || !host.PrepareStmt || !host.TranslateError {
			t.Error("the host's settings were changed")
		}
	})
}

// TestHostSQLite opens the file so that transactions begin without the write lock.
func TestHostSQLite(t *testing.T) {
	path := "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "host.db"))
	open := func() *gorm.DB {
		return opened(t, path, func(path string) (*gorm.DB, error) { return gorm.Open(gormlite.Open(path), &gorm.Config{}) })
	}
	testMigrateTogether(t, open)
	testOneCode(t, open)
}

// uniqueApplication has a tag that GORM obeys only when it creates a table.
type uniqueApplication struct {
	oauthkit.AbstractApplication
	Code string `gorm:"unique"`
}

// TestNew expects errors for arguments that New does not support.
func TestNew(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		for _, prefix := range []string{"OAuth_", "1_", "a-", "a b", `"`, strings.Repeat("a", 25), "a\n"} {
			if _, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{TablePrefix: prefix}); err == nil {
				t.Errorf("prefix %q: got no error", prefix)
			}
		}
		if _, err := gormstore.New[oauthkit.Application](db, gormstore.Config{}); err == nil {
			t.Error("an interface as the type of application: got no error")
		}
		if _, err := gormstore.New[*uniqueApplication](db, gormstore.Config{}); err == nil || !strings.Contains(err.Error(), "Code") {
			t.Errorf("a constraint that would not be created: got %v, want an error that names the field", err)
		}
	})
	other, err := gorm.Open(tests.DummyDialector{}, &gorm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gormstore.New[*oauthkit.AbstractApplication](other, gormstore.Config{})
	if err == nil || !strings.Contains(err.Error(), "dummy") {
		t.Errorf("another database: got %v, want an error that names it", err)
	}
	if _, err := gormstore.New[*oauthkit.AbstractApplication](nil, gormstore.Config{}); err == nil {
		t.Error("no database: got no error")
	}
}
