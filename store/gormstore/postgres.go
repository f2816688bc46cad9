package gormstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// postgresDialect executes each act in one statement, so that it costs one round trip
// and no lock outlives it.
//
// All parts of a statement see the database as it was when the statement began. An
// act is correct because a part that waits for the lock of a row reads the row again
// afterwards. So each statement first locks and then changes the rows that decide, in
// the same order in every statement: Interaction, Consent, Authorization, credential.
// The rows that it inserts are selected from those that it changed, so that a
// concurrent loser inserts nothing.
type postgresDialect struct{}

func newPostgres() dialect {
	p := postgresDialect{}
	return dialect{
		name: "postgres", syntax: p, catalogue: postgresCatalogue(), tokenActs: p, approvalActs: p, locks: p,
		variants: variants{
			userAuthorizations: userAuthorizationsPostgres,
			revokeListed:       revokeListedPostgres,
			// A window is over only if both clocks say so. The subquery is executed
			// once, so that the index is used.
			sealedOver: `{refresh_tokens} WHERE sealed IS NOT NULL AND sealed_until < (SELECT LEAST(@before, clock_timestamp()))`,
		},
	}
}

func (postgresDialect) translate(statement string) string { return statement }

func (postgresDialect) argument() string { return "$" }

func (postgresDialect) stamp(t time.Time) any { return t.UTC().Truncate(time.Microsecond) }

// transactionOptions lets a statement see every row that was committed before it
// began, even if default_transaction_isolation is higher.
func (postgresDialect) transactionOptions() []*sql.TxOptions {
	return []*sql.TxOptions{{Isolation: sql.LevelReadCommitted}}
}

// marksPostgres are the marks of which each refuses a new Authorization.
const marksPostgres = `('application:' || @authorization.client_id::text, 'user:' || @authorization.subject::text,
		'session:' || @authorization.session_id::text || ' ' || @authorization.subject::text)`

const saveTokensPostgres = `WITH accepted AS (
	INSERT INTO {authorizations} ([authorization], issued_at)
	SELECT @[authorization], @access.issued_at
	WHERE NOT EXISTS (SELECT 1 FROM {endings}
		WHERE name IN ` + marksPostgres + ` AND ` + markInForce + `)
	RETURNING id
), ` + insertTokens + `
SELECT id FROM accepted`

func (postgresDialect) saveTokens(ctx context.Context, d *database, a arguments) error {
	var id string
	err := d.queryRow(ctx, d.pool(), saveTokensPostgres, a, &id)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return oauthkit.ErrEnded
	}
	return err
}

const (
	revokeAuthorizationPostgres = revokeOnePostgres + `
SELECT id FROM revoked`
	revokeAndNotePostgres = revokeOnePostgres + `, noted AS (` + insertNotices + `(` + aboutOne + `revoked WHERE true` + ofSession + `)` + forReceivers + `)
SELECT id FROM revoked`
	revokeOnePostgres = `WITH revoked AS (
	UPDATE {authorizations} SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL RETURNING id, client_id, subject, session_id
), unsealed AS (
	UPDATE {refresh_tokens} AS t SET sealed = NULL FROM revoked WHERE t.authorization_id = revoked.id AND t.sealed IS NOT NULL
)`
)

func (postgresDialect) revokeAuthorization(ctx context.Context, d *database, a arguments) (changed bool, err error) {
	statement := revokeAuthorizationPostgres
	if a.notice != nil {
		statement = revokeAndNotePostgres
	}
	rows, err := d.execute(ctx, d.pool(), statement, a)
	return rows == 1, err
}

const revokeListedAndNotePostgres = `WITH held AS (
	SELECT id FROM {authorizations} WHERE id = ANY (ARRAY(SELECT json_array_elements_text(@ids::text::json))) AND revoked_at IS NULL
	ORDER BY id FOR UPDATE
), revoked AS (
	UPDATE {authorizations} SET revoked_at = @now WHERE id IN (SELECT id FROM held) RETURNING id, client_id, subject, session_id
), noted AS (` + insertNotices + `(` + aboutAll + `revoked WHERE true` + ofAnyUser + `)` + forReceivers + `)
SELECT id FROM revoked`

