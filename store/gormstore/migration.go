package gormstore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// migration is one version of the library's own tables: steps that are executed in their order, each once. Where the version is new
// and the database is not, each step is committed by itself, so that no lock is held longer than one step needs.
type migration struct {
	id    string
	steps []step
}

// step is a part of a version.
type step struct {
	of half
	// statements are executed in one transaction, separated by ";\n". On PostgreSQL they may take only locks that they need for
	// moments: a new table, or a new column that may be NULL or has a constant default.
	statements string
	// index is the name of the index that statements create, with one CREATE INDEX CONCURRENTLY, outside a transaction. If it is
	// empty, they create none on a table that may have rows.
	index string
}

// half is what a step is about, since the applications may be in another database than the rest.
type half int

const (
	ofApplications half = iota
	ofCredentials
)

// stepsOf returns the steps of a version that are executed where these halves are.
func (m migration) stepsOf(halves []half) []step {
	return slices.DeleteFunc(slices.Clone(m.steps), func(s step) bool { return !slices.Contains(halves, s.of) })
}

// part is the mark of a step in the table of versions, as long as a later step of its version has not run.
func (m migration) part(number int) string { return fmt.Sprintf("%s.%d", m.id, number) }

// all returns the statements of a step as they are executed in a transaction.
func (s step) all() []string {
	if s.statements == "" {
		return nil
	}
	return strings.Split(inTransaction(s.statements), ";\n")
}

var createIndex = regexp.MustCompile(`(?i)\bCREATE (UNIQUE )?INDEX (CONCURRENTLY )?`)

// inTransaction returns statements with indices that are created while the table is locked.
func inTransaction(statements string) string {
	return createIndex.ReplaceAllString(statements, "CREATE ${1}INDEX ")
}

// concurrently returns a statement that creates an index while rows are written.
func concurrently(statement string) string {
	return createIndex.ReplaceAllString(statement, "CREATE ${1}INDEX CONCURRENTLY ")
}
