package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// statement is a statement in the words of a database.
type statement struct {
	text   string
	writes bool
	// The parameters, in the order of the arguments $1, $2, ... or ?1, ?2, ...
	parameters []parameter
	err        error // if it names something that does not exist
}

var (
	columnList   = regexp.MustCompile(`(@|\w+\.)?\[(\w+)(?: (\w+)=([@\w.]+))?\]`)
	tableName    = regexp.MustCompile(`\{(\w+)\}`)
	argumentName = regexp.MustCompile(`@\w+(\.\w+)?`)
	writing      = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP) `)
)

// prepare translates a statement into the words of the database, once. In this package a
// statement is written for PostgreSQL with
//
//	{codes}          the table of codes, with the prefix
//	@now             the argument of this name
//	@code.hash       a column of the row of arguments of this name
//	[code]           the columns of a row: hash, issued_at, ...
//	[code_rest]      those by which no row is found: issued_at, ...
//	t.[code]         the same with a table: t.hash, t.issued_at, ...
//	@[code]          the same as arguments: @code.hash, @code.issued_at, ...
//	@[code hash=@id] the same with another expression for one column
func (d *database) prepare(text string) *statement {
	if prepared, ok := d.statements.Load(text); ok {
		return prepared.(*statement)
	}
	s := &statement{}
	written := columnList.ReplaceAllStringFunc(text, s.expand(d.parameters))
	written = d.dialect.translate(tableName.ReplaceAllString(written, d.prefix+"$1"))
	s.text = argumentName.ReplaceAllStringFunc(written, s.number(d))
	s.writes = writing.MatchString(s.text)
	d.statements.Store(text, s)
	return s
}

// expand returns a function that writes a list of columns out.
func (s *statement) expand(p parameters) func(list string) string {
	return func(list string) string {
		parts := columnList.FindStringSubmatch(list)
		table, row, other, expression := parts[1], parts[2], parts[3], parts[4]
		names := slices.Clone(p.columns[row])
		if names == nil || other != "" && !slices.Contains(names, other) {
			s.err = fmt.Errorf("gormstore: no columns %s", list)
		}
		if table == "@" {
			table += row + "."
		}
		for i, name := range names {
			names[i] = table + name
			if name == other {
				names[i] = expression
			}
		}
		return strings.Join(names, ", ")
	}
}

// number returns a function that replaces a name by the number of its argument.
func (s *statement) number(d *database) func(name string) string {
	var names []string
	return func(name string) string {
		if !slices.Contains(names, name) {
			value, ok := d.parameters.named[name[1:]]
			if !ok {
				s.err = fmt.Errorf("gormstore: no argument %s", name)
			}
			names, s.parameters = append(names, name), append(s.parameters, value)
		}
		return fmt.Sprint(d.dialect.argument(), slices.Index(names, name)+1)
	}
}

// bind returns the arguments in the order of the statement.
func (s *statement) bind(d *database, a arguments) ([]any, error) {
	if s.err != nil || len(s.parameters) == 0 {
		return nil, s.err
	}
	values := make([]any, len(s.parameters))
	for i, value := range s.parameters {
		values[i] = value(d, a)
	}
	return values, nil
}

// sql returns the text of a statement without arguments.
func (d *database) sql(text string) string { return d.prepare(text).text }

// run executes a call of a statement, which goes to the pool or to a transaction. In a
// transaction, only the whole transaction is repeated.
func (d *database) run(ctx context.Context, conn gorm.ConnPool, s *statement, call func() error) error {
	if conn != d.pool() {
		return call()
	}
	return d.attempt(ctx, s.writes, call)
}

// execute executes a statement and returns the number of rows that it changed.
func (d *database) execute(ctx context.Context, conn gorm.ConnPool, text string, a arguments) (rows int, err error) {
	s := d.prepare(text)
	values, err := s.bind(d, a)
	if err != nil {
		return 0, err
	}
	err = d.run(ctx, conn, s, func() error {
		result, err := conn.ExecContext(ctx, s.text, values...)
		if err != nil {
			return err
		}
		changed, err := result.RowsAffected()
		rows = int(changed)
		return err
	})
	return rows, err
}

// queryRow reads the first row of the result. It returns [oauthkit.ErrNotFound] if
// there is none.
func (d *database) queryRow(ctx context.Context, conn gorm.ConnPool, text string, a arguments, fields ...any) error {
	s := d.prepare(text)
	values, err := s.bind(d, a)
	if err != nil {
		return err
	}
	err = d.run(ctx, conn, s, func() error { return conn.QueryRowContext(ctx, s.text, values...).Scan(fields...) })
	if errors.Is(err, sql.ErrNoRows) {
		return oauthkit.ErrNotFound
	}
	return err
}

// queryRows reads every row of the result. A statement of which a row was read is not
// repeated, because read cannot be undone.
func (d *database) queryRows(ctx context.Context, conn gorm.ConnPool, text string, a arguments, read func(scan func(...any) error) error) error {
	s := d.prepare(text)
	values, err := s.bind(d, a)
	if err != nil {
		return err
	}
	var failure error // after the first row
	err = d.run(ctx, conn, s, func() error {
		rows, err := conn.QueryContext(ctx, s.text, values...)
		if err != nil {
			return err
		}
		defer rows.Close()
		began := false
		for ; rows.Next(); began = true {
			if failure = read(rows.Scan); failure != nil {
				return nil
			}
		}
		if began {
			failure = rows.Err()
			return nil
		}
		return rows.Err()
	})
	return errors.Join(err, failure)
}

// queryStrings returns the one column of the result.
func (d *database) queryStrings(ctx context.Context, conn gorm.ConnPool, text string, a arguments) (column []string, err error) {
	err = d.queryRows(ctx, conn, text, a, func(scan func(...any) error) error {
		var value string
		err := scan(&value)
		column = append(column, value)
		return err
	})
	return column, err
}

// arguments are the arguments of a statement, which sets those that it names.
type arguments struct {
	hash, successor                  string // of a credential or an Interaction
	id, clientID, subject, consentID string
	name, value                      string
	ids                              string // a JSON array
	consentUse                       string
	now                              time.Time
	before, kept                     time.Time // of Cleanup
	limit                            int
	lock                             int64
	sealed, private                  []byte
	window                           time.Duration // in which the sealed response can be repeated

	authorization *oauthkit.Authorization
	code          *oauthkit.AuthorizationCode
	access        *oauthkit.AccessToken
	refresh       *oauthkit.RefreshToken
	consent       *oauthkit.Consent
	interaction   *oauthkit.Interaction
	key           *oauthkit.SigningKey
	scope         *Scope
	notice        *noticeArguments // nil for a statement that names none of them
}

// parameter returns the value of a named argument as it is stored. It takes the
// arguments by value: then a call of a statement does not allocate them.
type parameter func(d *database, a arguments) any

// parameters are the names that a statement can have after "@", with the columns of
// tables.
type parameters struct {
	named   map[string]parameter
	columns map[string][]string // the columns of a row, by its name
}

// newParameters returns all of them. A row that is nil has NULL in each of its columns.
func newParameters(t tables) parameters {
	p := parameters{
		named: map[string]parameter{
			"hash":         func(_ *database, a arguments) any { return a.hash },
			"successor":    func(_ *database, a arguments) any { return a.successor },
			"id":           func(_ *database, a arguments) any { return a.id },
			"client_id":    func(_ *database, a arguments) any { return a.clientID },
			"subject":      func(_ *database, a arguments) any { return a.subject },
			"consent_id":   func(_ *database, a arguments) any { return a.consentID },
			"name":         func(_ *database, a arguments) any { return a.name },
			"value":        func(_ *database, a arguments) any { return a.value },
			"ids":          func(_ *database, a arguments) any { return a.ids },
			"consent_use":  func(_ *database, a arguments) any { return a.consentUse },
			"now":          func(d *database, a arguments) any { return d.stamp(a.now) },
			"before":       func(d *database, a arguments) any { return d.stamp(a.before) },
			"kept":         func(d *database, a arguments) any { return d.stamp(a.kept) },
			"limit":        func(_ *database, a arguments) any { return a.limit },
			"lock":         func(_ *database, a arguments) any { return a.lock },
			"sealed":       func(_ *database, a arguments) any { return bytesOrNull(a.sealed) },
			"private":      func(_ *database, a arguments) any { return a.private },
			"sealed_until": func(d *database, a arguments) any { return d.stamp(a.now.Add(a.window)) },
			"receivers":    func(_ *database, a arguments) any { return a.notice.receivers },
			"kind":         func(_ *database, a arguments) any { return string(a.notice.kind) },
			"session":      func(_ *database, a arguments) any { return a.notice.session },
			"keep":         func(_ *database, a arguments) any { return a.notice.keep },
			"keep_all":     func(_ *database, a arguments) any { return a.notice.keepAll },
			"until":        func(d *database, a arguments) any { return d.stamp(a.notice.until) },
			"attempts":     func(_ *database, a arguments) any { return a.notice.attempts },
			"window":       func(_ *database, a arguments) any { return windowOrNull(a) },
		},
		columns: map[string][]string{},
	}
	addRow(p, "authorization", t.authorizations, func(a arguments) *oauthkit.Authorization { return a.authorization })
	addRow(p, "code", t.codes, func(a arguments) *oauthkit.AuthorizationCode { return a.code })
	addRow(p, "access", t.accessTokens, func(a arguments) *oauthkit.AccessToken { return a.access })
	addRow(p, "refresh", t.refreshTokens, func(a arguments) *oauthkit.RefreshToken { return a.refresh })
	addRow(p, "consent", t.consents, func(a arguments) *oauthkit.Consent { return a.consent })
	addRow(p, "interaction", t.interactions, func(a arguments) *oauthkit.Interaction { return a.interaction })
	addRow(p, "key", t.signingKeys, func(a arguments) *oauthkit.SigningKey { return a.key })
	addRow(p, "scope", t.scopes, func(a arguments) *Scope { return a.scope })
	addRow(p, "notice", t.notices, func(arguments) *oauthkit.Notice { return nil })
	return p
}

// addRow adds the columns of a row, each as "row.column".
func addRow[T any](p parameters, name string, columns columns[T], row func(a arguments) *T) {
	for _, column := range columns {
		p.columns[name] = append(p.columns[name], column.name)
		if !column.known {
			p.columns[name+"_rest"] = append(p.columns[name+"_rest"], column.name)
		}
		p.named[name+"."+column.name] = func(d *database, a arguments) any {
			if row := row(a); row != nil {
				return column.value(d, row)
			}
			return nil
		}
	}
}

// windowOrNull returns microseconds, or NULL if nothing is sealed.
func windowOrNull(a arguments) any {
	if len(a.sealed) == 0 {
		return nil
	}
	return a.window.Microseconds()
}

// bytesOrNull returns NULL for no bytes.
func bytesOrNull(value []byte) any {
	if len(value) == 0 {
		return nil
	}
	return value
}

// tables are the columns of the tables whose rows are read or written as a whole.
type tables struct {
	authorizations columns[oauthkit.Authorization]
	codes          columns[oauthkit.AuthorizationCode]
	accessTokens   columns[oauthkit.AccessToken]
	refreshTokens  columns[oauthkit.RefreshToken]
	consents       columns[oauthkit.Consent]
	interactions   columns[oauthkit.Interaction]
	signingKeys    columns[oauthkit.SigningKey]
	scopes         columns[Scope]
	notices        columns[oauthkit.Notice]
}

func newTables() tables {
	return tables{
		authorizationColumns(), codeColumns(), accessTokenColumns(), refreshTokenColumns(),
		consentColumns(), interactionColumns(), signingKeyColumns(), scopeColumns(), noticeColumns(),
	}
}
