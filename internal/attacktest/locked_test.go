package attacktest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// connections is the number of connections that package postgres opens.
const connections = 20

// TestLockedTable locks a table and sends more anonymous requests that need it than
// there are connections. Requests that do not need the table must still be answered.
func TestLockedTable(t *testing.T) {
	url := oauthtest.Postgres(t)
	open := func(t *testing.T) *fixture.OwnStore { return migrated(t, openPostgres(t, url), gormstore.Config{}) }
	fixture.RunOn(t, func(*testing.T) func(*testing.T) *fixture.OwnStore { return open }, []fixture.Case{{
		Name: "RL-09 locked table, anonymous requests",
		// No request times out during the test.
		Configure:        func(config *oauthkit.Config, _ storetest.Store) { config.Timeout = time.Minute },
		ConfigureHandler: func(config *oauthhttp.Config) { config.MaxInFlight = connections },
		Test: func(t *testing.T, s *fixture.Server) {
			token := s.Service.ClientCredentials().Tokens().Access
			operator := openPostgres(t, url).Begin()
			if err := operator.Exec("LOCK TABLE oauth_authorization_codes").Error; err != nil {
				t.Fatal(err)
			}
			s.Store.FailAfter("no call") // allows the fixture to see 503
			s.Store.ClearCalls()
			var anonymous sync.WaitGroup
			for range 2 * connections {
				anonymous.Go(func() { s.SPA.Redeem(secret.New(secret.AuthorizationCode)) })
			}
			waiting := func() int {
				return len(slices.DeleteFunc(s.Store.Calls(), func(act string) bool { return act != "Code" }))
			}
			if !within(func() bool { return waiting() == connections/2 }) {
				t.Errorf("got %d requests waiting for the table, want half of %d connections", waiting(), connections)
			}
			s.RS.Introspect(token).Active()
			s.RS.Introspect(s.Service.ClientCredentials().Tokens().Access).Active()
			if err := operator.Rollback().Error; err != nil {
				t.Fatal(err)
			}
			anonymous.Wait()
			s.Web.Redeem(s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()).Tokens()
		},
	}})
}
