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

	"golang.org/x/sync/semaphore"
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
	written sync.Map            // how the database reads a statement, by how it is written here
	writers *semaphore.Weighted // the turn to write, first come, first served; nil: any number write at the same time
	file    *databaseFile       // nil: the database is on a server
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
	// applicationIndices returns the statement that lists the indices of the table of applications that can be used.
	applicationIndices() string
	// uniqueKeys returns the statement that lists the unique keys of the table $1, each as its columns with spaces between, in the
	// order of the alphabet.
	uniqueKeys() string
	// identity returns the statement that tells a database, and its tables, from all others. Its answer is empty where it cannot.
	identity() string
	// checkSettings looks for settings with which the store does not work, or works worse. The place is what they are of.
	checkSettings(ctx context.Context, d *database, place string) ([]oauthkit.Finding, error)
	// transactionOptions are those of every transaction.
	transactionOptions() []*sql.TxOptions
	// hasMigrations returns the statement that tells whether the table of versions is there.
	hasMigrations() string
	// migrate does what is due in a database, while no other instance does.
	migrate(ctx context.Context, u *upgrade) error
	// underLock runs change in a transaction that no other instance has at the same time, for what is said of scopes.
	underLock(ctx context.Context, d *database, change func(tx *gorm.DB) error) error
	// lockOwner lets no other transaction that has called it for the same owner go on before tx has ended.
	lockOwner(ctx context.Context, d *database, tx gorm.ConnPool, owner string) error

	// userAuthorizations returns the statement that lists sign-ins of the user $1 at the time $2, at most $3 of each application.
	userAuthorizations() string

	// revokeListed returns the statement that revokes the Authorizations whose ids are in the JSON array $1, at the time $2.
	revokeListed() string
	// awaitActs waits until every act has ended that began before the call and may insert an Authorization. It calls renew
	// meanwhile.
	awaitActs(ctx context.Context, d *database, renew func() error) error

	// The acts, as package oauthkit describes them.
	saveTokens(ctx context.Context, d *database, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error
	saveCode(ctx context.Context, d *database, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) (consentID string, err error)
	saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error
	redeemCode(ctx context.Context, d *database, hash string, tokens oauthkit.Tokens, now time.Time) error
	rotateRefreshToken(ctx context.Context, d *database, rotation oauthkit.Rotation) error
	repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (oauthkit.Repeats, error)
	revokeAuthorization(ctx context.Context, d *database, id string, now time.Time) (changed bool, err error)
	// sealedOver returns the table of refresh tokens with the condition on which the retry window of
	// a token with something sealed is over at the time $1.
	sealedOver() string
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
		d.dialect, d.writers, d.file = sqliteDialect{}, semaphore.NewWeighted(1), &databaseFile{}
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

// inTransaction runs statements that succeed together or not at all. Run may be executed several times.
func (d *database) inTransaction(ctx context.Context, run func(tx gorm.ConnPool) error) error {
	return d.transaction(ctx, func(tx *gorm.DB) error { return run(tx.Statement.ConnPool) })
}

// on executes run, which sends a statement to the pool or to a transaction. In a transaction it is the whole that is repeated.
func (d *database) on(ctx context.Context, pool gorm.ConnPool, statement *writtenStatement, run func() error) error {
	if pool != d.pool() {
		return run()
	}
	return d.attempt(ctx, statement.writes, run)
}

// execute runs a statement and returns how many rows it changed.
func (d *database) execute(ctx context.Context, on gorm.ConnPool, statement string, args ...any) (rows int, err error) {
	written := d.write(statement)
	err = d.on(ctx, on, written, func() error {
		result, err := on.ExecContext(ctx, written.text, args...)
		if err != nil {
			return err
		}
		changed, err := result.RowsAffected()
		rows = int(changed)
		return err
	})
	return rows, err
}

// first reads the first row of a statement's answer. Without one it returns [oauthkit.ErrNotFound].
func (d *database) first(ctx context.Context, on gorm.ConnPool, statement string, args []any, columns ...any) error {
	written := d.write(statement)
	err := d.on(ctx, on, written, func() error { return on.QueryRowContext(ctx, written.text, args...).Scan(columns...) })
	if errors.Is(err, sql.ErrNoRows) {
		return oauthkit.ErrNotFound
	}
	return err
}

// each reads every row of a statement's answer.
func (d *database) each(ctx context.Context, on gorm.ConnPool, statement string, args []any, read func(scan func(...any) error) error) error {
	written := d.write(statement)
	var failure error // after a row was read, which nothing takes back
	err := d.on(ctx, on, written, func() error {
		rows, err := on.QueryContext(ctx, written.text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		some := false
		for ; rows.Next(); some = true {
			if failure = read(rows.Scan); failure != nil {
				return nil
			}
		}
		if some {
			failure = rows.Err()
			return nil
		}
		return rows.Err()
	})
	return errors.Join(err, failure)
}

// writtenStatement is a statement as the database reads it.
type writtenStatement struct {
	text   string
	writes bool
}

var (
	tableName = regexp.MustCompile(`\{(\w+)\}`)
	writing   = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP) `)
)

// write returns a statement as the database reads it. Tables are written in braces.
func (d *database) write(statement string) *writtenStatement {
	if known, ok := d.written.Load(statement); ok {
		return known.(*writtenStatement)
	}
	text := d.dialect.write(tableName.ReplaceAllString(statement, d.prefix+"$1"))
	written := &writtenStatement{text, writing.MatchString(text)}
	d.written.Store(statement, written)
	return written
}

// sql returns the text of a statement as the database reads it.
func (d *database) sql(statement string) string { return d.write(statement).text }

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
