package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
)

// execMode is the URL parameter that chooses how pgx sends statements.
const execMode = "default_query_exec_mode"

// ErrExecMode is returned by [OpenDB] for a URL with the mode describe_exec.
var ErrExecMode = errors.New("the mode describe_exec mixes up the results of statements behind a pooler; use " +
	execMode + "=exec, or leave it out")

// parsedURL is the URL of a database.
type parsedURL struct {
	*pgx.ConnConfig
	modeChosen bool // the URL has the parameter execMode
}

// parse parses a URL. It refuses the mode describe_exec, which needs two round trips
// for a statement: a pooler may send the second one to another connection, where the
// last described statement is a different one.
func parse(url string) (*parsedURL, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	configure(config)
	raw, err := pgconn.ParseConfig(url) // keeps the parameters of pgx
	if err != nil {
		return nil, err
	}
	mode, chosen := raw.RuntimeParams[execMode]
	if config.DefaultQueryExecMode == pgx.QueryExecModeDescribeExec {
		return nil, fmt.Errorf("%s=%s in the URL: %w", execMode, mode, ErrExecMode)
	}
	return &parsedURL{config, chosen}, nil
}

// behindPooler reports whether a pooler is between the program and the server. The
// process of the server is then not the one that was announced when the connection was
// opened.
func behindPooler(ctx context.Context, config *parsedURL) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var process uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process)
	return process != conn.PgConn().PID(), err
}

// dialector tells package gormstore about a pooler.
type dialector struct {
	*postgres.Dialector
	pooled bool
}

// Pooled reports whether a pooler is between the program and the server.
func (d dialector) Pooled() bool { return d.pooled }
