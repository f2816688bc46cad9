package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func applicationRules() []rule {
	return []rule{
		{
			"an application is found by its client_id",
			"no application can use the provider",
			func(t *trial) {
				app := t.mustFind(t.client)
				if app.GetID() != t.client {
					t.Errorf("GetID: got %q, want %q", app.GetID(), t.client)
				}
			},
		},
		{
			"Application returns ErrNotFound for an unknown client_id",
			"a typo in a client_id is answered 503, or a failing database is answered invalid_client",
			func(t *trial) {
				for _, id := range []string{"", secret.NewID(), t.client + " ", strings.Repeat("x", 255), "' OR 1=1 --", "%"} {
					_, err := t.Application(t.ctx, id)
					t.wantError("Application, unknown", err, oauthkit.ErrNotFound)
				}
			},
		},
		{
			"client_ids are compared byte by byte",
			"an attacker registers an application that is mistaken for another one",
			testApplicationIdentity,
		},
		{
			"every field of an application is stored",
			"permissions and restrictions set by the operator are lost",
			testApplicationFields,
		},
		{
			"Application returns a copy",
			"a request that modifies its copy modifies the application of every other request",
			testApplicationIsOwn,
		},
	}
}

func (t *trial) mustFind(clientID string) oauthkit.Application {
	t.Helper()
	app, err := t.Application(t.ctx, clientID)
	t.mustSucceed("Application", err)
	return app
}

func testApplicationIdentity(t *trial) {
	base := secret.NewID()
	ids := []string{base + "Case", base + "case", base + "%", base + "_", base + "_x", base + `\`, base + "'"}
	for _, id := range ids {
		t.mustSucceed("AddApplication", t.add(t.ctx, &oauthkit.AbstractApplication{ClientID: id, ClientType: oauthkit.Public}, t.now))
	}
	for _, id := range ids {
		if got := t.mustFind(id).GetID(); got != id {
			t.Errorf("Application(%q): got %q", id, got)
		}
	}
	_, err := t.Application(t.ctx, base+"CASE")
	t.wantError("Application, in other letters", err, oauthkit.ErrNotFound)
}

func testApplicationIsOwn(t *trial) {
	app := t.mustFind(t.client)
	if oauthkit.Abstract(app) == nil && t.fill == nil {
		return // without Fill, the application cannot be modified
	}
	before := answersOf(app)
	t.fillApplication(app, description(t.client, "changed"))
	t.wantEqual("Application, after the result was modified", answersOf(t.mustFind(t.client)), before)
}

func testApplicationFields(t *trial) {
	expiresAt, no, yes := t.now.Add(time.Hour), false, true
	want := &oauthkit.AbstractApplication{
		ClientID:                secret.NewID(),
		UserID:                  "owner-é",
		Name:                    `The "best" client's name: 日本語 ? @name $1 \`,
		ClientType:              oauthkit.Confidential,
		GrantTypes:              oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing, "urn:example:grant"},
		ResponseTypes:           oauthkit.ResponseTypes{"code id_token", "code", "token"},
		RedirectURIs:            oauthkit.URIs{"https://b.example/cb?x=1&y=%20", "https://a.example/" + strings.Repeat("p", 2000)},
		PostLogoutRedirectURIs:  oauthkit.URIs{"https://a.example/out"},
		BackChannelLogoutURI:    "https://a.example/back?x=1",
		FrontChannelLogoutURI:   "https://b.example/front",
		AllowedOrigins:          oauthkit.URIs{"https://a.example", "https://b.example:8443"},
		Scopes:                  oauthkit.Scopes{"openid", "write", "read"},
		TokenEndpointAuthMethod: "https://a.example/" + strings.Repeat("m", 237), // the longest name
		ClientJWKSURI:           "https://a.example/jwks.json",
		PKCE:                    oauthkit.PKCENonce,
		Algorithm:               "ES256",
		IDTokenClaims:           &no, // nil would be the provider's default
		OmitIssInErrors:         &yes,
		DefaultMaxAge:           new(int), // nil would be any age
		Resources:               oauthkit.URIs{"https://api.example/b", "https://api.example/a"},
		DefaultResources:        oauthkit.URIs{"https://api.example/a"},
		SkipAuthorization:       true,
		Verified:                true,
		Disabled:                true,
		RegistrationSource:      oauthkit.RegisteredByDocument,
		CIMDExpiresAt:           &expiresAt,

		RequirePushedAuthorizationRequests: true,
		BackChannelLogoutSessionRequired:   true,
		FrontChannelLogoutSessionRequired:  true,
	}
	previous := want.GenerateSecret()
	value := want.RotateSecret(t.now, time.Hour)
	added := *want
	t.mustSucceed("AddApplication", t.add(t.ctx, &added, t.now))
	app := t.mustFind(want.ClientID)
	if !app.VerifyPassword(value) || app.VerifyPassword(value+"x") {
		t.Errorf("VerifyPassword: refuses the secret, or accepts another one")
	}
	if !oauthkit.VerifyPassword(app, previous, t.now) || oauthkit.VerifyPassword(app, previous, expiresAt) {
		t.Errorf("VerifyPassword: refuses the previous secret, or accepts it after its expiry")
	}
	t.wantEqual("GetUserID", app.GetUserID(), want.UserID)
	if canBeDisabled(app) {
		t.wantEqual("IsUsable", oauthkit.IsUsable(app), false)
	}
	got := oauthkit.Abstract(app)
	if got == nil {
		return // the host's type has unknown fields
	}
	want.CreatedAt, want.UpdatedAt = got.CreatedAt, got.UpdatedAt // set by the store
	t.wantEqual("Application", got, want)
}

