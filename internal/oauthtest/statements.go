package oauthtest

import (
	"context"
	"database/sql"
	"strings"
	"sync"

	"gorm.io/gorm"
)

// Count is what a database was asked to do. BEGIN, COMMIT and ROLLBACK are no statements.
type Count struct {
	// Acts is the number of statements outside of transactions and of transactions. It does not depend on whether the
	// database can do an act in one statement.
	Acts int
	// Commits is how often the database had to make something durable: at the end of a transaction, and after a statement
	// outside of one that writes.
	Commits int
	// Statements are the texts of all statements, in order.
	Statements []string
}

// Statements counts what goes to a database. It is safe for concurrent use.
type Statements struct {
	mutex sync.Mutex
	count Count
}

// CountStatements begins to count what db sends. Call it before anything else is made of db, such as a store.
func CountStatements(db *gorm.DB) *Statements {
	statements := &Statements{}
	pool := &countedPool{countedStatements{ConnPool: db.Statement.ConnPool, count: statements.outside}, statements}
	db.ConnPool, db.Statement.ConnPool = pool, pool
	return statements
}

// Take returns what was counted since the last call.
func (s *Statements) Take() Count {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := s.count
	s.count = Count{}
	return count
}

func (s *Statements) add(acts, commits int, statements ...string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.count.Acts += acts
	s.count.Commits += commits
	s.count.Statements = append(s.count.Statements, statements...)
}

func (s *Statements) outside(statement string) {
	for _, write := range []string{"INSERT INTO ", "UPDATE ", "DELETE FROM "} {
		if strings.Contains(statement, write) {
			s.add(1, 1, statement)
			return
		}
	}
	s.add(1, 0, statement)
}

func (s *Statements) inside(statement string) { s.add(0, 0, statement) }

// countedStatements counts what it passes on.
type countedStatements struct {
	gorm.ConnPool
	count func(statement string)
}

// ExecContext implements [gorm.ConnPool].
func (c countedStatements) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	c.count(statement)
	return c.ConnPool.ExecContext(ctx, statement, args...)
}

// QueryContext implements [gorm.ConnPool].
func (c countedStatements) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	c.count(statement)
	return c.ConnPool.QueryContext(ctx, statement, args...)
}

// QueryRowContext implements [gorm.ConnPool].
func (c countedStatements) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	c.count(statement)
	return c.ConnPool.QueryRowContext(ctx, statement, args...)
}

// countedPool also counts the transactions that begin in it.
type countedPool struct {
	countedStatements
	statements *Statements
}

// BeginTx implements [gorm.ConnPoolBeginner].
func (p *countedPool) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	pool, err := p.GetDBConn()
	if err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	p.statements.add(1, 0)
	return &countedTx{countedStatements{ConnPool: tx, count: p.statements.inside}, tx, p.statements}, nil
}

// GetDBConn implements [gorm.GetDBConnector].
func (p *countedPool) GetDBConn() (*sql.DB, error) {
	pool, ok := p.ConnPool.(*sql.DB)
	if !ok {
		return nil, gorm.ErrInvalidDB
	}
	return pool, nil
}

// countedTx counts its commit.
type countedTx struct {
	countedStatements
	tx         *sql.Tx
	statements *Statements
}

// Commit implements [gorm.TxCommitter].
func (t *countedTx) Commit() error {
	t.statements.add(0, 1)
	return t.tx.Commit()
}

// Rollback implements [gorm.TxCommitter].
func (t *countedTx) Rollback() error { return t.tx.Rollback() }
