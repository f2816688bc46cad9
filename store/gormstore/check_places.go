package gormstore

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// This file looks for tables that are not where the others are.

// Location implements [oauthkit.Locator].
func (c *Credentials) Location(ctx context.Context) (string, error) {
	var place string
	if err := c.queryRow(ctx, c.pool(), c.dialect.identity, arguments{}, &place); err != nil || place == "" {
		return "", err // SQLite has no name for a database in memory
	}
	return place + " " + c.prefix, nil
}

// checkWrites asks GORM's plug-in dbresolver where it would send a write. Replicas are no matter: the store reads from where it
// writes. But what is issued has to be in one database, and applications are written with GORM's own calls, which the plug-in may
// send to another.
func (d *database) checkWrites(ctx context.Context, tables []table) ([]oauthkit.Finding, error) {
	if _, used := d.db.Plugins["gorm:db_resolver"]; !used {
		return nil, nil
	}
	var elsewhere []string
	for _, table := range tables {
		here, err := d.writesHere(ctx, d.prefix+table.name)
		if err != nil {
			return nil, err
		}
		if !here {
			elsewhere = append(elsewhere, d.prefix+table.name)
		}
	}
	if len(elsewhere) == 0 {
		return nil, nil
	}
	return []oauthkit.Finding{{
		ID: "gormstore.E006", Severity: oauthkit.SeverityError,
		Message: fmt.Sprintf("GORM's plug-in dbresolver has Sources that are another database than the store's for %s", strings.Join(elsewhere, ", ")),
		Hint: "Leave the store's tables out of Sources, since what is issued must be in one database; applications are put into another with" +
			" Config.Applications",
	}}, nil
}

// choices is how often the plug-in is asked about a table, since it may choose between several databases at random.
const choices = 16

// writesHere reports whether the plug-in sends a write of a table to where the store writes. Nothing is executed.
func (d *database) writesHere(ctx context.Context, table string) (bool, error) {
	asked := map[gorm.ConnPool]bool{d.pool(): true}
	for range choices {
		var rows []map[string]any
		dry := d.db.Session(&gorm.Session{DryRun: true, Context: ctx}).Table(table).Set(toPrimary, struct{}{}).Find(&rows)
		pool := dry.Statement.ConnPool
		if asked[pool] {
			continue
		}
		asked[pool] = true
		if here, err := d.isWhere(ctx, pool); err != nil || !here {
			return false, err
		}
	}
	return true, nil
}

// checkApart finds that two databases are one. Then an act on both would be two transactions, of which on SQLite one waits for the
// other in vain.
func (s *Store[A]) checkApart(ctx context.Context) ([]oauthkit.Finding, error) {
	applications := s.ApplicationTable.database
	if applications.dialect.name != s.dialect.name {
		return nil, nil
	}
	same, err := s.isWhere(ctx, applications.pool())
	if err != nil || !same {
		return nil, err
	}
	return []oauthkit.Finding{{
		ID: "gormstore.E007", Severity: oauthkit.SeverityError,
		Message: "Config.Applications is the database that the credentials are in, so that what is done about both is not one transaction",
		Hint:    "Leave Config.Applications nil",
	}}, nil
}

// isWhere reports whether statements through pool find the tables of d.
func (d *database) isWhere(ctx context.Context, pool gorm.ConnPool) (bool, error) {
	var own, other string
	if err := d.queryRow(ctx, d.pool(), d.dialect.identity, arguments{}, &own); err != nil {
		return false, err
	}
	if err := d.queryRow(ctx, pool, d.dialect.identity, arguments{}, &other); err != nil {
		return false, err
	}
	return own == other && own != "", nil // SQLite has no name for a database in memory
}
