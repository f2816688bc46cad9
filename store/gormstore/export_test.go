package gormstore

// NextVersion is a version of a later program, with a column and an index of the
// Authorizations.
const NextVersion = "0002"

// Grow adds the next version to the store of a PostgreSQL database.
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
