package storetest

import (
	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// limiting is a store that limits the number of applications of an owner.
type limiting interface {
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
}

// ownerRules are the promises of an [oauthkit.OwnerLimiter].
func ownerRules() []rule {
	return []rule{
		{
			"CreateApplicationWithin creates an application below the limit of its owner; otherwise it returns ErrTooMany and changes nothing",
			"one user fills the database",
			testOwnerLimit,
		},
		{
			"CreateApplicationWithin limits each owner separately, and applications without an owner not at all",
			"a user with many applications prevents all others from registering one",
			testOtherOwners,
		},
		{
			"concurrent CreateApplicationWithin calls do not exceed the limit together",
			"one user fills the database with parallel requests",
			testOwnerRace,
		},
	}
}

// createdWithin calls CreateApplicationWithin of an application of the owner.
func (t *trial) createdWithin(owner string, limit int) (clientID string, err error) {
	t.Helper()
	app := t.model(secret.NewID(), owner)
	return app.GetID(), t.apps.(oauthkit.OwnerLimiter).CreateApplicationWithin(t.ctx, app, limit, t.now)
}

func testOwnerLimit(t *trial) {
	owner := "owner-" + secret.NewID()
	first := t.created(owner)
	second, err := t.createdWithin(owner, 2)
	t.done("CreateApplicationWithin, below the limit", err)
	_, err = t.createdWithin(owner, 2)
	t.answered("CreateApplicationWithin, at the limit", err, oauthkit.ErrTooMany)
	_, err = t.createdWithin(owner, 1)
	t.answered("CreateApplicationWithin, beyond the limit", err, oauthkit.ErrTooMany)
	t.same("applications of the owner", len(t.listed(oauthkit.ApplicationQuery{Owners: []string{owner}})), 2)
	t.kept(answersOf(first))
	t.done("DeleteApplication", t.apps.DeleteApplication(t.ctx, second, t.now))
	_, err = t.createdWithin(owner, 2)
	t.done("CreateApplicationWithin, after one was deleted", err)
}

func testOtherOwners(t *trial) {
	owner := "owner-" + secret.NewID()
	t.created(owner)
	for range 2 {
		_, err := t.createdWithin("", 1)
		t.done("CreateApplicationWithin, without an owner", err)
	}
	_, err := t.createdWithin("Owner-"+owner, 1)
	t.done("CreateApplicationWithin, of another owner", err)
}

// testOwnerRace runs several rounds, since the first one waits for connections more than for the store.
func testOwnerRace(t *trial) {
	for range 10 {
		t.raceOfOwner("owner-"+secret.NewID(), 3)
	}
}

func (t *trial) raceOfOwner(owner string, limit int) {
	apps := make([]oauthkit.Application, 10)
	for i := range apps {
		apps[i] = t.model(secret.NewID(), owner)
	}
	created := 0
	for _, err := range t.race(len(apps), func(i int) error {
		store := []oauthkit.ApplicationManager{t.apps, t.secondApps}[i%2]
		return store.(oauthkit.OwnerLimiter).CreateApplicationWithin(t.ctx, apps[i], limit, t.now)
	}) {
		if err == nil {
			created++
		} else {
			t.answered("CreateApplicationWithin, at the same time as others", err, oauthkit.ErrTooMany)
		}
	}
	t.same("applications created", created, limit)
	t.same("applications of the owner", len(t.listed(oauthkit.ApplicationQuery{Owners: []string{owner}})), limit)
}
