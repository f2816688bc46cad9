package oauthkit_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// connected is the scene of consent with what alice sees of it.
type connected struct {
	*consentScene
	authorizations *oauthkit.Authorizations
	events         *[]oauthkit.Event
}

func newConnected(t *testing.T) *connected {
	t.Helper()
	var events []oauthkit.Event
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
		config.Observe = func(_ context.Context, event oauthkit.Event) { events = append(events, event) }
	})
	return &connected{consentScene: s, authorizations: oauthkit.NewAuthorizations(s.provider, s.store), events: &events}
}

// signsIn approves and redeems a code, and returns the access token.
func (c *connected) signsIn(scope string) string {
	c.Helper()
	request, decision := c.opens(scope)
	decision.Given = true
	answer, err := c.provider.Approve(c.Context(), request, c.user, decision)
	if err != nil {
		c.Fatal(err)
	}
	app, err := c.provider.Application(c.Context(), "client")
	if err != nil {
		c.Fatal(err)
	}
	response, err := c.provider.Exchange(c.Context(), app, url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {callback},
		"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	})
	if err != nil {
		c.Fatal(err)
	}
	return response.AccessToken
}

func (c *connected) connections() []*oauthkit.Connection {
	c.Helper()
	connections, err := c.authorizations.Connections(c.Context(), "alice")
	if err != nil {
		c.Fatal(err)
	}
	return connections
}

func (c *connected) good(token string) bool {
	_, err := c.provider.Authenticate(c.Context(), token)
	return err == nil
}

// TestConnections is what the page of connected applications shows, and what ending one sign-in leaves.
func TestConnections(t *testing.T) {
	c := newConnected(t)
	if got := c.connections(); len(got) != 0 {
		t.Fatalf("got %v, want nothing yet", got)
	}
	began := c.now
	first := c.signsIn("basic")
	c.now = c.now.Add(time.Minute)
	second := c.signsIn("read")
	got := c.connections()
	if len(got) != 1 || len(got[0].Authorizations) != 2 || got[0].Application == nil {
		t.Fatalf("got %+v, want one application with two sign-ins", got)
	}
	connection := got[0]
	if !connection.Scopes().ContainsAll(oauthkit.Scopes{"basic", "read"}) || !connection.Since().Equal(began) || !connection.LastUsedAt().Equal(c.now) {
		t.Errorf("got scopes %v since %s, last used %s; want both scopes, %s and %s",
			connection.Scopes(), connection.Since(), connection.LastUsedAt(), began, c.now)
	}
	newest := connection.Authorizations[0]
	if !newest.Scopes.Contains("read") || !newest.LastUsedAt.Equal(c.now) {
		t.Errorf("got %+v first, want the newest", newest)
	}
	if err := c.authorizations.Revoke(t.Context(), "bob", newest.ID); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("M-01: got %v for another user's, want not found", err)
	}
	if err := c.authorizations.Revoke(t.Context(), "alice", newest.ID); err != nil {
		t.Error(err)
	}
	if c.good(second) || !c.good(first) {
		t.Error("got the wrong sign-in ended")
	}
	if err := c.authorizations.Disconnect(t.Context(), "alice", "client"); err != nil {
		t.Error(err)
	}
	if c.good(first) || len(c.connections()) != 0 || c.remembers(c.request("basic", callback)) {
		t.Error("got a token or consent left, want nothing")
	}
}

// TestConnectionOfUnusableApplication is still shown, so that it can be withdrawn.
func TestConnectionOfUnusableApplication(t *testing.T) {
	c := newConnected(t)
	c.signsIn("basic")
	app, err := c.provider.Application(t.Context(), "client")
	if err != nil {
		t.Fatal(err)
	}
	oauthkit.Abstract(app).Disabled = true
	if err := c.store.UpdateApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if got := c.connections(); len(got) != 1 || got[0].Application != nil || got[0].ApplicationID != "client" {
		t.Errorf("got %+v, want the consent without an application", got)
	}
}

func TestRevokeAll(t *testing.T) {
	for name, revoke := range map[string]func(*connected) (int, error){
		"user": func(c *connected) (int, error) { return c.authorizations.RevokeUser(c.Context(), "alice") },
		"application": func(c *connected) (int, error) {
			return c.authorizations.RevokeApplication(c.Context(), "client")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConnected(t)
			tokens := []string{c.signsIn("basic"), c.signsIn("read")}
			revoked, err := revoke(c)
			if err != nil || revoked != 2 {
				t.Errorf("got %d, %v; want both sign-ins ended", revoked, err)
			}
			if c.good(tokens[0]) || c.good(tokens[1]) || c.remembers(c.request("basic", callback)) {
				t.Error("got a token or consent left, want nothing")
			}
			last := (*c.events)[len(*c.events)-1]
			if last != (oauthkit.UserRevoked{Subject: "alice", Authorizations: 2}) && last != (oauthkit.ApplicationRevoked{ApplicationID: "client", Authorizations: 2}) {
				t.Errorf("got %+v observed last, want the revocation", last)
			}
		})
	}
	c := newConnected(t)
	if _, err := c.authorizations.RevokeUser(t.Context(), ""); err == nil {
		t.Error("got nobody's revoked, want an error: those are the applications' own")
	}
	if err := c.authorizations.Disconnect(t.Context(), "", "client"); err == nil {
		t.Error("got nobody disconnected, want an error: that would end what the application has for itself")
	}
	if _, err := c.authorizations.RevokeApplication(t.Context(), ""); err == nil {
		t.Error("got no application's revoked, want an error")
	}
}
