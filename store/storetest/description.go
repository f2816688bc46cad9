package storetest

import (
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// described is what a valid application is made of.
func described(clientID, owner string) *oauthkit.AbstractApplication {
	return &oauthkit.AbstractApplication{
		ClientID: clientID, UserID: owner, Name: "Name", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://a.example/cb"},
	}
}

// fillAbstract is the Fill of types that embed [oauthkit.AbstractApplication].
func fillAbstract(app oauthkit.Application, with *oauthkit.AbstractApplication) {
	abstract := oauthkit.Abstract(app)
	abstract.ClientID, abstract.UserID, abstract.Name, abstract.ClientType = with.ClientID, with.UserID, with.Name, with.ClientType
	abstract.RedirectURIs, abstract.Disabled = slices.Clone(with.RedirectURIs), with.Disabled
}

// filled makes app what is described, and returns it. It ends the trial where that does not show, because no rule would mean anything.
func (t *trial) filled(app oauthkit.Application, with *oauthkit.AbstractApplication) oauthkit.Application {
	t.Helper()
	fill := t.fill
	if fill == nil {
		if oauthkit.Abstract(app) == nil {
			t.Fatalf("Subject.Fill: got none, want one for a %T, which embeds no AbstractApplication", app)
		}
		fill = fillAbstract
	}
	fill(app, with)
	if app.GetID() != with.ClientID || app.GetUserID() != with.UserID || canBeOff(app) && oauthkit.IsUsable(app) == with.Disabled {
		t.Fatalf("Subject.Fill: got %+v, want client_id %q, owner %q, and switched off: %t", answersOf(app), with.ClientID, with.UserID, with.Disabled)
	}
	return app
}

// canBeOff reports whether there is such a thing as switching app off.
func canBeOff(app oauthkit.Application) bool {
	_, ok := app.(oauthkit.Usable)
	return ok
}

// model returns a valid application of the host's type, not stored yet.
func (t *trial) model(clientID, owner string) oauthkit.Application {
	t.Helper()
	return t.filled(t.apps.NewApplication(), described(clientID, owner))
}

// created stores a new application.
func (t *trial) created(owner string) oauthkit.Application {
	t.Helper()
	app := t.model(secret.NewID(), owner)
	t.done("CreateApplication", t.apps.CreateApplication(t.ctx, app, t.now))
	return app
}

// changed reads an application and changes it, without storing it.
func (t *trial) changed(clientID string, change func(*oauthkit.AbstractApplication)) oauthkit.Application {
	t.Helper()
	app := t.found(clientID)
	with := described(clientID, app.GetUserID())
	change(with)
	return t.filled(app, with)
}

// answers are what any application says of itself, whatever it is made of.
type answers struct {
	ID, UserID, Name   string
	RedirectURIs       oauthkit.URIs
	AllowsA, AllowsB   bool // redirect URIs, also of a type that lists none
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

// kept notes where an application that is stored answers otherwise. Stores may change what they are given, so that has to be asked
// for its answers before.
func (t *trial) kept(want answers) {
	t.Helper()
	t.same("Application", answersOf(t.found(want.ID)), want)
}

// updated stores an application in the place of another one, and looks whether it is there.
func (t *trial) updated(act string, app oauthkit.Application) {
	t.Helper()
	want := answersOf(app)
	t.done(act, t.apps.UpdateApplication(t.ctx, app, t.now))
	t.kept(want)
}
