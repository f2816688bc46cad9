package oauthhttp_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

type (
	ownID        struct{ oauthkit.AbstractApplication }
	ownDomain    struct{ oauthkit.AbstractApplication }
	ownPublic    struct{ oauthkit.AbstractApplication }
	ownOwner     struct{ oauthkit.AbstractApplication }
	ownOwnerSet  struct{ oauthkit.AbstractApplication }
	ownName      struct{ oauthkit.AbstractApplication }
	ownTrust     struct{ oauthkit.AbstractApplication }
	ownVerified  struct{ oauthkit.AbstractApplication }
	ownUsable    struct{ oauthkit.AbstractApplication }
	ownAddresses struct{ oauthkit.AbstractApplication }
)

func (*ownID) GetID() string                  { return "another" }
func (*ownDomain) GetDomain() string          { return "https://own.test/cb" }
func (*ownPublic) IsPublic() bool             { return true }
func (*ownOwner) GetUserID() string           { return "team" }
func (a *ownOwnerSet) SetUserID(owner string) { a.UserID = "team-of-" + owner }
func (*ownName) DisplayName() string          { return "A name of the host's" }
func (*ownTrust) SkipsConsent() bool          { return true }
func (*ownVerified) IsVerified() bool         { return true }

// IsUsable reads a column of the host. The column Algorithm stands in for it.
func (a *ownUsable) IsUsable() bool { return a.Algorithm != "ES256" }

// RegisteredRedirectURIs returns the host's tenants. The column Algorithm stands in
// for them.
func (a *ownAddresses) RegisteredRedirectURIs() oauthkit.URIs {
	return oauthkit.URIs{"https://tenant" + a.Algorithm + ".test/cb"}
}

// identityOverrides returns the overrides of an application's identity and owner.
func identityOverrides() []override {
	return []override{
		overriding[ownID]("GetID", func(o *overridden) {
			var problems oauthkit.Problems
			if err := o.tryCreate(); !errors.As(err, &problems) || problems.Of("client_id") == nil {
				o.Errorf("got %v, want an error: no store could find it", err)
			}
		}),
		// go-oauth2's own code calls it, but this library does not decide by it.
		overriding[ownDomain]("GetDomain", func(o *overridden) {
			o.create()
			o.approve()
			o.wants("authorize", o.authorize("redirect_uri", "https://own.test/cb").Code, http.StatusBadRequest)
		}),
		overriding[ownPublic]("IsPublic", showPublic),
		overriding[ownOwner]("GetUserID", showOwner),
		overriding[ownOwnerSet]("SetUserID", func(o *overridden) {
			app, _, err := o.applications.Create(o.Context(), &oauthkit.User{Subject: "alice"}, formOfOverridden())
			if err != nil {
				o.Fatal(err)
			}
			o.wants("owner", o.stored(app.GetID()).UserID, "team-of-alice")
		}),
		overriding[ownName]("DisplayName", showName),
	}
}

// trustOverrides returns the overrides of the operator's facts.
func trustOverrides() []override {
	return []override{
		overriding[ownTrust]("SkipsConsent", func(o *overridden) {
			o.create()
			o.codeOf(o.authorize())
		}),
		overriding[ownVerified]("IsVerified", showVerified),
		overriding[ownUsable]("IsUsable", showUsable),
		overriding[ownAddresses]("RegisteredRedirectURIs", showAddresses),
	}
}

