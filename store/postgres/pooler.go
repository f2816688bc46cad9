package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
)

// execMode is the parameter of a URL that says how pgx sends statements.
const execMode = "default_query_exec_mode"

// ErrExecMode is returned by [OpenDB] for a URL that asks for the mode describe_exec.
var ErrExecMode = errors.New("the mode describe_exec mixes up the answers of statements behind a pooler; use " +
	execMode + "=exec, or leave it out")

// parsed is a URL.
type parsed struct {
	*pgx.ConnConfig
	modeChosen bool // the URL says how statements are sent
}

// parse reads a URL, and refuses the mode that needs two round trips for a statement: a pooler may send the second one to another
// connection of the server, where the last statement that was described is another one.
func parse(url string) (*parsed, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	configure(config)
	raw, err := pgconn.ParseConfig(url) // which leaves in what is for pgx
	if err != nil {
		return nil, err
	}
	mode, chosen := raw.RuntimeParams[execMode]
	if config.DefaultQueryExecMode == pgx.QueryExecModeDescribeExec {
		return nil, fmt.Errorf("%s=%s in the URL: %w", execMode, mode, ErrExecMode)
	}
	return &parsed{config, chosen}, nil
}

// behindPooler reports whether a pooler answers in the place of the server: the server's process is then not the one that was
// named when the connection was opened.
func behindPooler(ctx context.Context, config *parsed) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var process uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process)
	return process != conn.PgConn().PID(), err
}

// dialector tells package gormstore that there is a pooler.
type dialector struct {
	*postgres.Dialector
	pooled bool
}

// Pooled reports whether statements go through a pooler.
func (d dialector) Pooled() bool { return d.pooled }
