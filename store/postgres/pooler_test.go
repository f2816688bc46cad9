package postgres_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestPooler RL-39 runs the contract, including races, behind PgBouncer in transaction
// mode with an ordinary URL.
func TestPooler(t *testing.T) {
	pooled, err := url.Parse(oauthtest.PgBouncer(t, oauthtest.Postgres(t)))
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		direct, err := url.Parse(oauthtest.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		migrate(t, direct.String())
		direct.Host = pooled.Host
		store, second := open(t, direct.String()), open(t, direct.String())
		return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create}
	})
}

// TestPoolerModes RL-39 tests the modes of a URL.
func TestPoolerModes(t *testing.T) {
	direct := oauthtest.Postgres(t)
	migrate(t, direct)
	pooled := oauthtest.PgBouncer(t, direct)
	for _, mode := range []string{"exec", "simple_protocol"} {
		store := open(t, pooled+separator(pooled)+"default_query_exec_mode="+mode)
		authorization := newAuthorization(mode)
		tokens := oauthkit.Tokens{Access: &oauthkit.AccessToken{Hash: mode, IssuedAt: now, ExpiresAt: now}}
		if err := store.SaveTokens(t.Context(), authorization, tokens); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if token, err := store.AccessToken(t.Context(), mode); err != nil || token.Authorization.ID != mode {
			t.Errorf("%s: got %+v, %v, want the saved token", mode, token, err)
		}
	}
}

func open(t *testing.T, url string) *gormstore.Store[*oauthkit.AbstractApplication] {
	t.Helper()
	store, err := postgres.Open[*oauthkit.AbstractApplication](url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func migrate(t *testing.T, url string) {
	t.Helper()
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPoolerMigrate RL-39 shows that Migrate requires a direct URL only if a migration
// is due.
func TestPoolerMigrate(t *testing.T) {
	direct := oauthtest.Postgres(t)
	pooled := oauthtest.PgBouncer(t, direct)
	_, err := postgres.Open[*oauthkit.AbstractApplication](pooled)
	if err == nil || !strings.Contains(err.Error(), "pooler") || !strings.Contains(err.Error(), "URL of the PostgreSQL server") {
		t.Errorf("got %v, want an error about the URL", err)
	}
	migrate(t, direct)
	open(t, pooled)
}

// TestDescribeExec RL-39 shows that the mode describe_exec is refused, and that the
// error names the right setting.
func TestDescribeExec(t *testing.T) {
	direct := oauthtest.Postgres(t)
	for name, server := range map[string]string{"server": direct, "pooler": oauthtest.PgBouncer(t, direct)} {
		_, err := postgres.OpenDB(server + separator(server) + "default_query_exec_mode=describe_exec")
		if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
			t.Errorf("%s: got %v, want an error with default_query_exec_mode=exec", name, err)
		}
	}
}
