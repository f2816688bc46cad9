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

// Check implements [oauthkit.Checker]. It reads the schema and the settings of the database, with a few
// short statements.
func (c *Credentials) Check(ctx context.Context) []oauthkit.Finding {
	return c.check(ctx, "the database of the credentials", credentialTables())
}

// Check implements [oauthkit.Checker], as [Credentials.Check] does, for both databases where there are two.
func (s *Store[A]) Check(ctx context.Context) []oauthkit.Finding {
	columns := inspection{"the columns of the applications", s.ApplicationTable.checkColumns}
	if s.ApplicationTable.together() {
		return s.check(ctx, "the database", slices.Concat(applicationTables(), credentialTables()), columns)
	}
	apart := inspection{"whether the applications are in a database of their own", s.checkApart}
	return append(s.Credentials.Check(ctx), s.ApplicationTable.check(ctx, "the database of the applications", applicationTables(), columns, apart)...)
}

// inspection looks at one thing. Its error says that nothing could be found out.
type inspection struct {
	what string
	find func(ctx context.Context) ([]oauthkit.Finding, error)
}

// check looks at a database that these tables are in, among others. What the migrations have not made yet is not looked at.
func (d *database) check(ctx context.Context, place string, tables []table, further ...inspection) []oauthkit.Finding {
	findings := inspect(ctx, place, inspection{"its settings", func(ctx context.Context) ([]oauthkit.Finding, error) {
		return d.dialect.checkSettings(ctx, d, place)
	}})
	behind := inspect(ctx, place, inspection{"which migrations have run", func(ctx context.Context) ([]oauthkit.Finding, error) {
		return d.checkVersions(ctx, place)
	}})
	if len(behind) > 0 {
		return append(findings, behind...)
	}
	rest := []inspection{
		{"its unique keys", func(ctx context.Context) ([]oauthkit.Finding, error) { return d.checkKeys(ctx, tables) }},
		{"where GORM's plug-in for several databases sends writes", func(ctx context.Context) ([]oauthkit.Finding, error) {
			return d.checkWrites(ctx, tables)
		}},
	}
	return append(findings, inspect(ctx, place, append(rest, further...)...)...)
}

// inspect returns what the inspections find, a failure of theirs included.
func inspect(ctx context.Context, place string, inspections ...inspection) (findings []oauthkit.Finding) {
	for _, one := range inspections {
		found, err := one.find(ctx)
		if err != nil {
			found = []oauthkit.Finding{{
				ID: "gormstore.E001", Severity: oauthkit.SeverityError,
				Message: fmt.Sprintf("%s: %s cannot be found out: %v", place, one.what, err),
				Hint:    "See whether the database can be reached, and whether Migrate has run on it",
			}}
		}
		findings = append(findings, found...)
	}
	return findings
}

// checkVersions looks for versions that have not run. One that is not known here is a newer program's, which may be starting
// beside this one: migrations only add.
func (d *database) checkVersions(ctx context.Context, place string) ([]oauthkit.Finding, error) {
	have, err := d.queryStrings(ctx, d.pool(), selectMigrations, arguments{})
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, version := range d.dialect.migrations {
		if !slices.Contains(have, version.id) {
			missing = append(missing, version.id)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return outdated(fmt.Sprintf("%s lacks the migrations %s", place, strings.Join(missing, ", "))), nil
}

func outdated(message string) []oauthkit.Finding {
	return []oauthkit.Finding{{
		ID: "gormstore.E002", Severity: oauthkit.SeverityError, Message: message,
		Hint: "Call the store's Migrate, or have somebody execute what PrintMigrations writes",
	}}
}

// checkColumns looks for fields of the host's application that are no column.
func (t *applicationRows) checkColumns(ctx context.Context) ([]oauthkit.Finding, error) {
	existing, err := t.queryStrings(ctx, t.pool(), t.dialect.applicationColumns, arguments{})
	if err != nil {
		return nil, err
	}
	if len(existing) == 0 {
		return outdated(errNoApplications.Error()), nil
	}
	var missing []string
	for _, field := range t.missing(existing) {
		missing = append(missing, field.DBName)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return outdated(fmt.Sprintf("the applications have no columns %s, which %T has", strings.Join(missing, ", "), t.model)), nil
}

// checkKeys looks for the keys by which the database judges races: without one, what must happen once can happen twice.
func (d *database) checkKeys(ctx context.Context, tables []table) ([]oauthkit.Finding, error) {
	var missing []string
	for _, table := range tables {
		have, err := d.queryStrings(ctx, d.pool(), d.dialect.uniqueKeys, arguments{name: d.prefix + table.name})
		if err != nil {
			return nil, err
		}
		for _, key := range table.keys {
			if !slices.Contains(have, key) {
				missing = append(missing, fmt.Sprintf("%s%s (%s)", d.prefix, table.name, strings.ReplaceAll(key, " ", ", ")))
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return []oauthkit.Finding{{
		ID: "gormstore.E003", Severity: oauthkit.SeverityError,
		Message: "tables lack unique keys, by which the database decides what happens once when it is tried twice: " + strings.Join(missing, ", "),
		Hint:    "Make them again, as PrintMigrations writes them, after removing rows that are there twice",
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
		{"signing_keys", []string{"id", "algorithm generation"}},
	}
}