func formOfOverridden() oauthkit.ApplicationForm {
	return oauthkit.ApplicationForm{Name: "New", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"}}
}

func (o *overridden) stored(clientID string) *oauthkit.AbstractApplication {
	o.Helper()
	app, err := o.store.Application(o.Context(), clientID)
	if err != nil {
		o.Fatal(err)
	}
	return oauthkit.Abstract(app)
}

// showPublic uses an application that is confidential by its columns.
func showPublic(o *overridden) {
	var problems oauthkit.Problems
	if err := o.tryCreate(); !errors.As(err, &problems) || problems.Of("grant_types") == nil {
		o.Errorf("storing: got %v, want client credentials refused", err)
	}
	o.create(func(app *oauthkit.AbstractApplication) {
		app.GrantTypes, app.TokenEndpointAuthMethod = app.GrantTypes[:2], oauthkit.AuthMethodNone
	})
	status, _ := o.post("token", "", values([]string{
		"grant_type", "authorization_code", "code", o.approve(), "redirect_uri", "https://rp.test/cb", "code_verifier", verifier, "client_id", "web",
	}))
	o.wants("token without a secret", status, http.StatusOK)
	status, _ = o.post("introspect", "", values([]string{"client_id", "web", "token", "x"}))
	o.wants("introspection", status, http.StatusUnauthorized)
	if strings.Contains(o.page("/o/applications/web/"), "/applications/web/secret") {
		o.Error("got a page that offers a new secret")
	}
	status, _ = o.json(http.MethodPost, "/o/api/applications/web/secret", "{}")
	o.wants("a new secret", status, http.StatusBadRequest)
}

// showOwner uses an application that is alice's by its column.
func showOwner(o *overridden) {
	o.create()
	status, _ := o.json(http.MethodGet, "/o/api/applications/web", "")
	o.wants("as alice", status, http.StatusNotFound)
	status, listed := o.json(http.MethodGet, "/o/api/applications", "")
	if apps, _ := listed["applications"].([]any); status != http.StatusOK || len(apps) != 0 {
		o.Errorf("got %v, want none of alice's", listed)
	}
	if _, err := o.applications.Find(o.Context(), &oauthkit.User{Subject: "team"}, "web"); err != nil {
		o.Errorf("as the team: got %v", err)
	}
}

func showName(o *overridden) {
	o.create()
	pages := map[string]string{"consent": o.consent(o.authorize()).Body.String()}
	o.exchange(o.approve())
	for _, path := range []string{
		"/o/applications/", "/o/applications/web/", "/o/applications/web/delete/", "/o/authorized_tokens/", "/o/authorized_tokens/web/delete/", "/o/api/authorized_tokens",
	} {
		pages[path] = o.page(path)
	}
	for path, page := range pages {
		if !strings.Contains(strings.ReplaceAll(page, "&#39;", "'"), "A name of the host's") {
			o.Errorf("%s: got %s, want the host's name", path, page)
		}
	}
}

func showVerified(o *overridden) {
	o.create()
	if page := o.consent(o.authorize()).Body.String(); strings.Contains(page, "Unverified") {
		o.Errorf("got %s, want a consent page without a warning", page)
	}
	o.exchange(o.approve())
	_, app := o.json(http.MethodGet, "/o/api/applications/web", "")
	o.wants("application", app["verified"], true)
	o.wants("connected application", o.connected()["verified"], true)
}

// showUsable uses an application that is not disabled by its column Disabled.
func showUsable(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://spa.test"} })
	_, tokens := o.exchange(o.approve())
	o.change(func(app *oauthkit.AbstractApplication) { app.Algorithm, app.ClientSecret = "ES256", "spoilt" })
	if _, err := o.provider.Authenticate(o.Context(), oauthkit.BearerToken(tokens["access_token"].(string))); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		o.Errorf("an API: got %v, want the token revoked by the store", err)
	}
	o.wants("authorize", o.authorize().Code, http.StatusBadRequest)
	status, document := o.actsForItself(storedSecret)
	o.wants("token", status, http.StatusUnauthorized)
	o.wants("token", document["error"], "invalid_client")
	_, document = o.json(http.MethodGet, "/o/api/applications/web", "")
	o.wants("document", document["disabled"], true)
	o.wants("origin", o.allowedOrigin("https://spa.test"), "")
	for _, finding := range o.provider.Check(o.Context()) {
		if strings.Contains(finding.Message, "web") {
			o.Errorf("got %v, want no finding for a disabled application", finding)
		}
	}
}

// change updates the stored application.
func (o *overridden) change(change func(*oauthkit.AbstractApplication)) {
	o.Helper()
	app, err := o.store.Application(o.Context(), "web")
	if err != nil {
		o.Fatal(err)
	}
	change(oauthkit.Abstract(app))
	if err := o.store.UpdateApplication(o.Context(), app, time.Now()); err != nil {
		o.Fatal(err)
	}
}

// showAddresses checks that the user is asked again after the application's redirect
// URIs have changed.
func showAddresses(o *overridden) {
	o.create()
	o.exchange(o.approve())
	o.codeOf(o.authorize())
	if hosts, _ := o.connected()["hosts"].([]any); len(hosts) != 1 || hosts[0] != "tenant.test" {
		o.Errorf("got %v, want the host of the application's redirect URIs", hosts)
	}
	o.change(func(app *oauthkit.AbstractApplication) { app.Algorithm = "ES256" })
	o.consent(o.authorize())
}

// connected returns the only connection of alice.
func (o *overridden) connected() map[string]any {
	o.Helper()
	_, document := o.json(http.MethodGet, "/o/api/authorized_tokens", "")
	for _, list := range document {
		if items, ok := list.([]any); ok && len(items) == 1 {
			return items[0].(map[string]any)
		}
	}
	o.Fatalf("got %v, want one application", document)
	return nil
}

// joseHeader returns the header of a JWT.
func joseHeader(t *testing.T, token string) map[string]any { return josePart(t, token, 0) }

// joseClaims returns the claims of a JWT.
func joseClaims(t *testing.T, token string) map[string]any { return josePart(t, token, 1) }

func josePart(t *testing.T, token string, part int) (members map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("got %q, want a JWT", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		t.Fatalf("got %q, want a JWT: %v", token, err)
	}
	return members
}