func (postgresDialect) revokeListedAndNote(ctx context.Context, d *database, a arguments) (rows int, err error) {
	return d.executeBounded(ctx, d.pool(), revokeListedAndNotePostgres, a)
}

// saveInteractionPostgres finds the rows beyond the limit by an index, and skips rows
// that another transaction holds. Its parts do not see the new row.
const saveInteractionPostgres = `WITH saved AS (
	INSERT INTO {interactions} ([interaction]) VALUES (@[interaction]) ON CONFLICT (hash) DO NOTHING RETURNING hash
), surplus AS (
	(SELECT hash FROM {interactions} WHERE browser_hash = @interaction.browser_hash AND consumed_at IS NULL
		ORDER BY created_at DESC OFFSET @limit)
	UNION ALL
	(SELECT hash FROM {interactions} WHERE subject = @interaction.subject AND consumed_at IS NULL
		ORDER BY created_at DESC OFFSET @limit)
), held AS (
	SELECT hash FROM {interactions}
	WHERE hash IN (SELECT hash FROM surplus) AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM saved) FOR UPDATE SKIP LOCKED
), removed AS (
	DELETE FROM {interactions} WHERE hash IN (SELECT hash FROM held)
)
SELECT EXISTS (SELECT 1 FROM saved)`

func (postgresDialect) saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error {
	var saved bool
	a := arguments{interaction: interaction, limit: limit - 1} // the rows that are left beside the new one
	err := d.queryRow(ctx, d.pool(), saveInteractionPostgres, a, &saved)
	if err == nil && !saved {
		return oauthkit.ErrReplayed
	}
	return err
}

// underLock holds an advisory lock until the transaction ends. Once it holds the
// lock, READ COMMITTED shows the changes of the previous holder. It is not the lock
// of the migrations, which may be held for minutes.
func (p postgresDialect) underLock(ctx context.Context, d *database, change func(tx *gorm.DB) error) error {
	return d.transaction(ctx, func(tx *gorm.DB) error {
		if err := p.lock(ctx, d, tx.Statement.ConnPool, "scopes"); err != nil {
			return err
		}
		return change(tx)
	})
}

// lockOwner holds an advisory lock until the transaction ends. If two owners have the
// same key, they only wait for each other.
func (p postgresDialect) lockOwner(ctx context.Context, d *database, tx gorm.ConnPool, owner string) error {
	return p.lock(ctx, d, tx, "applications of "+owner)
}

func (p postgresDialect) lock(ctx context.Context, d *database, tx gorm.ConnPool, subject string) error {
	_, err := d.execute(ctx, tx, `SELECT pg_advisory_xact_lock(@lock)`, arguments{lock: p.lockKey(d, subject)})
	return err
}

// lockKey returns the number of an advisory lock.
func (postgresDialect) lockKey(d *database, subject string) int64 {
	name := fnv.New64a()
	fmt.Fprintf(name, "oauthkit %s of %s", subject, d.prefix)
	return int64(name.Sum64())
}

// actsRunning returns the transactions that could insert an Authorization. PostgreSQL
// locks a table that a statement may insert into before the snapshot of the statement
// is taken, and until its transaction ends. So a statement that has not locked the
// table yet sees the mark that was committed before. Statements that wait for other
// locks are among the results. The acts themselves have no cost from it.
const (
	actsRunning = `SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = '{authorizations}'::regclass
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'`
	actsStillRunning = actsRunning + ` AND virtualtransaction IN (SELECT json_array_elements_text(@ids::text::json))`
)

// longestWait is the time after which a revocation fails that waits for acts that
// began before it. The deadlines of their requests are shorter.
const longestWait = time.Minute

func (postgresDialect) awaitActs(ctx context.Context, d *database, renew func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longestWait, errors.New("transactions that may insert an authorization have not ended"))
	defer cancel()
	running, err := d.queryBounded(ctx, actsRunning, arguments{})
	for longest := time.Millisecond; err == nil && len(running) > 0; longest = min(2*longest, 100*time.Millisecond) {
		if !pause(ctx, longest) {
			return context.Cause(ctx)
		}
		var list []byte
		if list, err = json.Marshal(running); err != nil {
			break
		}
		if running, err = d.queryBounded(ctx, actsStillRunning, arguments{ids: string(list)}); err == nil {
			err = renew()
		}
	}
	return err
}
