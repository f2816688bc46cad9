package gormstore

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// sqliteDialect executes each act in one transaction. Its first statement always
// writes, which takes SQLite's only write lock even if the host's transactions begin
// without it. A transaction that reads first can fail later because its snapshot is
// old.
type sqliteDialect struct{}

func newSQLite() dialect {
	s := sqliteDialect{}
	return dialect{
		name: "sqlite", syntax: s, catalogue: sqliteCatalogue(), tokenActs: s, approvalActs: s, locks: s,
		variants: variants{
			userAuthorizations: userAuthorizationsSQLite,
			revokeListed:       revokeListedSQLite,
			sealedOver:         `{refresh_tokens} INDEXED BY {refresh_tokens}_sealed WHERE sealed IS NOT NULL AND sealed_until < @before`,
		},
	}
}

// translate leaves out row locks, because there is only one writer.
func (sqliteDialect) translate(statement string) string {
	return strings.NewReplacer(" FOR UPDATE SKIP LOCKED", "", " FOR UPDATE", "",
		"clock_timestamp()", "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000)",
		"gen_random_uuid()::text", "lower(hex(randomblob(16)))", "strpos(", "instr(",
		"json_array_elements_text(@receivers::text::json) AS receiver (value)", "json_each(@receivers) AS receiver",
		"json_array_elements_text(@ids::text::json) AS listed (value)", "json_each(@ids) AS listed",
		"::text", "", "::timestamptz", "",
		"interval '1 minute'", "60000000", "interval '1 day'", "86400000000",
	).Replace(statement)
}

func (sqliteDialect) argument() string { return "?" }

// stamp returns microseconds since 1970, which sort as times do and keep the
// precision of a store.
func (sqliteDialect) stamp(t time.Time) any { return t.UnixMicro() }

func (sqliteDialect) transactionOptions() []*sql.TxOptions { return nil }

const (
	insertAuthorizationSQLite = `INSERT INTO {authorizations} ([authorization], issued_at)
SELECT @[authorization consent_id=@consent_id], @access.issued_at
WHERE NOT EXISTS (SELECT 1 FROM {endings}
	WHERE name IN ('application:' || @authorization.client_id, 'user:' || @authorization.subject,
		'session:' || @authorization.session_id || ' ' || @authorization.subject) AND ` + markInForce + `)`
	insertAccessTokenSQLite  = `INSERT INTO {access_tokens} ([access], authorization_id) VALUES (@[access], @id)`
	insertCodeSQLite         = `INSERT INTO {authorization_codes} ([code], authorization_id) VALUES (@[code], @id)`
	insertRefreshTokenSQLite = `INSERT INTO {refresh_tokens} ([refresh], authorization_id) VALUES (@[refresh], @id)`
)

func (s sqliteDialect) saveTokens(ctx context.Context, d *database, a arguments) error {
	a.id, a.consentID = a.authorization.ID, a.authorization.ConsentID
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if err := s.insertAuthorization(ctx, d, tx, a); err != nil {
			return err
		}
		return s.insertTokens(ctx, d, tx, a)
	})
}

// insertAuthorization returns ErrEnded if everything of the application or the user
// is being revoked.
func (sqliteDialect) insertAuthorization(ctx context.Context, d *database, tx gorm.ConnPool, a arguments) error {
	rows, err := d.execute(ctx, tx, insertAuthorizationSQLite, a)
	if err == nil && rows == 0 {
		err = oauthkit.ErrEnded
	}
	return err
}

// insertTokens saves tokens for the Authorization @id.
func (sqliteDialect) insertTokens(ctx context.Context, d *database, tx gorm.ConnPool, a arguments) error {
	_, err := d.execute(ctx, tx, insertAccessTokenSQLite, a)
	if err != nil || a.refresh == nil {
		return err
	}
	_, err = d.execute(ctx, tx, insertRefreshTokenSQLite, a)
	return err
}

const revokeAuthorizationSQLite = `UPDATE {authorizations} SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL`

// The notices are saved first, from the rows that are about to be revoked.
const (
	noteOneSQLite    = insertNotices + `(` + aboutOne + `{authorizations} WHERE id = @id AND revoked_at IS NULL` + ofSession + `)` + forReceivers
	noteListedSQLite = insertNotices + `(` + aboutAll + `{authorizations}
WHERE id IN (SELECT value FROM json_each(@ids)) AND revoked_at IS NULL` + ofAnyUser + `)` + forReceivers
)

func (sqliteDialect) revokeAuthorization(ctx context.Context, d *database, a arguments) (changed bool, err error) {
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if a.notice != nil {
			if _, err := d.execute(ctx, tx, noteOneSQLite, a); err != nil {
				return err
			}
		}
		rows, err := d.execute(ctx, tx, revokeAuthorizationSQLite, a)
		if changed = err == nil && rows == 1; !changed {
			return err
		}
		_, err = d.execute(ctx, tx, unsealAllSQLite, a)
		return err
	})
	return changed && err == nil, err
}

