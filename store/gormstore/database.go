package gormstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/oauthkit/oauthkit"
)

// database is a database that the library's tables are in, or some of them.
type database struct {
	db      *gorm.DB
	dialect dialect
	prefix  string
	written sync.Map // statements as the database reads them, by how they are written here
}

// dialect is what differs between the databases.
type dialect interface {
	// write returns a statement in the database's own words. Here it has arguments $1, $2, ... and locks as on PostgreSQL.
	write(statement string) string
	// stamp returns a time as it is stored.
	stamp(t time.Time) any
	// migrations returns the versions of the schema, the oldest first.
	migrations() []migration
	// applicationColumns returns the statement that lists the columns of the table of applications.
	applicationColumns() string
	// uniqueKeys returns the statement that lists the unique keys of the table $1, each as its columns with spaces between, in the
	// order of the alphabet.
	uniqueKeys() string
	// identity returns the statement that tells a database, and its tables, from all others. Its answer is empty where it cannot.
	identity() string
	// checkSettings looks for settings with which the store does not work, or works worse. The place is what they are of.
	checkSettings(ctx context.Context, d *database, place string) ([]oauthkit.Finding, error)
	// underLock runs change in a transaction that no other instance has at the same time: a migration, or what is said of scopes.
	underLock(ctx context.Context, d *database, change func(tx *gorm.DB) error) error

	// userAuthorizations returns the statement that lists sign-ins of the user $1 at the time $2, at most $3 of each application.
	userAuthorizations() string

	// The acts, as package oauthkit describes them.
	saveTokens(ctx context.Context, d *database, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error
	saveCode(ctx context.Context, d *database, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) (consentID string, err error)
	redeemCode(ctx context.Context, d *database, hash string, tokens oauthkit.Tokens, now time.Time) error
	rotateRefreshToken(ctx context.Context, d *database, hash string, successors oauthkit.Tokens, sealed []byte, now time.Time) error
}

var tablePrefix = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,23}$`)

func newDatabase(db *gorm.DB, prefix string) (*database, error) {
	prefix = cmp.Or(prefix, "oauth_")
	if !tablePrefix.MatchString(prefix) {
		return nil, fmt.Errorf("gormstore: the table prefix %q is not 1 to 24 characters of a-z, 0-9 and _, no digit first", prefix)
	}
	if db == nil {
		return nil, errors.New("gormstore: the database is nil")
	}
	d := &database{db: ownSession(db), prefix: prefix}
	switch name := db.Name(); name {
	case "postgres":
		d.dialect = postgresDialect{}
	case "sqlite":
		d.dialect = sqliteDialect{}
	default:
		return nil, fmt.Errorf("gormstore: there is no support for the database %q, only for postgres and sqlite", name)
	}
	return d, nil
}

// ownSession returns the host's database without the host's settings. GORM's prepared statements are left out because they
// parse every statement of a transaction again, while the drivers keep their own.
func ownSession(db *gorm.DB) *gorm.DB {
	own := db.Session(&gorm.Session{
		NewDB:                  true,
		SkipDefaultTransaction: true,
		QueryFields:            true,           // SELECT * fails once where another instance has just added a column
		Logger:                 logger.Discard, // errors come back, and values are nobody's business
		NowFunc:                func() time.Time { return db.NowFunc().UTC().Truncate(time.Microsecond) },
	})
	own.DryRun, own.PrepareStmt, own.TranslateError = false, false, false
	own.AllowGlobalUpdate, own.FullSaveAssociations = false, false
	pool := db.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtDB); ok {
		pool = prepared.ConnPool
	}
	own.ConnPool = pool
	// A new one, because the host's may hold conditions.
	own.Statement = &gorm.Statement{DB: own, ConnPool: pool, Context: context.Background(), Clauses: map[string]clause.Clause{}}
	return own
}

// pool is where a statement goes that is a transaction of its own. Without GORM's callbacks between, no plug-in sends it to
// a replica: what decides about a secret is asked where it was written.
func (d *database) pool() gorm.ConnPool { return d.db.Statement.ConnPool }

// inTransaction runs statements that succeed together or not at all.
func (d *database) inTransaction(ctx context.Context, run func(tx gorm.ConnPool) error) error {
	return d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return run(tx.Statement.ConnPool) })
}

// execute runs a statement and returns how many rows it changed.
func (d *database) execute(ctx context.Context, on gorm.ConnPool, statement string, args ...any) (int, error) {
	result, err := on.ExecContext(ctx, d.sql(statement), args...)
	if err != nil {
		return 0, err
	}
	rows, err := result.RowsAffected()
	return int(rows), err
}

// first reads the first row of a statement's answer. Without one it returns [oauthkit.ErrNotFound].
func (d *database) first(ctx context.Context, on gorm.ConnPool, statement string, args []any, columns ...any) error {
	err := on.QueryRowContext(ctx, d.sql(statement), args...).Scan(columns...)
	if errors.Is(err, sql.ErrNoRows) {
		return oauthkit.ErrNotFound
	}
	return err
}

// each reads every row of a statement's answer.
func (d *database) each(ctx context.Context, on gorm.ConnPool, statement string, args []any, read func(scan func(...any) error) error) error {
	rows, err := on.QueryContext(ctx, d.sql(statement), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

var tableName = regexp.MustCompile(`\{(\w+)\}`)

// sql returns a statement as the database reads it. Tables are written in braces.
func (d *database) sql(statement string) string {
	if known, ok := d.written.Load(statement); ok {
		return known.(string)
	}
	text := d.dialect.write(tableName.ReplaceAllString(statement, d.prefix+"$1"))
	d.written.Store(statement, text)
	return text
}

// stamp returns a time as it is stored.
func (d *database) stamp(t time.Time) any { return d.dialect.stamp(t) }

// stampOrNull returns a time as it is stored, and NULL for the zero time.
func (d *database) stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return d.dialect.stamp(t)
}

// failed says what could not be done. The three answers of a store stay visible through it.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gormstore: %s: %w", doing, err)
}

// close closes the database, the host's *gorm.DB included.
func (d *database) close() error {
	pool, err := d.db.DB()
	if err != nil {
		return fmt.Errorf("gormstore: closing the database: %w", err)
	}
	return pool.Close()
}
