package gormstore_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestCleanup removes expired rows in batches, and no others.
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
			interaction := &oauthkit.Interaction{Hash: fmt.Sprint(i), Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: authorization.ExpiresAt}
			if err := store.SaveInteraction(ctx, interaction, 100); err != nil {
				t.Fatal(err)
			}
		}
		limits := oauthkit.CleanupLimits{Now: now.Add(14 * time.Hour), Batch: 4, Batches: 2} // 15 of each have expired
		for _, rows := range []int{8, 7, 0} {
			statements.Take()
			dryRun := limits
			dryRun.DryRun = true
			counted, err := store.Cleanup(ctx, dryRun)
			if err != nil {
				t.Error(err)
			}
			removed, err := store.Cleanup(ctx, limits)
			want := map[string]int{
				"refresh_tokens.sealed": 0, "endings": 0, "notices": 0, "interactions": rows, "authorization_codes": 0, "access_tokens": rows,
				"refresh_tokens": rows, "authorizations": rows,
			}
			if err != nil || !maps.Equal(removed, want) || !maps.Equal(counted, want) {
				t.Errorf("got %v, %v, and %v in a dry run, want %v", removed, err, counted, want)
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
