package gormstore_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestRotationPlan shows that the sealed responses of earlier tokens are found
// without reading all tokens.
func TestRotationPlan(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		authorization := newAuthorization()
		tokens := newTokens(authorization)
		if err := store.SaveTokens(ctx, authorization, tokens); err != nil {
			t.Fatal(err)
		}
		statements.Take()
		if err := store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, newTokens(authorization), []byte("sealed"))); err != nil {
			t.Fatal(err)
		}
		plans := explainAll(t, db, statements.Take().Statements)
		if !strings.Contains(plans, "oauth_refresh_tokens_sealed") {
			t.Errorf("got the plans\n%swant one with the index of sealed responses", plans)
		}
	})
}

// TestSealedPlan shows that sealed responses whose window is over are found without
// reading all tokens.
func TestSealedPlan(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store := migrated[*oauthkit.AbstractApplication](t, db)
		statements.Take()
		if _, err := store.Cleanup(t.Context(), oauthkit.CleanupLimits{Now: now}); err != nil {
			t.Fatal(err)
		}
		plans := explainAll(t, db, statements.Take().Statements[:1])
		if !strings.Contains(plans, "oauth_refresh_tokens_sealed") {
			t.Errorf("got the plans\n%swant one with the index of sealed responses", plans)
		}
	})
}

// TestUserAuthorizationsPlan shows that the sign-ins of a user are found through
// indices, in their order and with their last use.
func TestUserAuthorizationsPlan(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		statements.Take()
		if _, err := store.UserAuthorizations(ctx, oauthkit.AuthorizationQuery{Subject: "alice", Now: now, Limit: 10}); err != nil {
			t.Fatal(err)
		}
		taken := statements.Take().Statements
		if len(taken) != 1 {
			t.Errorf("got %q, want one statement", taken)
		}
		plans := explainAll(t, db, taken)
		for _, index := range []string{"oauth_authorizations_subject", "oauth_access_tokens_last", "oauth_refresh_tokens_live"} {
			if !strings.Contains(plans, index) {
				t.Errorf("got the plans\n%swant one with the index %s", plans, index)
			}
		}
		statements.Take()
		if _, err := store.UserAuthorizations(ctx, oauthkit.AuthorizationQuery{Subject: "alice", ID: "one", Now: now, Limit: 1}); err != nil {
			t.Fatal(err)
		}
		explainAll(t, db, statements.Take().Statements)
	})
}

// TestUserAuthorizationsReads shows that a list does not read more if the user has
// codes that were not redeemed, sign-ins that have expired and are not removed yet,
// or more sign-ins than are listed.
func TestUserAuthorizationsReads(t *testing.T) {
	db := openers()["postgres"](t)()
	statements := oauthtest.CountStatements(db)
	store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
	const many = 5000
	for name, columns := range map[string]string{
		"unredeemed": `TIMESTAMPTZ '2031-01-01', NULL`,
		"expired":    `TIMESTAMPTZ '2001-01-01', TIMESTAMPTZ '2001-01-01'`,
		"live":       `TIMESTAMPTZ '2031-01-01', TIMESTAMPTZ '2001-01-01'`,
	} {
		if err := db.Exec(`WITH made AS (
			INSERT INTO oauth_authorizations (id, client_id, consent_id, subject, scopes, resources, acr, amr, session_id, params, created_at, expires_at, issued_at)
			SELECT ? || i, ?, '', 'alice', '', '', '', '[]', '', '{}', TIMESTAMPTZ '2001-01-01' + i * interval '1 second', `+columns+`
			FROM generate_series(1, ?) i RETURNING id, expires_at
		) INSERT INTO oauth_access_tokens (hash, authorization_id, scopes, resources, issued_at, expires_at)
		SELECT id, id, '', '', TIMESTAMPTZ '2001-01-01', expires_at FROM made`, name, name, many).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Exec("VACUUM ANALYZE").Error; err != nil {
		t.Fatal(err)
	}
	statements.Take()
	uses, err := store.UserAuthorizations(ctx, oauthkit.AuthorizationQuery{Subject: "alice", Now: now, Limit: 10})
	if err != nil || len(uses) != 10 || uses[0].ID != fmt.Sprint("live", many) {
		t.Fatalf("got %d (%v), want the newest 10", len(uses), err)
	}
	read := "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + statements.Take().Statements[0]
	var plan []string
	if err := db.Raw(strings.NewReplacer("$1", "'alice'", "$2", "TIMESTAMPTZ '"+now.Format(time.RFC3339)+"'", "$3", "10").Replace(read)).Scan(&plan).Error; err != nil {
		t.Fatal(err)
	}
	buffers := 0
	for _, found := range regexp.MustCompile(`(?:hit|read)=(\d+)`).FindAllStringSubmatch(plan[1], -1) {
		count, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		buffers += count
	}
	// The rows alone take some hundred pages, and the look-up of the tokens of each row
	// takes three pages.
	if buffers == 0 || buffers > 200 {
		t.Errorf("got %d pages read, want at most 200:\n%s", buffers, strings.Join(plan, "\n"))
	}
}

// TestHotPlans shows that the acts of a request read no more rows than they need,
// however many there are, and that Cleanup finds expired rows by an index.
func TestHotPlans(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		if err := store.ApplicationTable.Create(ctx, newApplication(), now); err != nil {
			t.Fatal(err)
		}
		authorization, machine := newAuthorization(), newAuthorization()
		code, tokens, successors := newCode(authorization), newTokens(authorization), newTokens(authorization)
		approval := &oauthkit.Approval{Authorization: authorization, Code: code, ConsentUse: oauthkit.ConsentNew, Consent: &oauthkit.Consent{
			ID: "consent", ClientID: "client", Subject: "alice", CreatedAt: now, UpdatedAt: now,
		}}
		for _, act := range []struct {
			name string
			do   func() error
		}{
			{"RL-37 an application", func() error { _, err := store.Application(ctx, "client"); return err }},
			{"RL-37 tokens of a machine", func() error {
				return store.SaveTokens(ctx, machine, oauthkit.Tokens{Access: newTokens(machine).Access})
			}},
			{"RL-37 consent", func() error { return store.SaveApproval(ctx, approval) }},
			{"RL-37 consent, tokens", func() error { return store.SaveApproval(ctx, newApproval(approval.Consent, false, true)) }},
			{"RL-37 consent, code and tokens", func() error { return store.SaveApproval(ctx, newApproval(approval.Consent, true, true)) }},
			{"RL-37 consent, no credential", func() error { return store.SaveApproval(ctx, newApproval(approval.Consent, false, false)) }},
			{"RL-37 remembered consent", func() error { _, err := store.Consent(ctx, "client", "alice"); return err }},
			{"RL-37 code", func() error { _, err := store.Code(ctx, code.Hash); return err }},
			{"RL-37 code exchange", func() error { return store.RedeemCode(ctx, code.Hash, tokens, now) }},
			{"RL-28 introspection", func() error { _, err := store.AccessToken(ctx, tokens.Access.Hash); return err }},
			{"RL-28 refresh token", func() error { _, err := store.RefreshToken(ctx, tokens.Refresh.Hash); return err }},
			{"RL-28 refresh", func() error {
				return store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, successors, []byte("sealed")))
			}},
			{"RL-28 revocation", func() error {
				_, err := store.RevokeAuthorization(ctx, authorization.ID, oauthkit.Revocation{Now: now})
				return err
			}},
			{"Q-06 cleanup, which takes a batch at a time", func() error {
				_, err := store.Cleanup(ctx, oauthkit.CleanupLimits{Now: now, Batch: 10, Batches: 1})
				return err
			}},
		} {
			statements.Take()
			if err := act.do(); err != nil {
				t.Fatalf("%s: %v", act.name, err)
			}
			t.Run(act.name, func(t *testing.T) { explainAll(t, db, statements.Take().Statements) })
		}
	})
}

