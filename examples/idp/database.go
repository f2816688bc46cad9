package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// user is a row of this program's table of users.
type user struct {
	Username string `gorm:"primaryKey;size:255"`
	Password string `gorm:"size:255"` // bcrypt
	Claims   string // JSON, as in the seed file
}

func (user) TableName() string { return "idp_users" }

// session is a signed-in browser. The row holds only the hash of the cookie, and a hash
// of the user's stored password, so that a new password ends the session.
type session struct {
	Hash     string `gorm:"primaryKey;size:43"`
	ID       string `gorm:"size:43"`
	Username string `gorm:"size:255;index"`
	Password string `gorm:"size:43"`
	ACR      string `gorm:"size:255"`
	SignedIn time.Time
	Expires  time.Time `gorm:"index"`
}

func (session) TableName() string { return "idp_sessions" }

// errNoUser wraps oauthkit.ErrNotFound, so that package oidc knows that the user does
// not exist.
var errNoUser = fmt.Errorf("unknown user: %w", oauthkit.ErrNotFound)

// database holds the provider's tables and this program's.
type database struct {
	db    *gorm.DB
	store *gormstore.Store[*storedApplication]
}

// connect opens the database without accessing its tables.
func connect(at location) (*database, error) {
	db, err := at.open()
	if err != nil {
		return nil, err
	}
	store, err := gormstore.New[*storedApplication](db, gormstore.Config{})
	if err != nil {
		return nil, err
	}
	return &database{db: db, store: store}, nil
}

// openDatabase opens the database and migrates its tables.
func openDatabase(ctx context.Context, at location) (*database, error) {
	d, err := connect(at)
	if err != nil {
		return nil, err
	}
	migrateOwn := func(tx *gorm.DB) error { return tx.AutoMigrate(ownTables()...) }
	if err := d.store.Migrate(ctx, migrateOwn); err != nil {
		return nil, errors.Join(fmt.Errorf("migrating the tables: %w", err), d.Close())
	}
	return d, nil
}

// openExisting opens a database that has tables. It creates nothing, so that a mistyped
// location is an error.
func openExisting(ctx context.Context, at location) (*database, error) {
	if !at.isPostgres() && !at.isInvalid() {
		if _, err := os.Stat(string(at)); err != nil {
			return nil, fmt.Errorf("no database: %w; use -db for another one, or create it with idp migrate", err)
		}
	}
	d, err := connect(at)
	if err != nil {
		return nil, err
	}
	pool, err := d.db.DB()
	if err == nil {
		err = pool.PingContext(ctx)
	}
	if err == nil && !d.db.WithContext(ctx).Migrator().HasTable(&session{}) {
		err = errors.New("the tables of idp do not exist; use -db for another database, or create them with idp migrate")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), d.Close())
	}
	return d, nil
}

// openUpToDate opens a database for a program that serves but may not change tables. It
// fails if a table or a column is missing.
func openUpToDate(ctx context.Context, at location) (*database, error) {
	d, err := openExisting(ctx, at)
	if err != nil {
		return nil, err
	}
	if missing := d.missing(ctx); len(missing) > 0 {
		err := fmt.Errorf("the tables are not up to date: %s; run idp migrate, or idp serve without -migrate=false", strings.Join(missing, "; "))
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// missing returns the tables and columns that migrating would add.
func (d *database) missing(ctx context.Context) (missing []string) {
	for _, finding := range d.store.Check(ctx) {
		if finding.Severity == oauthkit.SeverityError {
			missing = append(missing, finding.Message)
		}
	}
	db := d.db.WithContext(ctx)
	for _, model := range ownTables() {
		statement := &gorm.Statement{DB: db}
		if err := statement.Parse(model); err != nil {
			return append(missing, err.Error())
		}
		for _, column := range statement.Schema.DBNames {
			if !db.Migrator().HasColumn(model, column) {
				missing = append(missing, fmt.Sprintf("%s has no column %s", statement.Schema.Table, column))
			}
		}
	}
	return missing
}

// ownTables returns the tables of this program.
func ownTables() []any { return []any{&user{}, &session{}} }

func (d *database) Close() error { return d.store.Close() }

// operationTimeout limits the database work of a request to this program's pages. The
// provider's pages have the same limit.
const operationTimeout = 5 * time.Second

// operation returns a context for the database work of a request. It has a deadline and
// ignores the end of the browser's connection, so that work that has begun is finished.
func (d *database) operation(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
}

func (d *database) user(ctx context.Context, username string) (*user, error) {
	if !utf8.ValidString(username) || strings.Contains(username, "\x00") { // databases reject such values
		return nil, errNoUser
	}
	found := &user{}
	err := d.db.WithContext(ctx).Where("username = ?", username).Take(found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, errNoUser
	}
	return found, err
}
