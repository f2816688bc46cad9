package oauthhttp_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestStatements checks the number of acts and commits of each operation. An act is
// one statement on PostgreSQL, and one statement or transaction on SQLite. BEGIN and
// COMMIT do not count.
func TestStatements(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, open)
			r.approve() // the consent is remembered afterwards
			var code, tokens string
			machine := r.clientCredentials()
			for _, test := range []struct {
				operation     string
				do            func()
				acts, commits int
			}{
				{"client credentials", func() { r.clientCredentials() }, 2, 1},
				{"authorize, signed in, consent remembered", func() { code = r.authorize() }, 3, 1},
				{"code exchange", func() { tokens = r.exchange(code) }, 3, 1},
				{"refresh", func() { tokens = r.refresh(member(tokens, "refresh_token")) }, 3, 1},
				{"introspection", func() { r.post("introspect", url.Values{"token": {machine}}) }, 2, 0},
				{"bearer check", func() { r.callAPI(member(tokens, "access_token")) }, 1, 0},
			} {
				r.statements.Take()
				test.do()
				got := r.statements.Take()
				if got.Acts != test.acts || got.Commits != test.commits {
					t.Errorf("%s: got %d acts and %d commits, want %d and %d:\n%s", test.operation, got.Acts, got.Commits,
						test.acts, test.commits, strings.Join(got.Statements, "\n"))
				}
				if name == "postgres" && len(got.Statements) != test.acts {
					t.Errorf("%s: got %d statements, want %d", test.operation, len(got.Statements), test.acts)
				}
			}
		})
	}
}
