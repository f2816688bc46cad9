package gormstore

import (
	"cmp"
	"context"
)

// These statements change nothing, and fail if the database cannot be written to:
// PostgreSQL refuses them in a read-only transaction and on a standby, SQLite in a
// read-only file, and both before the migrations have run.
const (
	writeCredentials  = `DELETE FROM {authorizations} WHERE 1 = 0`
	writeApplications = `DELETE FROM {applications} WHERE 1 = 0`
)

// Ready implements [oauthkit.Readier]. It executes a statement that deletes no row,
// so it waits as a write does and fails where one would.
func (c *Credentials) Ready(ctx context.Context) error {
	_, err := c.execute(ctx, c.pool(), writeCredentials, arguments{})
	return storeError("writing to the database of the credentials", err)
}

// Ready implements [oauthkit.Readier], as [Credentials.Ready] does, for both
// databases if there are two.
func (s *Store[A]) Ready(ctx context.Context) error {
	if err := s.Credentials.Ready(ctx); err != nil {
		return err
	}
	_, err := s.ApplicationTable.execute(ctx, s.ApplicationTable.pool(), writeApplications, arguments{})
	return storeError("writing to the database of the applications", err)
}

// Connections implements [oauthkit.ConnectionPool] with the limit that the database
// was opened with. On SQLite it returns 0: the writers of a store hold no connection
// while they queue, so requests that wait to write must not keep readers out.
func (c *Credentials) Connections() int { return c.connections() }

// Connections implements [oauthkit.ConnectionPool], as [Credentials.Connections]
// does, with the smaller number if there are two databases: a request may need both.
func (s *Store[A]) Connections() int {
	credentials, applications := s.connections(), s.ApplicationTable.connections()
	return min(cmp.Or(credentials, applications), cmp.Or(applications, credentials))
}

// connections returns how many requests the pool serves at most. It returns 0 if it
// is not limited.
func (d *database) connections() int {
	pool, err := d.db.DB()
	if err != nil || d.writers != nil {
		return 0
	}
	return pool.Stats().MaxOpenConnections
}
