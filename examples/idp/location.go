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

// location is what -db names: a SQLite file or the URL of a PostgreSQL database. It may hold a password, so no error and no
// log has it unless it is certainly a file.
type location string

var (
	// postgresURL has a scheme in any case (RFC 3986 §3.1).
	postgresURL = regexp.MustCompile(`(?i)^postgres(ql)?://`)
	// serverWords match what means a database server in another way: another URL or a misspelt one, user:password@host, and
	// settings such as host=HOST. As a file it would have a password in its name.
	serverWords = regexp.MustCompile(`(?i)://|:.*@|^\s|^["']|^(postgres(ql)?|pg|jdbc):|\b(host|hostaddr|user|password|dbname|service)\s*=`)
	driveLetter = regexp.MustCompile(`^[A-Za-z]:[/\\]`)
)

var errLocation = errors.New("-db is neither a file nor a postgres:// URL")

func (l location) isPostgres() bool { return postgresURL.MatchString(string(l)) }

// isMistaken reports whether it is neither a file nor the URL of a PostgreSQL database.
func (l location) isMistaken() bool {
	return l == "" || !l.isPostgres() && serverWords.MatchString(driveLetter.ReplaceAllString(string(l), ""))
}

// open opens the database. It creates a SQLite file that does not exist.
func (l location) open() (*gorm.DB, error) {
	if l.isMistaken() {
		return nil, errLocation
	}
	if !l.isPostgres() {
		db, err := sqlite.OpenDB(string(l))
		if err != nil {
			return nil, fmt.Errorf("opening the database: %w; see whether -db names the one that you mean", err)
		}
		return db, nil
	}
	_, rest, _ := strings.Cut(string(l), "://")
	db, err := postgres.OpenDB("postgres://" + rest)
	if err != nil {
		return nil, fmt.Errorf("opening the database that -db names: %s", connectFailure(err))
	}
	return db, nil
}

// connectFailure returns the reason of a failed connection. It passes on what the server and the system say, but nothing
// that the driver says of the URL: if that is malformed, a part of the password may be taken for any other part.
func connectFailure(err error) string {
	var server *pgconn.PgError
	var system syscall.Errno
	var lookup *net.DNSError
	switch {
	case errors.As(err, &server):
		return fmt.Sprintf("the server says %q (%s)", server.Message, server.Code)
	case errors.As(err, &system):
		return system.Error()
	case errors.As(err, &lookup):
		return "its host is not known: " + lookup.Err
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	case errors.Is(err, postgres.ErrExecMode):
		return postgres.ErrExecMode.Error()
	default:
		return "the URL cannot be used; it is like postgres://USER:PASSWORD@HOST:5432/NAME, with %XX for special characters"
	}
}

// quoted returns an argument as an error may show it, which is not so if it may be a location with a password.
func quoted(argument string) string {
	if l := location(argument); l.isPostgres() || l.isMistaken() {
		return "that is like the location of a database"
	}
	return strconv.Quote(argument)
}