// description returns the fields of a valid application.
func description(clientID, owner string) *oauthkit.AbstractApplication {
	return &oauthkit.AbstractApplication{
		ClientID: clientID, UserID: owner, Name: "Name", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://a.example/cb"},
	}
}

// fillAbstract is Subject.Fill for types that embed [oauthkit.AbstractApplication].
func fillAbstract(app oauthkit.Application, with *oauthkit.AbstractApplication) {
	abstract := oauthkit.Abstract(app)
	abstract.ClientID, abstract.UserID, abstract.Name, abstract.ClientType = with.ClientID, with.UserID, with.Name, with.ClientType
	abstract.RedirectURIs, abstract.Disabled = slices.Clone(with.RedirectURIs), with.Disabled
}

// fillApplication sets app to the description and returns it. It ends the trial if app
// does not reflect the description, because the rules depend on it.
func (t *trial) fillApplication(app oauthkit.Application, with *oauthkit.AbstractApplication) oauthkit.Application {
	t.Helper()
	fill := t.fill
	if fill == nil {
		if oauthkit.Abstract(app) == nil {
			t.Fatalf("Subject.Fill: got none, want one for a %T, which embeds no AbstractApplication", app)
		}
		fill = fillAbstract
	}
	fill(app, with)
	if app.GetID() != with.ClientID || app.GetUserID() != with.UserID || canBeDisabled(app) && oauthkit.IsUsable(app) == with.Disabled {
		t.Fatalf("Subject.Fill: got %+v, want client_id %q, owner %q, and disabled: %t", answersOf(app), with.ClientID, with.UserID, with.Disabled)
	}
	return app
}

// canBeDisabled reports whether applications of this type can be disabled.
func canBeDisabled(app oauthkit.Application) bool {
	_, ok := app.(oauthkit.Usable)
	return ok
}

// model returns a valid application of the host's type that is not stored.
func (t *trial) model(clientID, owner string) oauthkit.Application {
	t.Helper()
	return t.fillApplication(t.apps.NewApplication(), description(clientID, owner))
}

// createApplication stores a new application.
func (t *trial) createApplication(owner string) oauthkit.Application {
	t.Helper()
	app := t.model(secret.NewID(), owner)
	t.mustSucceed("CreateApplication", t.apps.CreateApplication(t.ctx, app, t.now))
	return app
}

// modifiedApplication reads an application and changes it without storing it.
func (t *trial) modifiedApplication(clientID string, change func(*oauthkit.AbstractApplication)) oauthkit.Application {
	t.Helper()
	app := t.mustFind(clientID)
	with := description(clientID, app.GetUserID())
	change(with)
	return t.fillApplication(app, with)
}

// answers are the results of the methods of an application of any type.
type answers struct {
	ID, UserID, Name   string
	RedirectURIs       oauthkit.URIs
	AllowsA, AllowsB   bool // redirect URIs, for types that do not list them
	IsPublic, IsUsable bool
}

func answersOf(app oauthkit.Application) answers {
	name := ""
	if described, ok := app.(oauthkit.Described); ok {
		name = described.DisplayName()
	}
	return answers{
		ID: app.GetID(), UserID: app.GetUserID(), Name: name,
		RedirectURIs: slices.Clone(oauthkit.RegisteredRedirectURIs(app)),
		AllowsA:      app.AllowsRedirectURI("https://a.example/cb"), AllowsB: app.AllowsRedirectURI("https://b.example/cb"),
		IsPublic: app.IsPublic(), IsUsable: oauthkit.IsUsable(app),
	}
}

// wantApplication reports differences of the stored application. A caller takes want
// before it passes the application to the store, which may modify it.
func (t *trial) wantApplication(want answers) {
	t.Helper()
	t.wantEqual("Application", answersOf(t.mustFind(want.ID)), want)
}

// wantUpdate calls UpdateApplication and reports if the stored application differs.
func (t *trial) wantUpdate(act string, app oauthkit.Application) {
	t.Helper()
	want := answersOf(app)
	t.mustSucceed(act, t.apps.UpdateApplication(t.ctx, app, t.now))
	t.wantApplication(want)
}
