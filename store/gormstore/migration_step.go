package gormstore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// migration is a version of the library's tables: steps that are each executed once,
// in their order. If the database is in use, each step is committed by itself, so
// that no lock is held longer than one step needs.
type migration struct {
	id    string
	steps []step
}

// step is a part of a version.
type step struct {
	of half
	// statements are executed in one transaction, separated by ";\n". On PostgreSQL
	// they may take only locks that they hold for a moment: for a new table, or for a
	// new column that may be NULL or has a constant default.
	statements string
	// index is the name of the index that statements create with one CREATE INDEX
	// CONCURRENTLY, outside a transaction. If it is empty, they create none on a
	// table that may have rows.
	index string
}

// half is the part of the tables that a step belongs to, since the applications may
// be in a database of their own.
type half int

const (
	ofApplications half = iota
	ofCredentials
)

// stepsOf returns the steps of a version that belong to these halves.
func (m migration) stepsOf(halves []half) []step {
	return slices.DeleteFunc(slices.Clone(m.steps), func(s step) bool { return !slices.Contains(halves, s.of) })
}

// part is the id of a step in the table of versions, until all steps of its version
// have run.
func (m migration) part(number int) string { return fmt.Sprintf("%s.%d", m.id, number) }

// all returns the statements of a step for a transaction.
func (s step) all() []string {
	if s.statements == "" {
		return nil
	}
	return strings.Split(stripConcurrently(s.statements), ";\n")
}

var createIndex = regexp.MustCompile(`(?i)\bCREATE (UNIQUE )?INDEX (CONCURRENTLY )?`)

// stripConcurrently returns statements that create indices while the table is locked.
func stripConcurrently(statements string) string {
	return createIndex.ReplaceAllString(statements, "CREATE ${1}INDEX ")
}

// addConcurrently returns a statement that creates an index while rows are written.
func addConcurrently(statement string) string {
	return createIndex.ReplaceAllString(statement, "CREATE ${1}INDEX CONCURRENTLY ")
}
