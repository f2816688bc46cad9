package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// location is the value of -db: a SQLite file or the URL of a PostgreSQL database. It
// may contain a password, so errors and logs show it only if it is certainly a file.
type location string

var (
	// postgresURL matches the scheme in any case (RFC 3986 §3.1).
	postgresURL = regexp.MustCompile(`(?i)^postgres(ql)?://`)
	// serverWords matches other ways to name a database server: another or a misspelt
	// URL, user:password@host, and settings such as host=HOST. As a file name they
	// would contain a password.
	serverWords = regexp.MustCompile(`(?i)://|:.*@|^\s|^["']|^(postgres(ql)?|pg|jdbc):|\b(host|hostaddr|user|password|dbname|service)\s*=`)
	driveLetter = regexp.MustCompile(`^[A-Za-z]:[/\\]`)
)

var errLocation = errors.New("-db is neither a file nor a postgres:// URL")

func (l location) isPostgres() bool { return postgresURL.MatchString(string(l)) }

// isInvalid reports whether l is neither a file nor the URL of a PostgreSQL database.
func (l location) isInvalid() bool {
	return l == "" || !l.isPostgres() && serverWords.MatchString(driveLetter.ReplaceAllString(string(l), ""))
}

// open opens the database. It creates a missing SQLite file.
func (l location) open() (*gorm.DB, error) {
	if l.isInvalid() {
		return nil, errLocation
	}
	if !l.isPostgres() {
		db, err := sqlite.OpenDB(string(l))
		if err != nil {
			return nil, fmt.Errorf("opening the database: %w; check the value of -db", err)
		}
		return db, nil
	}
	_, rest, _ := strings.Cut(string(l), "://")
	db, err := postgres.OpenDB("postgres://" + rest)
	if err != nil {
		return nil, fmt.Errorf("opening the database in -db: %s", connectReason(err))
	}
	return db, nil
}

// connectReason returns why a connection failed. It includes errors of the server and
// the system, but none of the driver about the URL: in a malformed URL, part of the
// password may be parsed as any other component.
func connectReason(err error) string {
	var server *pgconn.PgError
	var system syscall.Errno
	var lookup *net.DNSError
	switch {
	case errors.As(err, &server):
		return fmt.Sprintf("server error %q (%s)", server.Message, server.Code)
	case errors.As(err, &system):
		return system.Error()
	case errors.As(err, &lookup):
		return "unknown host: " + lookup.Err
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, postgres.ErrExecMode):
		return postgres.ErrExecMode.Error()
	default:
		return "invalid URL; use postgres://USER:PASSWORD@HOST:5432/NAME, with %XX for special characters"
	}
}

// quoteArgument quotes an argument for an error. It replaces a location that may
// contain a password.
func quoteArgument(argument string) string {
	if l := location(argument); l.isPostgres() || l.isInvalid() {
		return "that looks like a database location"
	}
	return strconv.Quote(argument)
}
