package storetest

import "github.com/oauthkit/oauthkit"

// testConflict has an owner save his form after the operator has switched the application off.
func testConflict(t *trial) {
	created := t.created("")
	read := func() oauthkit.Application {
		app, err := t.Application(t.ctx, created.ClientID)
		t.done("Application", err)
		return app
	}
	operators, owners := read(), read()
	oauthkit.Abstract(operators).Disabled = true
	t.done("UpdateApplication", t.apps.UpdateApplication(t.ctx, operators))
	oauthkit.Abstract(owners).Name = "renamed"
	t.answered("UpdateApplication, of what was changed", t.apps.UpdateApplication(t.ctx, owners), oauthkit.ErrConflict)
	stored := oauthkit.Abstract(read())
	t.same("Disabled", stored.Disabled, true)
	t.same("Name", stored.Name, created.Name)
	t.done("UpdateApplication, read again", t.apps.UpdateApplication(t.ctx, read()))
}
