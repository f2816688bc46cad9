package gormstore_test

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// BenchmarkActs measures the hot operations, with their statements, on every
// database. Acts that consume something also create it, in the same round.
func BenchmarkActs(b *testing.B) {
	for name, opener := range openers() {
		b.Run(name, func(b *testing.B) {
			db := opener(b)()
			statements := oauthtest.CountStatements(db)
			store := migrated[*oauthkit.AbstractApplication](b, db)
			if err := store.ApplicationTable.Create(b.Context(), newApplication(), now); err != nil {
				b.Fatal(err)
			}
			for _, operation := range operations(b, store) {
				b.Run(operation.name, func(b *testing.B) {
					run := operation.prepare(b)
					statements.Take()
					b.ReportAllocs()
					for b.Loop() {
						if err := run(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(len(statements.Take().Statements))/float64(b.N), "statements/op")
				})
			}
		})
	}
}

// operation is measured. The function that prepare returns can be called many times.
type operation struct {
	name    string
	prepare func(b *testing.B) func() error
}

func operations(b *testing.B, store *store) []operation {
	ctx := b.Context()
	saved := func(b *testing.B) oauthkit.Tokens {
		authorization := newAuthorization()
		tokens := newTokens(authorization)
		if err := store.SaveTokens(ctx, authorization, tokens); err != nil {
			b.Fatal(err)
		}
		return tokens
	}
	return []operation{
		{"Application", func(*testing.B) func() error {
			return func() error { _, err := store.Application(ctx, "client"); return err }
		}},
		{"AccessToken", func(b *testing.B) func() error {
			tokens := saved(b)
			return func() error { _, err := store.AccessToken(ctx, tokens.Access.Hash); return err }
		}},
		{"SaveApprovalTokens", func(*testing.B) func() error {
			return func() error { return store.SaveApproval(ctx, newApproval(nil, false, true)) }
		}},
		{"SaveTokens", func(*testing.B) func() error {
			return func() error {
				authorization := newAuthorization()
				return store.SaveTokens(ctx, authorization, newTokens(authorization))
			}
		}},
		{"SaveApprovalRedeemCode", func(*testing.B) func() error {
			return func() error {
				code := newCode(newAuthorization())
				if err := store.SaveApproval(ctx, &oauthkit.Approval{Authorization: code.Authorization, Code: code}); err != nil {
					return err
				}
				return store.RedeemCode(ctx, code.Hash, newTokens(code.Authorization), now)
			}
		}},
		{"RotateRefreshToken", func(b *testing.B) func() error {
			tokens := saved(b)
			return func() error {
				successors := newTokens(tokens.Access.Authorization)
				err := store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, successors, make([]byte, 400)))
				tokens = successors
				return err
			}
		}},
	}
}
