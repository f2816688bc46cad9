package storetest

import "github.com/oauthkit/oauthkit"

// testConflict has an owner save a form after the operator changed the owner and
// disabled the application.
func testConflict(t *trial) {
	id := t.createApplication("").GetID()
	owners := t.modifiedApplication(id, func(with *oauthkit.AbstractApplication) { with.Name = "renamed" })
	operators := t.modifiedApplication(id, func(with *oauthkit.AbstractApplication) { with.UserID, with.Disabled = "another", true })
	want := answersOf(operators)
	t.mustSucceed("UpdateApplication", t.apps.UpdateApplication(t.ctx, operators, t.now))
	t.wantError("UpdateApplication, of what was changed", t.apps.UpdateApplication(t.ctx, owners, t.now), oauthkit.ErrConflict)
	t.wantApplication(want)
	t.mustSucceed("UpdateApplication, read again", t.apps.UpdateApplication(t.ctx, t.mustFind(id), t.now))
}
