package gormstore

import (
	"context"
	"io"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Credentials keep everything but the applications: Authorizations and consent, codes, tokens, waiting requests, and signing
// keys. They are in one database, because each act is one transaction there. They are safe for concurrent use, and any number of
// them, in any number of processes, can share a database.
//
// A [Store] has them. A host whose applications are in a table of its own embeds them in a store that finds those.
type Credentials struct{ *database }

// What they promise, checked by the compiler.
var _ interface {
	oauthkit.TokenStore
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.Readier
	oauthkit.ConnectionPool
} = (*Credentials)(nil)

// NewCredentials makes what a store has apart from applications, on a database as [New] takes it. The prefix begins the name of
// every table, as [Config] describes; empty: "oauth_". Nothing is read or written before the first call of a method;
// [Credentials.Migrate] creates the tables.
func NewCredentials(db *gorm.DB, tablePrefix string) (*Credentials, error) {
	database, err := newDatabase(db, tablePrefix)
	if err != nil {
		return nil, err
	}
	return &Credentials{database}, nil
}

// Migrate brings the tables up to date, or creates them, as [Store.Migrate] does. What the host needs beside it comes last.
func (c *Credentials) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	return storeError("migrating", c.migrate(ctx, &upgrade{database: c.database, halves: []half{ofCredentials}, own: own}))
}

// PrintMigrations writes what Migrate would execute on an empty database, for those who let somebody else do it. Migrate
// then finds nothing to do.
func (c *Credentials) PrintMigrations(w io.Writer) error {
	_, err := io.WriteString(w, c.script(ofCredentials))
	return err
}

// Close closes the database, the host's *gorm.DB included.
func (c *Credentials) Close() error { return c.close() }
