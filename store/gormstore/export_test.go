package gormstore

// NextVersion is a version that a later program has: a column and an index of the Authorizations.
const NextVersion = "0002"

// Grow gives the store of a PostgreSQL database the next version.
func (c *Credentials) Grow() {
	c.dialect.migrations = append(c.dialect.migrations, migration{NextVersion, []step{
		{of: ofCredentials, statements: `ALTER TABLE {authorizations} ADD COLUMN device text NOT NULL DEFAULT ''`},
		{
			of: ofCredentials, index: "{authorizations}_device",
			statements: `CREATE INDEX CONCURRENTLY {authorizations}_device ON {authorizations} (device, created_at)`,
		},
		{of: ofCredentials, statements: `ALTER TABLE {consents} ADD COLUMN device text`},
	}})
}
