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
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// user is a row of this program's own table of users.
type user struct {
	Username string `gorm:"primaryKey;size:255"`
	Password string `gorm:"size:255"` // bcrypt
	Claims   string // JSON, as in the seed file
}

func (user) TableName() string { return "idp_users" }

// session is one signed-in browser. Only the hash of its cookie is stored.
type session struct {
	Hash     string `gorm:"primaryKey;size:43"`
	ID       string `gorm:"size:43"`
	Username string `gorm:"size:255;index"`
	SignedIn time.Time
	Expires  time.Time `gorm:"index"`
}

func (session) TableName() string { return "idp_sessions" }

// errNoUser also tells package oidc that the claims are missing because the user is.
var errNoUser = fmt.Errorf("there is no such user: %w", oauthkit.ErrNotFound)

// database is where everything is kept: the provider's tables and this program's, side by side.
type database struct {
	db    *gorm.DB
	store *gormstore.Store[*oauthkit.AbstractApplication]
}

func isPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// isMistaken reports whether a database of PostgreSQL is named in another way. It would become a file that has a password in its name.
func isMistaken(location string) bool {
	return !isPostgres(location) && (strings.HasPrefix(location, "postgres:") || strings.Contains(location, "host="))
}

// connect takes a SQLite file, which it creates where there is none, or a postgres:// URL.
func connect(location string) (*database, error) {
	open := sqlite.OpenDB
	switch {
	case isPostgres(location):
		open = postgres.OpenDB
	case isMistaken(location):
		return nil, errors.New("-db is neither a file nor a postgres:// URL")
	}
	db, err := open(location)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w; see whether -db names the one that you mean", err)
	}
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		return nil, err
	}
	return &database{db: db, store: store}, nil
}

// openDatabase connects and creates the tables.
func openDatabase(ctx context.Context, location string) (*database, error) {
	d, err := connect(location)
	if err != nil {
		return nil, err
	}
	own := func(tx *gorm.DB) error { return tx.AutoMigrate(&user{}, &session{}) }
	if err := d.store.Migrate(ctx, own); err != nil {
		return nil, errors.Join(fmt.Errorf("creating the tables: %w", err), d.Close())
	}
	return d, nil
}

// openExisting connects where there are tables. It creates nothing, so that a mistyped location is noticed.
func openExisting(ctx context.Context, location string) (*database, error) {
	if !isPostgres(location) && !isMistaken(location) {
		if _, err := os.Stat(location); err != nil {
			return nil, fmt.Errorf("there is no database: %w; name another with -db, or make one with idp migrate", err)
		}
	}
	d, err := connect(location)
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

// Close closes the connections.
func (d *database) Close() error { return d.store.Close() }

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