func (sqliteDialect) revokeListedAndNote(ctx context.Context, d *database, a arguments) (rows int, err error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if _, err := d.execute(ctx, tx, noteListedSQLite, a); err != nil {
			return err
		}
		rows, err = d.execute(ctx, tx, revokeListedSQLite, a)
		return err
	})
	return rows, err
}

const (
	insertInteractionSQLite = `INSERT INTO {interactions} ([interaction]) VALUES (@[interaction]) ON CONFLICT (hash) DO NOTHING`
	trimInteractionsSQLite  = `DELETE FROM {interactions} WHERE hash IN (
	SELECT hash FROM (SELECT hash FROM {interactions}
		WHERE browser_hash = @interaction.browser_hash AND consumed_at IS NULL AND hash <> @interaction.hash
		ORDER BY created_at DESC LIMIT -1 OFFSET @limit)
	UNION ALL
	SELECT hash FROM (SELECT hash FROM {interactions}
		WHERE subject = @interaction.subject AND consumed_at IS NULL AND hash <> @interaction.hash
		ORDER BY created_at DESC LIMIT -1 OFFSET @limit))`
)

func (sqliteDialect) saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error {
	a := arguments{interaction: interaction, limit: limit - 1} // the rows that are left beside the new one
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		rows, err := d.execute(ctx, tx, insertInteractionSQLite, a)
		if err == nil && rows == 0 {
			err = oauthkit.ErrReplayed
		}
		if err != nil {
			return err
		}
		_, err = d.execute(ctx, tx, trimInteractionsSQLite, a)
		return err
	})
}

// underLock takes the write lock with a statement that writes if there were rows. The
// table is created before, because CREATE TABLE IF NOT EXISTS only reads if it
// exists.
func (sqliteDialect) underLock(ctx context.Context, d *database, change func(tx *gorm.DB) error) error {
	if _, err := d.execute(ctx, d.pool(), createMigrations, arguments{}); err != nil {
		return err
	}
	return d.transaction(ctx, func(tx *gorm.DB) error {
		if _, err := d.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {migrations} WHERE id IS NULL`, arguments{}); err != nil {
			return err
		}
		return change(tx)
	})
}

// lockOwner takes the write lock with a statement that writes if there were rows.
func (sqliteDialect) lockOwner(ctx context.Context, d *database, tx gorm.ConnPool, _ string) error {
	_, err := d.execute(ctx, tx, `DELETE FROM {applications} WHERE client_id IS NULL`, arguments{})
	return err
}

// awaitActs does not wait. There is one writer at a time, so no act was running when
// the mark was committed.
func (sqliteDialect) awaitActs(context.Context, *database, func() error) error { return nil }

// migrate implements locks.
func (s sqliteDialect) migrate(ctx context.Context, u *upgrade) error {
	return s.underLock(ctx, u.database, u.runAtOnce)
}

// fileChecks is the time between two checks of the file.
const fileChecks = time.Second

// databaseFile is the file of a SQLite database. On Unix it can be removed or
// replaced while it is open, and the program would continue with a file that is lost
// when it ends. The zero value is for a database that was not used yet.
type databaseFile struct {
	mutex   sync.Mutex
	path    string // empty if there is no file
	opened  os.FileInfo
	checked time.Time
	missing error
}

// check returns an error if the file is no longer at its path. It reads the file
// system at most once a second.
func (f *databaseFile) check(ctx context.Context, d *database) error {
	if f == nil {
		return nil
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.checked.IsZero() {
		if err := f.find(ctx, d); err != nil {
			return err
		}
	} else if f.path != "" && time.Since(f.checked) >= fileChecks {
		f.missing, f.checked = f.compare(), time.Now()
	}
	return f.missing
}

// find finds the file of the database. A name without a file belongs to a virtual
// file system of the host's driver.
func (f *databaseFile) find(ctx context.Context, d *database) error {
	var path string
	if err := d.pool().QueryRowContext(ctx, d.sql(d.dialect.identity)).Scan(&path); err != nil {
		return err
	}
	if opened, err := os.Stat(path); err == nil {
		f.path, f.opened = path, opened
	}
	f.checked = time.Now()
	return nil
}

// compare returns an error if the file at the path is not the one that was opened.
func (f *databaseFile) compare() error {
	current, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("the database's file was removed while it was open; restart the program: %w", err)
	}
	if !os.SameFile(f.opened, current) {
		return fmt.Errorf("the database's file %s was replaced while it was open; restart the program", f.path)
	}
	return nil
}
