package gormstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestMigrateTogether starts 8 instances at the same time on an empty database.
func TestMigrateTogether(t *testing.T) { each(t, testMigrateTogether) }

func testMigrateTogether(t *testing.T, open func() *gorm.DB) {
	var calls []func()
	for range 8 {
		store, err := gormstore.New[*grownApplication](open(), gormstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, func() {
			if err := store.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	race(calls...)
	var versions []string
	if err := open().Table("oauth_migrations").Pluck("id", &versions).Error; err != nil || !slices.Equal(versions, []string{"0001"}) {
		t.Errorf("got versions %q, %v, want 0001 once", versions, err)
	}
}

// TestMigrateAgain shows that the second call has nothing to do, so that an instance
// may lack the right to change tables.
func TestMigrateAgain(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		migrated[*grownApplication](t, open())
		db := open()
		statements := oauthtest.CountStatements(db)
		migrated[*grownApplication](t, db)
		expectReads(t, statements)
	})
}

// expectReads expects statements that only read.
func expectReads(t *testing.T, statements *oauthtest.Statements) {
	t.Helper()
	all := statements.Take().Statements
	if len(all) == 0 {
		t.Error("got no statements, want some")
	}
	for _, statement := range all {
		if !strings.HasPrefix(statement, "SELECT ") {
			t.Errorf("got %s, want no write and no lock", statement)
		}
	}
}

// galleryApplication is an application with columns of the host, and grownApplication
// a later version of it.
type galleryApplication struct {
	oauthkit.AbstractApplication
	Logo  string
	Agree bool
}

type grownApplication struct {
	oauthkit.AbstractApplication
	Logo     string
	Agree    bool
	Plan     string         `gorm:"not null;default:free;index"`
	Seats    int            `gorm:"not null"`
	Weight   float64        `gorm:"column:mass"`
	Opened   time.Time      `gorm:"not null"`
	Closed   *time.Time     // NULL says something else than zero
	Tenant   sql.NullString `gorm:"uniqueIndex:idx_tenant"`
	Labels   []string       `gorm:"serializer:json"`
	Picture  []byte
	Tags     oauthkit.URIs `gorm:"not null"`
	Unsaved  string        `gorm:"-"`
	Address  address       `gorm:"embedded;embeddedPrefix:address_"`
	Position uint8         `gorm:"index:idx_place,priority:2"`
	Floor    uint8         `gorm:"index:idx_place,priority:1"`
}

type address struct{ Street, Town string }

// TestHostColumns adds fields to the host's struct while applications exist.
func TestHostColumns(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		ctx := t.Context()
		plain := migrated[*oauthkit.AbstractApplication](t, open())
		if err := plain.ApplicationTable.Create(ctx, newApplication(), now); err != nil {
			t.Fatal(err)
		}
		gallery := migrated[*galleryApplication](t, open())
		existing, err := gallery.ApplicationTable.Find(ctx, "client")
		if err != nil || existing.Logo != "" || existing.Agree || existing.Name != "Client" {
			t.Fatalf("got %+v, %v, want the application with no logo", existing, err)
		}
		existing.Logo, existing.Agree = "https://gallery.example/logo.svg", true
		if err := gallery.ApplicationTable.Update(ctx, existing, now); err != nil {
			t.Fatal(err)
		}
		db := open()
		grown := migrated[*grownApplication](t, db)
		again, err := grown.ApplicationTable.Find(ctx, "client")
		if err != nil || again.Logo != existing.Logo || !again.Agree || again.Plan != "free" || again.Closed != nil || again.Tenant.Valid {
			t.Fatalf("got %+v, %v, want the logo, the plan by default, and no time of closing", again, err)
		}
		var zero int64
		err = db.Table("oauth_applications").Where("seats = 0 AND mass = 0 AND address_town = '' AND tags = ''").Count(&zero).Error
		if err != nil || zero != 1 {
			t.Errorf("got %d applications with zero values, %v, want 1", zero, err)
		}
		if _, err := gallery.ApplicationTable.Find(ctx, "client"); err != nil {
			t.Errorf("the instance with the older struct: %v", err)
		}
		testRoundTrip(t, grown)
	})
}