// scanOfSealed reads a partial index, which has only the tokens of the last minutes.
const scanOfSealed = "SCAN oauth_refresh_tokens USING INDEX oauth_refresh_tokens_sealed"

// TestSaveInteractionPlan shows that the oldest requests of a browser and of a user
// are found in their order.
func TestSaveInteractionPlan(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		statements.Take()
		interaction := &oauthkit.Interaction{Hash: "hash", Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: now}
		if err := store.SaveInteraction(ctx, interaction, 10); err != nil {
			t.Fatal(err)
		}
		plans := explainAll(t, db, statements.Take().Statements)
		for _, index := range []string{"oauth_interactions_browser", "oauth_interactions_subject"} {
			if !strings.Contains(plans, index) {
				t.Errorf("got the plans\n%swant one with the index %s", plans, index)
			}
		}
	})
}

// explainAll fails for a statement that reads a whole table, and returns the plans.
func explainAll(t *testing.T, db *gorm.DB, statements []string) (plans string) {
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
		text = strings.ReplaceAll(text, scanOfSealed, "all of oauth_refresh_tokens_sealed")
		for _, bad := range []string{"Seq Scan", "Sort", "SCAN oauth_", "SCAN a\n", "ORDER BY"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: got the plan\n%swant one without %s", statement, text, bad)
			}
		}
		plans += text
	}
	return plans
}

var argument = regexp.MustCompile(`[?$]\d+`)

func sqlitePlan(db *gorm.DB, statement string) (plan string, err error) {
	var steps []struct{ Detail string }
	err = db.Raw("EXPLAIN QUERY PLAN " + strings.ReplaceAll(argument.ReplaceAllString(statement, "1"), "?", "1")).Scan(&steps).Error
	for _, step := range steps {
		plan += step.Detail + "\n"
	}
	return plan, err
}

// postgresPlan returns the plan for a large table and unknown arguments. A small
// table is read whole even if it has an index.
func postgresPlan(db *gorm.DB, statement string) (plan string, err error) {
	arguments := map[string]bool{}
	for _, name := range argument.FindAllString(statement, -1) {
		arguments[name] = true
	}
	err = db.Transaction(func(tx *gorm.DB) error {
		for _, set := range []string{
			"SET LOCAL enable_seqscan = off", "SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE explained AS " + statement,
		} {
			if _, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, set); err != nil {
				return err
			}
		}
		var lines []string
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", len(arguments)), ", ")
		err := tx.Raw("EXPLAIN EXECUTE explained(" + nulls + ")").Scan(&lines).Error
		plan = strings.Join(lines, "\n") + "\n"
		return errors.Join(err, tx.Exec("DEALLOCATE explained").Error)
	})
	return plan, err
}
