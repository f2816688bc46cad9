package gormstore

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// This file checks that all tables are in the database that the store writes to.

// Location implements [oauthkit.Locator].
func (c *Credentials) Location(ctx context.Context) (string, error) {
	var place string
	if err := c.queryRow(ctx, c.pool(), c.dialect.identity, arguments{}, &place); err != nil || place == "" {
		return "", err // a SQLite database in memory has no identity
	}
	return place + " " + c.prefix, nil
}

// checkWrites asks GORM's plug-in dbresolver where it would send a write. Replicas do
// not matter, because the store reads from the database that it writes to. But all
// credentials must be in one database, and applications are written with GORM's own
// calls, which the plug-in may send to another.
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
		Message: fmt.Sprintf("GORM's plug-in dbresolver sends writes of %s to another database than the store does", strings.Join(elsewhere, ", ")),
		Hint:    "Leave the store's tables out of Sources; use Config.ApplicationDB to store applications in another database",
	}}, nil
}

// choices is the number of times that the plug-in is asked about a table, because it
// may choose a database at random.
const choices = 16

// writesHere reports whether the plug-in sends writes of a table to the store's
// database. It executes nothing.
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
		if same, err := d.isSame(ctx, pool); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// checkApart reports that two databases are the same. An act on both would then be
// two transactions, and on SQLite one would wait for the other until it fails.
func (s *Store[A]) checkApart(ctx context.Context) ([]oauthkit.Finding, error) {
	applications := s.ApplicationTable.database
	if applications.dialect.name != s.dialect.name {
		return nil, nil
	}
	same, err := s.isSame(ctx, applications.pool())
	if err != nil || !same {
		return nil, err
	}
	return []oauthkit.Finding{{
		ID: "gormstore.E007", Severity: oauthkit.SeverityError,
		Message: "Config.ApplicationDB is the database of the credentials, so acts on both are not one transaction",
		Hint:    "Leave Config.ApplicationDB nil",
	}}, nil
}

// isSame reports whether statements through pool find the tables of d.
func (d *database) isSame(ctx context.Context, pool gorm.ConnPool) (bool, error) {
	var own, other string
	if err := d.queryRow(ctx, d.pool(), d.dialect.identity, arguments{}, &own); err != nil {
		return false, err
	}
	if err := d.queryRow(ctx, pool, d.dialect.identity, arguments{}, &other); err != nil {
		return false, err
	}
	return own == other && own != "", nil // a SQLite database in memory has no identity
}
