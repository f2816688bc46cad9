package gormstore

import (
	"cmp"
	"context"
)

// Statements that write nothing and fail where nothing can be written: PostgreSQL refuses them
// in a read-only transaction and on a standby, SQLite in a read-only file, and both where a
// migration has not run.
const (
	writeCredentials  = `DELETE FROM {authorizations} WHERE 1 = 0`
	writeApplications = `DELETE FROM {applications} WHERE 1 = 0`
)

// Ready implements [oauthkit.Readier]. It executes a statement that deletes no row, so it waits
// as a write does and fails where one would.
func (c *Credentials) Ready(ctx context.Context) error {
	_, err := c.execute(ctx, c.pool(), writeCredentials)
	return failed("writing to the database of the credentials", err)
}

// Ready implements [oauthkit.Readier], as [Credentials.Ready] does, for both databases if there
// are two.
func (s *Store[A]) Ready(ctx context.Context) error {
	if err := s.Credentials.Ready(ctx); err != nil {
		return err
	}
	_, err := s.ApplicationTable.execute(ctx, s.ApplicationTable.pool(), writeApplications)
	return failed("writing to the database of the applications", err)
}

// Connections implements [oauthkit.ConnectionPool], by what the database was opened with.
func (c *Credentials) Connections() int { return c.connections() }

// Connections implements [oauthkit.ConnectionPool], by the smaller number if there are two
// databases: a request may need both.
func (s *Store[A]) Connections() int {
	credentials, applications := s.connections(), s.ApplicationTable.connections()
	return min(cmp.Or(credentials, applications), cmp.Or(applications, credentials))
}

// connections returns how many the pool opens at most; 0: it is not limited.
func (d *database) connections() int {
	pool, err := d.db.DB()
	if err != nil {
		return 0
	}
	return pool.Stats().MaxOpenConnections
}
