package gormstore_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestCleanup removes in batches, what has expired and nothing else.
func TestCleanup(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		for i := range 25 {
			authorization := newAuthorization()
			authorization.ExpiresAt = now.Add(time.Duration(i) * time.Hour)
			tokens := newTokens(authorization)
			tokens.Access.ExpiresAt, tokens.Refresh.ExpiresAt = authorization.ExpiresAt, authorization.ExpiresAt
			if err := store.SaveTokens(ctx, authorization, tokens); err != nil {
				t.Fatal(err)
			}
			interaction := &oauthkit.Interaction{Hash: fmt.Sprint(i), CreatedAt: now, ExpiresAt: authorization.ExpiresAt}
			if err := store.SaveInteraction(ctx, interaction); err != nil {
				t.Fatal(err)
			}
		}
		limits := oauthkit.CleanupLimits{Now: now.Add(14 * time.Hour), Batch: 4, Batches: 2} // 15 of each have expired
		for _, rows := range []int{8, 7, 0} {
			statements.Take()
			removed, err := store.Cleanup(ctx, limits)
			want := map[string]int{"interactions": rows, "authorization_codes": 0, "access_tokens": rows, "refresh_tokens": rows, "authorizations": rows}
			if err != nil || !maps.Equal(removed, want) {
				t.Errorf("got %v, %v, want %v", removed, err, want)
			}
			explainAll(t, db, statements.Take().Statements)
		}
		limits.Batches = 0
		limits.Now = now.AddDate(0, 0, 2)
		if removed, err := store.Cleanup(ctx, limits); err != nil || removed["access_tokens"] != 10 {
			t.Errorf("got %v, %v, want the other 10 tokens", removed, err)
		}
	})
}

// explainAll fails for a statement that reads a whole table. The tables have millions of rows.
func explainAll(t *testing.T, db *gorm.DB, statements []string) {
	t.Helper()
	for _, statement := range statements {
		plan := sqlitePlan
		if db.Name() == "postgres" {
			plan = postgresPlan
		}
		text, err := plan(db, statement)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"Seq Scan", "Sort", "SCAN oauth_", "SCAN a\n", "ORDER BY"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: got the plan\n%swant one without %s", statement, text, bad)
			}
		}
	}
}

func sqlitePlan(db *gorm.DB, statement string) (plan string, err error) {
	var steps []struct{ Detail string }
	err = db.Raw("EXPLAIN QUERY PLAN " + strings.NewReplacer("?1", "1", "?2", "1").Replace(statement)).Scan(&steps).Error
	for _, step := range steps {
		plan += step.Detail + "\n"
	}
	return plan, err
}

// postgresPlan asks for the plan of a large table: a small one is read whole even if it has an index.
func postgresPlan(db *gorm.DB, statement string) (plan string, err error) {
	err = db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
			return err
		}
		var lines []string
		err := tx.Raw("EXPLAIN " + strings.NewReplacer("$1", "now()", "$2", "1").Replace(statement)).Scan(&lines).Error
		plan = strings.Join(lines, "\n") + "\n"
		return err
	})
	return plan, err
}
