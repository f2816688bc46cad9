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

// user is a row of this program's own table of users.
type user struct {
	Username string `gorm:"primaryKey;size:255"`
	Password string `gorm:"size:255"` // bcrypt
	Claims   string // JSON, as in the seed file
}

func (user) TableName() string { return "idp_users" }

// session is one signed-in browser. Only the hash of its cookie is stored, and a hash of what is stored of the user's
// password, so that another password ends it.
type session struct {
	Hash     string `gorm:"primaryKey;size:43"`
	ID       string `gorm:"size:43"`
	Username string `gorm:"size:255;index"`
	Password string `gorm:"size:43"`
	SignedIn time.Time
	Expires  time.Time `gorm:"index"`
}

func (session) TableName() string { return "idp_sessions" }

// errNoUser also tells package oidc that the claims are missing because the user is.
var errNoUser = fmt.Errorf("there is no such user: %w", oauthkit.ErrNotFound)

// database is where everything is kept: the provider's tables and this program's, side by side.
type database struct {
	db    *gorm.DB
	store *gormstore.Store[*storedApplication]
}

// connect opens the database without looking at its tables.
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

// openDatabase connects and creates the tables.
func openDatabase(ctx context.Context, at location) (*database, error) {
	d, err := connect(at)
	if err != nil {
		return nil, err
	}
	own := func(tx *gorm.DB) error { return tx.AutoMigrate(ownTables()...) }
	if err := d.store.Migrate(ctx, own); err != nil {
		return nil, errors.Join(fmt.Errorf("creating the tables: %w", err), d.Close())
	}
	return d, nil
}

// openExisting connects where there are tables. It creates nothing, so that a mistyped location is noticed.
func openExisting(ctx context.Context, at location) (*database, error) {
	if !at.isPostgres() && !at.isMistaken() {
		if _, err := os.Stat(string(at)); err != nil {
			return nil, fmt.Errorf("there is no database: %w; name another with -db, or make one with idp migrate", err)
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
		err = errors.New("there are no tables of this program; name another database with -db, or make them with idp migrate")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), d.Close())
	}
	return d, nil
}

// openUpToDate is openExisting for a program that serves but may not change tables. It fails if a table or a column is
// missing.
func openUpToDate(ctx context.Context, at location) (*database, error) {
	d, err := openExisting(ctx, at)
	if err != nil {
		return nil, err
	}
	if missing := d.missing(ctx); len(missing) > 0 {
		err := fmt.Errorf("the tables are not up to date: %s; run idp migrate, or serve without -migrate=false", strings.Join(missing, "; "))
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// missing returns what migrating would add.
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

// ownTables are the tables of this program.
func ownTables() []any { return []any{&user{}, &session{}} }

// Close closes the connections.
func (d *database) Close() error { return d.store.Close() }

// operationTimeout is how long an operation of this program's own pages may take. Those of the provider have the same.
const operationTimeout = 5 * time.Second

// operation returns a context for what a request does to the database: it ends in time, and not with the browser's
// connection, so that what has begun is finished.
func (d *database) operation(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), operationTimeout)
}

func (d *database) user(ctx context.Context, username string) (*user, error) {
	if !utf8.ValidString(username) || strings.Contains(username, "\x00") { // no database can look for it
		return nil, errNoUser
	}
	found := &user{}
	err := d.db.WithContext(ctx).Where("username = ?", username).Take(found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, errNoUser
	}
	return found, err
}
