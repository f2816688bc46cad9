package gormstore

import (
	"context"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// maxSkew is the tolerated difference between two clocks.
const maxSkew = 2 * time.Second

// checkPostgresSettings reports a server that cannot be written to, an isolation
// level at which acts are repeated and their snapshots are older than their locks, and
// a clock that is wrong.
func checkPostgresSettings(ctx context.Context, d *database, place string) (findings []oauthkit.Finding, err error) {
	var standby, readOnly bool
	var isolation string
	var clock time.Time
	before := d.db.NowFunc()
	err = d.queryRow(ctx, d.pool(), `SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
	current_setting('transaction_isolation'), clock_timestamp()`, arguments{}, &standby, &readOnly, &isolation, &clock)
	if err != nil {
		return nil, err
	}
	after := d.db.NowFunc()
	switch {
	case standby:
		findings = append(findings, readOnlyFinding(place+" is a replica"))
	case readOnly:
		findings = append(findings, readOnlyFinding(place+" is read-only by default_transaction_read_only"))
	}
	if isolation != "read committed" && isolation != "read uncommitted" { // the same in PostgreSQL
		findings = append(findings, oauthkit.Finding{
			ID: "gormstore.W005", Severity: oauthkit.SeverityWarning,
			Message: fmt.Sprintf("%s has default_transaction_isolation = %s, at which concurrent acts are executed repeatedly, "+
				"and revoking everything of a user or an application can miss what is saved at that moment", place, isolation),
			Hint: "Open the database with store/postgres, or set it to read committed for the connections of this program or its pooler",
		})
	}
	if clock.Before(before.Add(-maxSkew)) || clock.After(after.Add(maxSkew)) {
		findings = append(findings, oauthkit.Finding{
			ID: "gormstore.W001", Severity: oauthkit.SeverityWarning,
			Message: fmt.Sprintf("the clock of %s is off by %s", place, clock.Sub(before).Round(time.Second)),
			Hint:    "Set both by NTP: instances with different clocks disagree about expiry",
		})
	}
	return findings, nil
}

func readOnlyFinding(message string) oauthkit.Finding {
	return oauthkit.Finding{
		ID: "gormstore.E004", Severity: oauthkit.SeverityError,
		Message: message + ", so writes fail",
		Hint:    "Connect to the primary, for example with target_session_attrs=read-write",
	}
}

// checkSQLiteSettings reports settings that let requests wait or fail without need,
// or let a power failure destroy data. It does not matter whether transactions begin
// with the write lock, because every transaction of the store begins with a write, or
// whether foreign keys are enforced, because there are none.
func checkSQLiteSettings(ctx context.Context, d *database, place string) ([]oauthkit.Finding, error) {
	var file, journal string
	var timeout, synchronous int
	for _, setting := range []struct {
		statement string
		value     any
	}{
		{d.dialect.identity, &file},
		{`PRAGMA journal_mode`, &journal},
		{`PRAGMA busy_timeout`, &timeout},
		{`PRAGMA synchronous`, &synchronous},
	} {
		if err := d.queryRow(ctx, d.pool(), setting.statement, arguments{}, setting.value); err != nil {
			return nil, err
		}
	}
	var findings []oauthkit.Finding
	for _, setting := range []struct {
		isWeak            bool
		id, message, hint string
	}{
		{
			file != "" && journal != "wal", "gormstore.W002",
			fmt.Sprintf("%s has journal_mode %s, so writes and reads wait for each other", place, journal),
			"Execute PRAGMA journal_mode = wal, which is stored in the file, or open it with store/sqlite",
		},
		{
			timeout == 0, "gormstore.W003",
			place + " has busy_timeout 0, so a request during a write is answered with 503",
			"Set busy_timeout to several seconds for every connection, or open the file with store/sqlite",
		},
		{
			synchronous == 0, "gormstore.W004",
			place + " has synchronous off, so a power failure can corrupt it",
			"Set synchronous to full for every connection, or open the file with store/sqlite",
		},
		{
			file != "" && synchronous == 1, "gormstore.W006",
			place + " has synchronous normal, so a power failure can undo the last commits, for example a revocation",
			"Set synchronous to full, or accept this if writes of the disk survive a power failure",
		},
	} {
		if setting.isWeak {
			findings = append(findings, oauthkit.Finding{ID: setting.id, Severity: oauthkit.SeverityWarning, Message: setting.message, Hint: setting.hint})
		}
	}
	return findings, nil
}
