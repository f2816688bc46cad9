package storetest

import (
	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// limiting is a store that can limit the number of applications of an owner.
type limiting interface {
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
}

// ownerRules are the rules of an [oauthkit.OwnerLimiter].
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

// createWithin calls CreateApplicationWithin with a new application of the owner.
func (t *trial) createWithin(owner string, limit int) (clientID string, err error) {
	t.Helper()
	app := t.model(secret.NewID(), owner)
	return app.GetID(), t.apps.(oauthkit.OwnerLimiter).CreateApplicationWithin(t.ctx, app, limit, t.now)
}

func testOwnerLimit(t *trial) {
	owner := "owner-" + secret.NewID()
	first := t.createApplication(owner)
	second, err := t.createWithin(owner, 2)
	t.mustSucceed("CreateApplicationWithin, below the limit", err)
	_, err = t.createWithin(owner, 2)
	t.wantError("CreateApplicationWithin, at the limit", err, oauthkit.ErrTooMany)
	_, err = t.createWithin(owner, 1)
	t.wantError("CreateApplicationWithin, beyond the limit", err, oauthkit.ErrTooMany)
	t.wantEqual("applications of the owner", len(t.listApplications(oauthkit.ApplicationQuery{Owners: []string{owner}})), 2)
	t.wantApplication(answersOf(first))
	t.mustSucceed("DeleteApplication", t.apps.DeleteApplication(t.ctx, second, t.now))
	_, err = t.createWithin(owner, 2)
	t.mustSucceed("CreateApplicationWithin, after one was deleted", err)
}

func testOtherOwners(t *trial) {
	owner := "owner-" + secret.NewID()
	t.createApplication(owner)
	for range 2 {
		_, err := t.createWithin("", 1)
		t.mustSucceed("CreateApplicationWithin, without an owner", err)
	}
	_, err := t.createWithin("Owner-"+owner, 1)
	t.mustSucceed("CreateApplicationWithin, of another owner", err)
}

// testOwnerRace runs several rounds, because the first one mostly waits for new
// connections.
func testOwnerRace(t *trial) {
	for range 10 {
		t.raceOwner("owner-"+secret.NewID(), 3)
	}
}

func (t *trial) raceOwner(owner string, limit int) {
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
			t.wantError("CreateApplicationWithin, at the same time as others", err, oauthkit.ErrTooMany)
		}
	}
	t.wantEqual("applications created", created, limit)
	t.wantEqual("applications of the owner", len(t.listApplications(oauthkit.ApplicationQuery{Owners: []string{owner}})), limit)
}
