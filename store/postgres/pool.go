package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connections is the size of the pool. PostgreSQL allows 100 connections by
	// default, enough for four instances. Idle connections stay open, because opening
	// one costs more than a hundred statements.
	connections = 20
	// connectTimeout limits the attempt to connect to one host of the URL.
	connectTimeout = 5 * time.Second
	// cancelTimeout limits the wait for the response to a canceled statement. After it,
	// the connection is closed.
	cancelTimeout = 300 * time.Millisecond
)

// openPool returns a pool of connections to the servers of config.
func openPool(config *pgx.ConnConfig) *sql.DB {
	stale := &staleConnections{}
	config.OnPgError = stale.onError
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(stale.mark), stdlib.OptionResetSession(stale.check))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	return pool
}

// configure sets options that a URL cannot express. A context that ends cancels its
// statement on the server and keeps the connection. By default pgx closes the
// connection, and the server completes the statement.
func configure(config *pgx.ConnConfig) {
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	dialer := &net.Dialer{
		Timeout:         config.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	config.DialFunc = dialer.DialContext
}

// isolation is the parameter for the isolation level of single statements.
const isolation = "default_transaction_isolation"

// isolate lets single statements run at READ COMMITTED, whatever the default of the
// server, so that a statement sees every row that was committed before it locked its
// tables. A URL that chooses a level keeps it.
func isolate(config *pgx.ConnConfig) {
	_, chosen := config.RuntimeParams[isolation]
	if !chosen && !strings.Contains(config.RuntimeParams["options"], isolation) {
		config.RuntimeParams[isolation] = "read committed"
	}
}

// readOnlyTransaction is the error code of PostgreSQL for a write to a replica, or while
// default_transaction_read_only is on.
const readOnlyTransaction = "25006"

// staleConnections finds connections that were opened before the server became
// read-only. They would stay read-only after the server accepts writes again or another
// one becomes the primary.
type staleConnections struct {
	before atomic.Int64 // connections opened earlier are stale; nanoseconds since 1970
}

// openedAt is the key of a connection's custom data for the time at which it was opened.
const openedAt = "oauthkit.openedAt"

// onError reports whether a connection can be used after an error of the server. A
// write refused as read-only also marks the other connections as stale, at most once a
// second, because new connections can be read-only too.
func (s *staleConnections) onError(conn *pgconn.PgConn, err *pgconn.PgError) bool {
	if err.Code == readOnlyTransaction {
		opened, _ := conn.CustomData()[openedAt].(int64)
		now, before := time.Now().UnixNano(), s.before.Load()
		if opened < before || now-before > int64(time.Second) {
			s.before.Store(now)
		}
		return false
	}
	return !strings.EqualFold(err.Severity, "FATAL")
}

// mark records the time at which a connection was opened.
func (*staleConnections) mark(_ context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[openedAt] = time.Now().UnixNano()
	return nil
}

// check returns [driver.ErrBadConn] for a stale connection, so that the pool replaces it.
func (s *staleConnections) check(_ context.Context, conn *pgx.Conn) error {
	if opened, _ := conn.PgConn().CustomData()[openedAt].(int64); opened < s.before.Load() {
		return driver.ErrBadConn
	}
	return nil
}