func testRoundTrip(t *testing.T, grown *gormstore.Store[*grownApplication]) {
	closed := now.Add(time.Hour)
	app := &grownApplication{
		AbstractApplication: *newApplication(), Logo: "logo ? @name $1", Plan: "paid", Seats: -1, Weight: 1.5, Opened: now, Closed: &closed,
		Tenant: sql.NullString{String: "tenant", Valid: true}, Labels: []string{"a", "b c"}, Picture: []byte{0, 255},
		Tags: oauthkit.URIs{"a", "b"}, Address: address{"Street", "Town"}, Position: 255,
	}
	app.ClientID = "grown"
	if err := grown.ApplicationTable.Create(t.Context(), app, now); err != nil {
		t.Fatal(err)
	}
	found, err := grown.Application(t.Context(), "grown")
	if err != nil {
		t.Fatal(err)
	}
	got := found.(*grownApplication)
	if !got.Opened.Equal(app.Opened) || !got.Closed.Equal(closed) {
		t.Errorf("got times %v and %v, want %v and %v", got.Opened, got.Closed, app.Opened, closed)
	}
	got.Opened, got.Closed, got.CreatedAt, got.UpdatedAt = app.Opened, app.Closed, app.CreatedAt, app.UpdatedAt
	for _, each := range []*grownApplication{got, app} {
		each.PostLogoutRedirectURIs, each.AllowedOrigins = nil, nil // none, in one way or another
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", app) {
		t.Errorf("got  %+v\nwant %+v", got, app)
	}
}

// TestHostIndices shows that the indices of the tags are created and enforced.
func TestHostIndices(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		grown := migrated[*grownApplication](t, db)
		for _, name := range []string{"idx_tenant", "idx_place", "idx_oauth_applications_plan"} {
			if !db.Table("oauth_applications").Migrator().HasIndex("oauth_applications", name) {
				t.Errorf("got no index %s", name)
			}
		}
		for i, want := range []bool{true, false} {
			app := &grownApplication{AbstractApplication: *newApplication(), Tenant: sql.NullString{String: "same", Valid: true}}
			app.ClientID = fmt.Sprint(i)
			if err := grown.ApplicationTable.Create(t.Context(), app, now); (err == nil) != want {
				t.Errorf("application %d of a tenant that may have one: got %v", i, err)
			}
		}
	})
}

// TestPrintMigrations executes the printed script. Afterwards nothing is left to
// migrate.
func TestPrintMigrations(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		printing, err := gormstore.New[*grownApplication](open(), gormstore.Config{TablePrefix: "sso_"})
		if err != nil {
			t.Fatal(err)
		}
		var script strings.Builder
		if err := printing.PrintMigrations(&script); err != nil {
			t.Fatal(err)
		}
		if err := open().Exec(script.String()).Error; err != nil {
			t.Fatalf("%v in\n%s", err, script.String())
		}
		db := open()
		statements := oauthtest.CountStatements(db)
		store, err := gormstore.New[*grownApplication](db, gormstore.Config{TablePrefix: "sso_"})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		expectReads(t, statements)
		testRoundTrip(t, store)
	})
}

// TestAbstractColumns shows that the migrations create a column for every field of
// AbstractApplication. A new field needs a migration.
func TestAbstractColumns(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store := unmigrated[*oauthkit.AbstractApplication](t, open(), gormstore.Config{})
		var script strings.Builder
		if err := store.PrintMigrations(&script); err != nil || !strings.Contains(script.String(), "CREATE TABLE") {
			t.Fatalf("got %q, %v, want a script", script.String(), err)
		}
		if strings.Contains(script.String(), "ALTER TABLE") {
			t.Errorf("got a column that no migration creates, in\n%s", script.String())
		}
	})
}

// hostRow is a table of the host.
type hostRow struct {
	ID   int `gorm:"primaryKey"`
	Text string
}

// TestMigrateOwn shows that the host's functions run in the migration, and that a
// failure undoes both.
func TestMigrateOwn(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		own := func(tx *gorm.DB) error { return tx.AutoMigrate(&hostRow{}) }
		failure := errors.New("no")
		if err := store.Migrate(t.Context(), own, func(*gorm.DB) error { return failure }); !errors.Is(err, failure) {
			t.Fatalf("got %v, want the host's error", err)
		}
		if db.Migrator().HasTable(&hostRow{}) || db.Migrator().HasTable("oauth_authorizations") {
			t.Error("got tables of a migration that failed")
		}
		for range 2 {
			if err := store.Migrate(t.Context(), own); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Create(&hostRow{Text: "kept"}).Error; err != nil {
			t.Errorf("got %v, want the row of the host's table", err)
		}
	})
}
