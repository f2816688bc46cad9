package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// connected is a consentScene with the Authorizations of alice.
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

// signsIn approves a request, redeems the code and returns the access token.
func (c *connected) signsIn(scope string) string {
	c.Helper()
	request, decision := c.opens(scope)
	decision.Given = true
	answer, err := c.provider.Respond(c.Context(), request, c.user, decision)
	if err != nil {
		c.Fatal(err)
	}
	app, err := c.provider.Application(c.Context(), "client")
	if err != nil {
		c.Fatal(err)
	}
	response, err := c.provider.Exchange(c.Context(), oauthkit.TokenRequest{Application: app, Form: url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {callback},
		"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	}})
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
	_, err := c.provider.Authenticate(c.Context(), oauthkit.BearerToken(token))
	return err == nil
}

// TestConnections tests the list of connected applications before and after one sign-in
// is revoked.
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
		t.Error("the wrong sign-in was revoked")
	}
	if err := c.authorizations.Disconnect(t.Context(), "alice", "client"); err != nil {
		t.Error(err)
	}
	if c.good(first) || len(c.connections()) != 0 || c.remembers(c.request("basic", callback)) {
		t.Error("got a token or consent left, want nothing")
	}
}

// savesSignIns saves sign-ins of alice with an application without a Consent, and
// returns their ids, oldest first.
func (c *connected) savesSignIns(clientID string, number int) (ids []string) {
	c.Helper()
	for i := range number {
		authorization := &oauthkit.Authorization{
			ID: fmt.Sprintf("%s-%04d", clientID, i), ClientID: clientID, Subject: "alice", Scopes: oauthkit.Scopes{"basic"},
			CreatedAt: c.now.Add(time.Duration(i) * time.Millisecond), ExpiresAt: c.now.Add(time.Hour),
		}
		access := &oauthkit.AccessToken{
			Hash: authorization.ID, Authorization: authorization, IssuedAt: c.now, ExpiresAt: c.now.Add(time.Minute),
		}
		if err := c.store.SaveTokens(c.Context(), authorization, oauthkit.Tokens{Access: access}); err != nil {
			c.Fatal(err)
		}
		ids = append(ids, authorization.ID)
	}
	return ids
}

func (c *connected) revoked(id string) bool {
	c.Helper()
	token, err := c.store.AccessToken(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	return !token.Authorization.RevokedAt.IsZero()
}

// TestManySignIns shows that every application is listed and every sign-in can be
// revoked, even if many are newer.
func TestManySignIns(t *testing.T) {
	c := newConnected(t)
	trusted := c.savesSignIns("trusted", 1)[0]
	c.now = c.now.Add(time.Second)
	busy := c.savesSignIns("busy", 1001)
	got := c.connections()
	if len(got) != 2 {
		t.Fatalf("got %d applications, want both", len(got))
	}
	for _, connection := range got {
		want, more := 1, false
		if connection.ClientID == "busy" {
			want, more = 100, true
		}
		if len(connection.Authorizations) != want || connection.More != more {
			t.Errorf("%s: got %d sign-ins, more %t; want %d, %t", connection.ClientID, len(connection.Authorizations), connection.More, want, more)
		}
	}
	if _, err := c.authorizations.Find(t.Context(), "bob", busy[0]); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("M-01: got %v for another user's, want not found", err)
	}
	if found, err := c.authorizations.Find(t.Context(), "alice", busy[0]); err != nil || found.Authorization == nil || found.ID != busy[0] {
		t.Errorf("got %+v, %v, want the oldest", found, err)
	}
	if _, err := c.authorizations.Find(t.Context(), "alice", ""); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("got %v for no id, want not found", err)
	}
	if err := c.authorizations.Revoke(t.Context(), "alice", busy[0]); err != nil || !c.revoked(busy[0]) || c.revoked(busy[1]) {
		t.Errorf("got %v, want only the oldest revoked", err)
	}
	for clientID, first := range map[string]string{"trusted": trusted, "busy": busy[1]} {
		if err := c.authorizations.Disconnect(t.Context(), "alice", clientID); err != nil || !c.revoked(first) {
			t.Errorf("%s: got %v, want everything revoked", clientID, err)
		}
	}
	if got := c.connections(); len(got) != 0 {
		t.Errorf("got %+v, want nothing left", got)
	}
}

