package gormstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

var (
	_ oauthkit.Checker = (*Credentials)(nil)
	_ oauthkit.Checker = (*Store[*oauthkit.AbstractApplication])(nil)
)

// Check implements [oauthkit.Checker]. It reads the schema and the settings of the
// database, with a few short statements.
func (c *Credentials) Check(ctx context.Context) []oauthkit.Finding {
	return c.check(ctx, "the database of the credentials", credentialTables())
}

// Check implements [oauthkit.Checker], as [Credentials.Check] does, for both
// databases if there are two.
func (s *Store[A]) Check(ctx context.Context) []oauthkit.Finding {
	columns := inspection{"read the columns of the applications", s.ApplicationTable.checkColumns}
	if s.ApplicationTable.together() {
		return s.check(ctx, "the database", slices.Concat(applicationTables(), credentialTables()), columns)
	}
	apart := inspection{"compare the two databases", s.checkApart}
	return append(s.Credentials.Check(ctx), s.ApplicationTable.check(ctx, "the database of the applications", applicationTables(), columns, apart)...)
}

// inspection is one part of a check. Its error is reported as a finding.
type inspection struct {
	action string
	find   func(ctx context.Context) ([]oauthkit.Finding, error)
}

// check inspects a database that has these tables, among others. If migrations are
// missing, it reports only them and the settings.
func (d *database) check(ctx context.Context, place string, tables []table, further ...inspection) []oauthkit.Finding {
	findings := inspect(ctx, place, inspection{"read its settings", func(ctx context.Context) ([]oauthkit.Finding, error) {
		return d.dialect.checkSettings(ctx, d, place)
	}})
	behind := inspect(ctx, place, inspection{"read its migrations", func(ctx context.Context) ([]oauthkit.Finding, error) {
		return d.checkVersions(ctx, place)
	}})
	if len(behind) > 0 {
		return append(findings, behind...)
	}
	others := []inspection{
		{"read its unique keys", func(ctx context.Context) ([]oauthkit.Finding, error) { return d.checkKeys(ctx, tables) }},
		{"ask dbresolver where it sends writes", func(ctx context.Context) ([]oauthkit.Finding, error) {
			return d.checkWrites(ctx, tables)
		}},
	}
	return append(findings, inspect(ctx, place, append(others, further...)...)...)
}

// inspect returns the findings of the inspections, including one for each that fails.
func inspect(ctx context.Context, place string, inspections ...inspection) (findings []oauthkit.Finding) {
	for _, inspection := range inspections {
		results, err := inspection.find(ctx)
		if err != nil {
			results = []oauthkit.Finding{{
				ID: "gormstore.E001", Severity: oauthkit.SeverityError,
				Message: fmt.Sprintf("%s: cannot %s: %v", place, inspection.action, err),
				Hint:    "Check that the database is reachable and that Migrate has run",
			}}
		}
		findings = append(findings, results...)
	}
	return findings
}

// checkVersions reports versions that have not run. An unknown version belongs to a
// newer program, which may run beside this one, because migrations only add.
func (d *database) checkVersions(ctx context.Context, place string) ([]oauthkit.Finding, error) {
	existing, err := d.queryStrings(ctx, d.pool(), selectMigrations, arguments{})
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, version := range d.dialect.migrations {
		if !slices.Contains(existing, version.id) {
			missing = append(missing, version.id)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return outdatedFinding(fmt.Sprintf("%s lacks the migrations %s", place, strings.Join(missing, ", "))), nil
}

func outdatedFinding(message string) []oauthkit.Finding {
	return []oauthkit.Finding{{
		ID: "gormstore.E002", Severity: oauthkit.SeverityError, Message: message,
		Hint: "Call Migrate, or execute the statements that PrintMigrations writes",
	}}
}

// checkColumns reports fields of the host's application that have no column.
func (t *applicationRows) checkColumns(ctx context.Context) ([]oauthkit.Finding, error) {
	existing, err := t.queryStrings(ctx, t.pool(), t.dialect.applicationColumns, arguments{})
	if err != nil {
		return nil, err
	}
	if len(existing) == 0 {
		return outdatedFinding(errNoApplications.Error()), nil
	}
	var missing []string
	for _, field := range t.missing(existing) {
		missing = append(missing, field.DBName)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return outdatedFinding(fmt.Sprintf("the table of applications lacks the columns %s of %T", strings.Join(missing, ", "), t.model)), nil
}

// checkKeys reports missing unique keys. They decide between concurrent acts: without
// one, an act can succeed twice.
func (d *database) checkKeys(ctx context.Context, tables []table) ([]oauthkit.Finding, error) {
	var missing []string
	for _, table := range tables {
		existing, err := d.queryStrings(ctx, d.pool(), d.dialect.uniqueKeys, arguments{name: d.prefix + table.name})
		if err != nil {
			return nil, err
		}
		for _, key := range table.keys {
			if !slices.Contains(existing, key) {
				missing = append(missing, fmt.Sprintf("%s%s (%s)", d.prefix, table.name, strings.ReplaceAll(key, " ", ", ")))
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return []oauthkit.Finding{{
		ID: "gormstore.E003", Severity: oauthkit.SeverityError,
		Message: "tables lack unique keys, without which concurrent requests can use a credential twice: " + strings.Join(missing, ", "),
		Hint:    "Remove duplicate rows, and create the keys as PrintMigrations writes them",
	}}, nil
}

// table is a table with its unique keys, each as its columns in alphabetical order.
type table struct {
	name string
	keys []string
}

// applicationTables are in the database of the applications.
func applicationTables() []table {
	return []table{
		{"applications", []string{"client_id"}},
		{"scopes", []string{"name"}},
		{"application_scopes", []string{"client_id scope"}},
	}
}

// credentialTables are in the database of the credentials.
func credentialTables() []table {
	return []table{
		{"authorizations", []string{"id"}},
		{"consents", []string{"client_id subject"}},
		{"interactions", []string{"hash"}},
		{"secrets", []string{"name"}},
		{"authorization_codes", []string{"hash"}},
		{"access_tokens", []string{"hash"}},
		{"refresh_tokens", []string{"hash"}},
		{"endings", []string{"id name"}},
		{"notices", []string{"id", "client_id receiver session_id subject"}},
		{"signing_keys", []string{"id", "algorithm generation"}},
	}
}
