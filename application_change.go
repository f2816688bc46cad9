package oauthkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// change reads an application, changes it, and stores it, anew where somebody else has changed it meanwhile. It returns the event that
// tells of it. The last attempt that somebody else was faster than is answered like a store that failed: the caller may try again.
func (a *Applications) change(ctx context.Context, user *User, clientID string, change func(Application) error) (update ApplicationUpdated, err error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		app, err := a.Find(ctx, user, clientID)
		if err != nil {
			return update, err
		}
		before, usable := members(app), IsUsable(app)
		if err := change(app); err != nil {
			return update, err
		}
		update = ApplicationUpdated{
			ApplicationID: clientID, By: user.Subject, Changed: differing(before, members(app)), SwitchedOff: usable && !IsUsable(app),
		}
		storing := ctx
		if !usable || !IsUsable(app) { // which revokes what it has, however much that is
			storing = context.WithoutCancel(ctx)
		}
		err = a.store.UpdateApplication(storing, app)
		if attempt == attempts || !errors.Is(err, ErrConflict) {
			return update, a.saved(err)
		}
	}
}

// members returns what an application is as JSON, which holds no secrets; nil: it cannot be written so.
func members(app Application) (members map[string]json.RawMessage) {
	document, err := json.Marshal(app)
	if err != nil || json.Unmarshal(document, &members) != nil {
		return nil
	}
	return members
}

// differing returns the names of the members that are not the same, in their order.
func differing(before, after map[string]json.RawMessage) []string {
	names := map[string]json.RawMessage{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	maps.DeleteFunc(names, func(name string, _ json.RawMessage) bool { return bytes.Equal(before[name], after[name]) })
	return slices.Sorted(maps.Keys(names))
}