// TestHundredSignIns shows that up to 100 sign-ins are listed.
func TestHundredSignIns(t *testing.T) {
	c := newConnected(t)
	c.savesSignIns("busy", 100)
	if got := c.connections(); len(got) != 1 || len(got[0].Authorizations) != 100 || got[0].More {
		t.Errorf("got %+v, want all hundred, and no more", got)
	}
}

// TestUnredeemedIsNoSignIn shows that an application with an unredeemed code has a
// Consent but no sign-in.
func TestUnredeemedIsNoSignIn(t *testing.T) {
	c := newConnected(t)
	request, decision := c.opens("basic")
	decision.Given = true
	if _, err := c.provider.Respond(t.Context(), request, c.user, decision); err != nil {
		t.Fatal(err)
	}
	if got := c.connections(); len(got) != 1 || got[0].Consent == nil || len(got[0].Authorizations) != 0 || !got[0].LastUsedAt().IsZero() {
		t.Errorf("got %+v, want the consent alone", got)
	}
}

// TestConnectionOfUnusableApplication shows that a disabled application is listed, so
// that users can revoke its access.
func TestConnectionOfUnusableApplication(t *testing.T) {
	c := newConnected(t)
	c.signsIn("basic")
	app, err := c.provider.Application(t.Context(), "client")
	if err != nil {
		t.Fatal(err)
	}
	oauthkit.Abstract(app).Disabled = true
	if err := c.store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := c.connections(); len(got) != 1 || got[0].Application != nil || got[0].ClientID != "client" {
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
				t.Errorf("got %d, %v; want both sign-ins revoked", revoked, err)
			}
			if c.good(tokens[0]) || c.good(tokens[1]) || c.remembers(c.request("basic", callback)) {
				t.Error("got a token or consent left, want nothing")
			}
			last := (*c.events)[len(*c.events)-1]
			if last != (oauthkit.UserRevoked{Subject: "alice", Authorizations: 2}) && last != (oauthkit.ApplicationRevoked{ClientID: "client", Authorizations: 2}) {
				t.Errorf("got %+v observed last, want the revocation", last)
			}
		})
	}
	c := newConnected(t)
	if _, err := c.authorizations.RevokeUser(t.Context(), ""); err == nil {
		t.Error("an empty subject was accepted, want an error: these Authorizations belong to applications")
	}
	if err := c.authorizations.Disconnect(t.Context(), "", "client"); err == nil {
		t.Error("an empty subject was accepted, want an error: these Authorizations belong to the application itself")
	}
	if _, err := c.authorizations.RevokeApplication(t.Context(), ""); err == nil {
		t.Error("got no application's revoked, want an error")
	}
}

// TestEndedMeanwhile approves a request of an application that is disabled after it was
// read. Nothing is saved, and the error is shown to the user and not sent to the
// application.
func TestEndedMeanwhile(t *testing.T) {
	c := newConnected(t)
	request, decision := c.opens("basic")
	decision.Given = true
	app, err := c.store.Application(t.Context(), "client")
	if err != nil {
		t.Fatal(err)
	}
	oauthkit.Abstract(app).Disabled = true
	if err := c.store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	*c.events = nil
	_, err = c.provider.Respond(t.Context(), request, c.user, decision)
	if !errors.Is(err, oauthkit.ErrEnded) || oauthkit.CodeOf(err) != oauthkit.InvalidRequest || oauthkit.ReasonOf(err) != oauthkit.ReasonApplicationUnknown {
		t.Errorf("got %v, want an error about an unknown application", err)
	}
	if len(*c.events) != 1 {
		t.Errorf("got events %+v, want that the request was rejected", *c.events)
	}
}
