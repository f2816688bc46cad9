package gormstore

import (
	"context"
	"io"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Credentials stores everything except applications: Authorizations and consent,
// codes, tokens, pending requests, and signing keys. They are in one database,
// because each act is one transaction. Credentials is safe for concurrent use, and
// several of them in several processes can share a database.
//
// A [Store] embeds it. A host whose applications are in a table of its own embeds it
// in a store that finds those.
type Credentials struct{ *database }

// The interfaces that Credentials implements.
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

// NewCredentials returns Credentials on a database as [New] takes it. The prefix
// begins the name of every table, as [Config] describes. If it is empty, it is
// "oauth_". NewCredentials executes no statement. [Credentials.Migrate] creates the
// tables.
func NewCredentials(db *gorm.DB, tablePrefix string) (*Credentials, error) {
	database, err := newDatabase(db, tablePrefix)
	if err != nil {
		return nil, err
	}
	return &Credentials{database}, nil
}

// Migrate creates or updates the tables, as [Store.Migrate] does. The host's
// functions are called last.
func (c *Credentials) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	return storeError("migrating", c.migrate(ctx, &upgrade{database: c.database, halves: []half{ofCredentials}, own: own}))
}

// PrintMigrations writes the statements that Migrate executes on an empty database,
// for a host whose operator executes them. Afterwards Migrate has nothing to do.
func (c *Credentials) PrintMigrations(w io.Writer) error {
	_, err := io.WriteString(w, c.script(ofCredentials))
	return err
}

// Close closes the database, including the host's *gorm.DB.
func (c *Credentials) Close() error { return c.close() }
