package gormstore

import (
	"context"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// maxSkew is how far two clocks may be apart.
const maxSkew = 2 * time.Second

// checkPostgresSettings looks for a server on which no act works, for an isolation level at which acts are slower, and at the clock.
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
		findings = append(findings, readOnlyFinding(place+" is on a replica"))
	case readOnly:
		findings = append(findings, readOnlyFinding(place+" is read-only by default_transaction_read_only"))
	}
	if isolation != "read committed" && isolation != "read uncommitted" { // PostgreSQL has no difference between them
		findings = append(findings, oauthkit.Finding{
			ID: "gormstore.W005", Severity: oauthkit.SeverityWarning,
			Message: fmt.Sprintf("%s has the isolation level %s by default_transaction_isolation, at which concurrent acts are executed again", place, isolation),
			Hint:    "Set it to read committed for this program's connections, and another level where its own transactions begin",
		})
	}
	if clock.Before(before.Add(-maxSkew)) || clock.After(after.Add(maxSkew)) {
		findings = append(findings, oauthkit.Finding{
			ID: "gormstore.W001", Severity: oauthkit.SeverityWarning,
			Message: fmt.Sprintf("the clock of %s is %s off from this program's", place, clock.Sub(before).Round(time.Second)),
			Hint:    "Have both set by NTP: instances with different clocks disagree about what has expired",
		})
	}
	return findings, nil
}

func readOnlyFinding(message string) oauthkit.Finding {
	return oauthkit.Finding{
		ID: "gormstore.E004", Severity: oauthkit.SeverityError,
		Message: message + ", where nothing can be written",
		Hint:    "Connect to the primary, such as with target_session_attrs=read-write",
	}
}

// checkSQLiteSettings looks for what makes requests wait or fail that could be answered, and for what a power failure destroys. Whether
// transactions begin with the write lock makes no difference, since each one of the store's begins with a write; neither do
// foreign keys, since there are none.
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
		departs           bool
		id, message, hint string
	}{
		{
			file != "" && journal != "wal", "gormstore.W002",
			fmt.Sprintf("%s has journal_mode %s, so that a write waits for all reads, and reads for it", place, journal),
			"Execute PRAGMA journal_mode = wal, which the file keeps, or open it with store/sqlite",
		},
		{
			timeout == 0, "gormstore.W003",
			place + " has busy_timeout 0, so that whoever meets a write is answered with 503 at once",
			"Set busy_timeout to some seconds for every connection, or open the file with store/sqlite",
		},
		{
			synchronous == 0, "gormstore.W004",
			place + " has synchronous off, so that a power failure can destroy it",
			"Set synchronous to full for every connection, or open the file with store/sqlite",
		},
		{
			file != "" && synchronous == 1, "gormstore.W006",
			place + " has synchronous normal, so that a power failure can take the last commits back, a revocation among them",
			"Set synchronous to full, or accept this if the disk's writes survive a power failure",
		},
	} {
		if setting.departs {
			findings = append(findings, oauthkit.Finding{ID: setting.id, Severity: oauthkit.SeverityWarning, Message: setting.message, Hint: setting.hint})
		}
	}
	return findings, nil
}
