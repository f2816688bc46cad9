package storetest

import (
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

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
		t.Fatalf("Subject.Fill: got %+v, want client_id %q, owner %q, and switched off: %t", answersOf(app), with.ClientID, with.UserID, with.Disabled)
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
