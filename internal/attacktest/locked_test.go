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

// connections is how many package postgres opens.
const connections = 20

// TestLockedTable has somebody lock a table, and strangers send more requests that need it than there
// are connections. Requests that do not need it are answered while it is locked.
func TestLockedTable(t *testing.T) {
	url := oauthtest.Postgres(t)
	open := func(t *testing.T) *fixture.OwnStore { return migrated(t, openPostgres(t, url), gormstore.Config{}) }
	fixture.RunOn(t, func(*testing.T) func(*testing.T) *fixture.OwnStore { return open }, []fixture.Case{{
		Name:             "RL-09 locked table, requests of strangers",
		Configure:        func(config *oauthkit.Config, _ storetest.Store) { config.Timeout = time.Minute }, // none ends by itself
		ConfigureHandler: func(config *oauthhttp.Config) { config.MaxInFlight = connections },
		Test: func(t *testing.T, s *fixture.Server) {
			token := s.Service.ClientCredentials().Tokens().Access
			operator := openPostgres(t, url).Begin()
			if err := operator.Exec("LOCK TABLE oauth_authorization_codes").Error; err != nil {
				t.Fatal(err)
			}
			s.Store.FailAfter("nothing, but strangers are answered with 503")
			s.Store.ClearCalls()
			var strangers sync.WaitGroup
			for range 2 * connections {
				strangers.Go(func() { s.SPA.Redeem(secret.New(secret.AuthorizationCode)) })
			}
			waiting := func() int {
				return len(slices.DeleteFunc(s.Store.Calls(), func(act string) bool { return act != "Code" }))
			}
			if !within(func() bool { return waiting() == connections/2 }) {
				t.Errorf("got %d requests that wait for the table, want half of %d connections", waiting(), connections)
			}
			s.RS.Introspect(token).Active()
			s.RS.Introspect(s.Service.ClientCredentials().Tokens().Access).Active()
			if err := operator.Rollback().Error; err != nil {
				t.Fatal(err)
			}
			strangers.Wait()
			s.Web.Redeem(s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()).Tokens()
		},
	}})
}
