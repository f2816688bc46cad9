package attacktest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestUnique makes two instances write the same thing concurrently. The database has
// to refuse duplicates.
func TestUnique(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "ST-07 one token of a value", Test: uniqueTokens},
		{Name: "ST-07 one signing key of a generation", Test: uniqueKeys},
		{Name: "ST-07 one consent of a user for an application", Test: uniqueConsent},
		{Name: "ST-07 one application of a client_id", Test: uniqueApplication},
	})
}

// successes calls do 20 times concurrently at both instances and counts the
// successes.
func successes(s *fixture.Server, do func(instance *fixture.Server) error) int {
	instances := [2]*fixture.Server{s, s.SecondInstance()}
	var count atomic.Int64
	fixture.Race(20, func(i int) {
		if do(instances[i%2]) == nil {
			count.Add(1)
		}
	})
	return int(count.Load())
}

func uniqueTokens(t *testing.T, s *fixture.Server) {
	value, now := secret.New(secret.AccessToken), s.Clock.Now()
	got := successes(s, func(instance *fixture.Server) error {
		authorization := &oauthkit.Authorization{ID: secret.NewID(), ClientID: "web", Subject: "alice", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		return instance.Store.SaveTokens(t.Context(), authorization, oauthkit.Tokens{Access: &oauthkit.AccessToken{
			Hash: secret.Hash(value), Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
		}})
	})
	if got != 1 {
		t.Errorf("got %d tokens with one value, want one", got)
	}
	s.RS.Introspect(value).Active()
}

func uniqueKeys(t *testing.T, s *fixture.Server) {
	now := s.Clock.Now()
	got := successes(s, func(instance *fixture.Server) error {
		return instance.Store.AddSigningKey(t.Context(), &oauthkit.SigningKey{
			ID: secret.NewID(), Algorithm: "ES256", Generation: 2, Private: []byte("sealed"), CreatedAt: now, ActiveAt: now,
		})
	})
	keys, err := s.Store.SigningKeys(t.Context())
	if err != nil || got != 1 || len(keys) != 5 {
		t.Errorf("got %d successes and %d keys, %v; want one more key", got, len(keys), err)
	}
}

// uniqueConsent lets one user decide on 20 pages concurrently.
func uniqueConsent(t *testing.T, s *fixture.Server) {
	instances := [2]*fixture.Server{s, s.SecondInstance()}
	alice := s.Browser("alice")
	pages := make([]*fixture.Answer, 20)
	for i := range pages {
		pages[i] = alice.Open(s.Web.AuthorizeRequest([]string{"scope=openid", "scope=api:read"}[i%2])).Consent()
	}
	fixture.Race(len(pages), func(i int) {
		code := alice.On(instances[i/2%2]).Decide(pages[i], "allow").Code()
		s.Web.Redeem(code).Tokens()
	})
	if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
		t.Fatal(err)
	}
	alice.Open(s.Web.AuthorizeRequest()).Consent()
	events := fixture.EventsOf[oauthkit.ConsentRevoked](s.Events)
	if len(events) != 1 || len(events[0].AuthorizationIDs) != len(pages) {
		t.Errorf("got events %+v, want one consent with all of the %d Authorizations", events, len(pages))
	}
}

func uniqueApplication(t *testing.T, s *fixture.Server) {
	got := successes(s, func(instance *fixture.Server) error {
		_, err := instance.Register(&oauthkit.AbstractApplication{ClientID: "one", ClientType: oauthkit.Confidential})
		return err
	})
	if got != 1 {
		t.Errorf("got %d applications with one client_id, want one", got)
	}
}
