package gormstore

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestStatementNames prepares every piece of SQL in this package for both databases,
// so that no misspelt name of an argument or of columns is left to fail at run time.
func TestStatementNames(t *testing.T) {
	used := map[string]bool{}
	for _, dialect := range []dialect{newPostgres(), newSQLite()} {
		tables := newTables()
		d := &database{dialect: dialect, prefix: "oauth_", tables: tables, parameters: newParameters(tables)}
		for _, text := range statementTexts(t) {
			if err := d.prepare(text).err; err != nil {
				t.Errorf("%s: %v in %q", dialect.name, err, text)
			}
			for _, name := range argumentName.FindAllString(text, -1) {
				used[name[1:]] = true
			}
		}
		for name := range d.parameters.named {
			if !used[name] && !strings.Contains(name, ".") {
				t.Errorf("no statement has the argument @%s", name)
			}
		}
	}
}

// statementTexts returns the literals of this package that are SQL, or a part of it.
func statementTexts(t *testing.T) (texts []string) {
	t.Helper()
	isSQL := regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|WHERE|FROM|VALUES|AND|SET|RETURNING)\b`)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && isSQL.MatchString(text) {
				texts = append(texts, text)
			}
			return true
		})
	}
	if len(texts) < 80 {
		t.Errorf("got %d statements, want all of the package", len(texts))
	}
	return texts
}

// TestUnknownNames shows that a statement with an unknown name is refused.
func TestUnknownNames(t *testing.T) {
	tables := newTables()
	d := &database{dialect: newPostgres(), prefix: "oauth_", tables: tables, parameters: newParameters(tables)}
	for _, text := range []string{
		`SELECT @nwo`, `SELECT @code.nothing`, `SELECT [codes] FROM {authorization_codes}`, `SELECT @[code nothing=@id]`,
	} {
		if _, err := d.execute(t.Context(), nil, text, arguments{}); err == nil {
			t.Errorf("%s: got no error, want one", text)
		}
	}
}

// TestPrepare shows the notation of statements.
func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		dialect dialect
		text    string
		want    string
	}{
		{
			newPostgres(), `SELECT t.[refresh] FROM {refresh_tokens} t WHERE hash = @hash AND id = @id AND @hash <> '' FOR UPDATE`,
			`SELECT t.hash, t.confirmation, t.issued_at, t.expires_at FROM oauth_refresh_tokens t WHERE hash = $1 AND id = $2 AND $1 <> '' FOR UPDATE`,
		},
		{
			newSQLite(), `INSERT INTO {refresh_tokens} ([refresh], authorization_id) VALUES (@[refresh expires_at=@now], @id)`,
			`INSERT INTO oauth_refresh_tokens (hash, confirmation, issued_at, expires_at, authorization_id) VALUES (?1, ?2, ?3, ?4, ?5)`,
		},
	} {
		tables := newTables()
		d := &database{dialect: test.dialect, prefix: "oauth_", tables: tables, parameters: newParameters(tables)}
		prepared := d.prepare(test.text)
		if prepared.text != test.want || prepared.err != nil {
			t.Errorf("%s: got %s (%v), want %s", test.text, prepared.text, prepared.err, test.want)
		}
	}
}

// TestApprovalArguments shows that an approval sends no arguments of rows that it does
// not save.
func TestApprovalArguments(t *testing.T) {
	tables := newTables()
	d := &database{dialect: newPostgres(), prefix: "oauth_", tables: tables, parameters: newParameters(tables)}
	shared, tokens := len(d.prepare(saveApprovalPostgres).parameters), len(tables.accessTokens)+len(tables.refreshTokens)
	for name, test := range map[string]struct {
		statement string
		want      int
	}{
		"code":   {saveApprovalCodePostgres, len(tables.codes)},
		"tokens": {saveApprovalTokensPostgres, tokens},
		"both":   {saveApprovalBothPostgres, len(tables.codes) + tokens},
	} {
		if got := len(d.prepare(test.statement).parameters) - shared; got != test.want {
			t.Errorf("%s: got %d arguments beside those of every approval, want %d", name, got, test.want)
		}
	}
}
