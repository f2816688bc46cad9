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
	// connections leaves four instances room in the 100 connections that PostgreSQL allows by default. As many stay open, since
	// opening one costs more than a hundred statements.
	connections = 20
	// connectTimeout bounds the attempt to reach one host of the URL.
	connectTimeout = 5 * time.Second
	// cancelTimeout bounds the wait for the answer to a canceled statement. Then the connection is closed.
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

// configure sets what the URL cannot say: a context that ends cancels its statement on the server and keeps the connection,
// where pgx by itself would close it and leave the statement running.
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

// readOnlyTransaction is the code with which PostgreSQL refuses a write to a replica, or where
// default_transaction_read_only is on.
const readOnlyTransaction = "25006"

// staleConnections finds the connections of a pool that were opened before the server became read-only. They would stay so after
// it can be written to again, or after another server has become the primary.
type staleConnections struct {
	before atomic.Int64 // connections that were opened earlier are stale, in nanoseconds since 1970
}

// openedAt is the key under which a connection keeps when it was opened.
const openedAt = "oauthkit.openedAt"

// onError reports whether a connection is of use after an error of the server. A write that is refused also makes the
// other connections stale, at most once a second, since new ones can be read-only too.
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

// mark remembers when a connection was opened.
func (*staleConnections) mark(_ context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[openedAt] = time.Now().UnixNano()
	return nil
}

// check has a stale connection replaced before it is used again.
func (s *staleConnections) check(_ context.Context, conn *pgx.Conn) error {
	if opened, _ := conn.PgConn().CustomData()[openedAt].(int64); opened < s.before.Load() {
		return driver.ErrBadConn
	}
	return nil
}
