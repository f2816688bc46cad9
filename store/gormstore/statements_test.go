package gormstore_test

import (
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestStatements expects one act for each hot operation, and one statement on
// PostgreSQL.
func TestStatements(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store := migrated[*oauthkit.AbstractApplication](t, db)
		ctx := t.Context()
		if err := store.ApplicationTable.Create(ctx, newApplication(), now); err != nil {
			t.Fatal(err)
		}
		if _, err := store.SharedSecret(ctx, "secret"); err != nil {
			t.Fatal(err)
		}
		authorization := newAuthorization()
		code, tokens, successors := newCode(authorization), newTokens(authorization), newTokens(authorization)
		machine := newAuthorization()
		machineTokens := oauthkit.Tokens{Access: newTokens(machine).Access}
		interaction := &oauthkit.Interaction{Hash: "hash", Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: now}
		approval := &oauthkit.Approval{Authorization: authorization, InteractionHash: "hash", Code: code, ConsentUse: oauthkit.ConsentNew, Consent: &oauthkit.Consent{
			ID: "consent", ClientID: "client", Subject: "alice", CreatedAt: now, UpdatedAt: now,
		}}
		rememberedCode, widenedCode := newCode(newAuthorization()), newCode(newAuthorization())
		remembered := &oauthkit.Approval{Authorization: rememberedCode.Authorization, Consent: approval.Consent, Code: rememberedCode}
		widened := &oauthkit.Approval{Authorization: widenedCode.Authorization, Consent: approval.Consent, ConsentUse: oauthkit.ConsentWidened, Code: widenedCode}
		for _, test := range []struct {
			name    string
			do      func() error
			commits int
			sqlite  int // statements
		}{
			{name: "Application", sqlite: 1, do: func() error { _, err := store.Application(ctx, "client"); return err }},
			{name: "SaveTokens", commits: 1, sqlite: 2, do: func() error { return store.SaveTokens(ctx, machine, machineTokens) }},
			{name: "AccessToken", sqlite: 1, do: func() error { _, err := store.AccessToken(ctx, machineTokens.Access.Hash); return err }},
			{name: "SaveInteraction", commits: 1, sqlite: 2, do: func() error { return store.SaveInteraction(ctx, interaction, 10) }},
			{name: "SharedSecret, kept", sqlite: 1, do: func() error { _, err := store.SharedSecret(ctx, "another"); return err }},
			{name: "SaveApproval, asked", commits: 1, sqlite: 4, do: func() error { return store.SaveApproval(ctx, approval) }},
			{name: "Consent", sqlite: 1, do: func() error { _, err := store.Consent(ctx, "client", "alice"); return err }},
			{name: "SaveApproval, remembered", commits: 1, sqlite: 3, do: func() error { return store.SaveApproval(ctx, remembered) }},
			{name: "SaveApproval, widened", commits: 1, sqlite: 3, do: func() error { return store.SaveApproval(ctx, widened) }},
			{name: "SaveApproval, tokens", commits: 1, sqlite: 4, do: func() error {
				return store.SaveApproval(ctx, newApproval(approval.Consent, false, true))
			}},
			{name: "SaveApproval, code and tokens", commits: 1, sqlite: 5, do: func() error {
				return store.SaveApproval(ctx, newApproval(approval.Consent, true, true))
			}},
			{name: "SaveApproval, no credential", commits: 1, sqlite: 2, do: func() error {
				return store.SaveApproval(ctx, newApproval(approval.Consent, false, false))
			}},
			{name: "Code", sqlite: 1, do: func() error { _, err := store.Code(ctx, code.Hash); return err }},
			{name: "RedeemCode", commits: 1, sqlite: 3, do: func() error { return store.RedeemCode(ctx, code.Hash, tokens, now) }},
			{name: "RefreshToken", sqlite: 1, do: func() error { _, err := store.RefreshToken(ctx, tokens.Refresh.Hash); return err }},
			{name: "RotateRefreshToken", commits: 1, sqlite: 4, do: func() error {
				return store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, successors, []byte("sealed")))
			}},
			{name: "RepeatRefreshToken", commits: 1, sqlite: 3, do: func() error {
				_, err := store.RepeatRefreshToken(ctx, oauthkit.Repeat{
					Hash: tokens.Refresh.Hash, Successor: successors.Refresh.Hash, Access: newTokens(authorization).Access,
					Limit: 5, Now: func() time.Time { return now },
				})
				return err
			}},
			{name: "RevokeAuthorization", commits: 1, sqlite: 2, do: func() error {
				_, err := store.RevokeAuthorization(ctx, authorization.ID, oauthkit.Revocation{Now: now})
				return err
			}},
		} {
			statements.Take()
			if err := test.do(); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			want := 1
			if db.Name() == "sqlite" {
				want = test.sqlite
			}
			got := statements.Take()
			if got.Acts != 1 || got.Commits != test.commits || len(got.Statements) != want {
				t.Errorf("%s: got %d acts, %d commits, %d statements, want 1, %d, %d:\n%s", test.name,
					got.Acts, got.Commits, len(got.Statements), test.commits, want, strings.Join(got.Statements, "\n"))
			}
		}
	})
}
