package storetest

import "github.com/oauthkit/oauthkit"

// testConflict has an owner save his form after the operator has given the application to another one and switched it off.
func testConflict(t *trial) {
	id := t.created("").GetID()
	owners := t.changed(id, func(with *oauthkit.AbstractApplication) { with.Name = "renamed" })
	operators := t.changed(id, func(with *oauthkit.AbstractApplication) { with.UserID, with.Disabled = "another", true })
	want := answersOf(operators)
	t.done("UpdateApplication", t.apps.UpdateApplication(t.ctx, operators, t.now))
	t.answered("UpdateApplication, of what was changed", t.apps.UpdateApplication(t.ctx, owners, t.now), oauthkit.ErrConflict)
	t.kept(want)
	t.done("UpdateApplication, read again", t.apps.UpdateApplication(t.ctx, t.found(id), t.now))
}
