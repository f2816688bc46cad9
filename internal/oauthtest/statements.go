package oauthtest

import (
	"context"
	"database/sql"
	"strings"
	"sync"

	"gorm.io/gorm"
)

// Count is the work that was sent to a database. BEGIN, COMMIT and ROLLBACK are not
// counted as statements.
type Count struct {
	// Acts is the number of transactions plus the number of statements outside
	// transactions. It is the same whether or not the database can do an act in one
	// statement.
	Acts int
	// Commits is the number of times the database had to write durably: at the end of
	// a transaction and after a writing statement outside one.
	Commits int
	// Statements holds the texts of all statements in order.
	Statements []string
}

// Statements counts the statements sent to a database. It is safe for concurrent use.
type Statements struct {
	mutex sync.Mutex
	count Count
}

// CountStatements counts the statements that db sends. Call it before anything, such
// as a store, is made from db.
func CountStatements(db *gorm.DB) *Statements {
	statements := &Statements{}
	pool := &countedPool{countedStatements{ConnPool: db.Statement.ConnPool, count: statements.outside}, statements}
	db.ConnPool, db.Statement.ConnPool = pool, pool
	return statements
}

// Take returns the counts since the last call.
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

// countedStatements counts the statements it forwards.
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
