package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// managementRules are what a store promises that is an [oauthkit.ApplicationManager]. Those that fill in an application need a
// type that embeds [oauthkit.AbstractApplication].
func managementRules() []rule {
	return []rule{
		{
			"NewApplication returns another application each time, and CreateApplication stores it",
			"who registers an application finds what another one was filling in, or nothing afterwards",
			testCreate,
		},
		{
			"CreateApplication of a client_id that exists fails, and changes nothing",
			"whoever can register an application can take over any other",
			withModel(func(t *trial) {
				app := t.created("")
				t.failed("CreateApplication, of one that exists", t.apps.CreateApplication(t.ctx, t.model(app.ClientID, "mallory")))
				t.same("UserID", t.found(app.ClientID).GetUserID(), app.UserID)
			}),
		},
		{
			"CreateApplication ends what an earlier application with its client_id had, whatever has become of that one",
			"what people approved for one application is believed to be for another that bears its name",
			withModel(testRecycled),
		},
		{
			"what is not valid is refused with Problems, and changes nothing",
			"a form ends in an error page, or a redirect URI is stored that nobody has checked",
			withModel(testProblems),
		},
		{
			"UpdateApplication switches off an application that is not valid",
			"the rules have become stricter, and an application that does harm cannot be stopped",
			withModel(testSwitchOffInvalid),
		},
		{
			"UpdateApplication replaces everything but the time of creation",
			"an owner removes a redirect URI, and it still works",
			withModel(testUpdate),
		},
		{
			"UpdateApplication of what was changed since it was read is ErrConflict, and changes nothing",
			"an owner who saves his form a moment later switches on again what the operator has just switched off",
			withModel(testConflict),
		},
		{
			"UpdateApplication and DeleteApplication of what does not exist are ErrNotFound",
			"two people who manage one application are told that the database is away",
			withModel(func(t *trial) {
				err := t.apps.UpdateApplication(t.ctx, t.model(secret.NewID(), ""))
				t.answered("UpdateApplication, unknown", err, oauthkit.ErrNotFound)
				app := t.created("")
				t.done("DeleteApplication", t.apps.DeleteApplication(t.ctx, app.ClientID))
				t.answered("DeleteApplication, again", t.apps.DeleteApplication(t.ctx, app.ClientID), oauthkit.ErrNotFound)
				t.answered("UpdateApplication, deleted", t.apps.UpdateApplication(t.ctx, t.model(app.ClientID, "")), oauthkit.ErrNotFound)
			}),
		},
		{
			"an application that is switched off or deleted has nothing any more, and others have what they had",
			"an API believes the tokens of an application that is gone",
			withModel(testSwitchedOff),
		},
		{
			"ListApplications returns each application once, in the order of the pages",
			"an application is on two pages, or on none",
			withModel(testPages),
		},
		{
			"ListApplications returns those of the owners only; nobody's where no owner is named, everyone's where owners are nil",
			"one user sees the applications of another",
			withModel(testOwners),
		},
		{
			"what ListApplications returns is the caller's own",
			"a page changes what is stored",
			withModel(func(t *trial) {
				app := t.created("owner-" + secret.NewID())
				for range 2 {
					listed := oauthkit.Abstract(t.listed(oauthkit.ApplicationPage{Owners: []string{app.UserID}})[0])
					t.same("Name", listed.Name, app.Name)
					listed.Name = "changed"
				}
			}),
		},
		{
			"managing applications that fails gives no answer, and does nothing",
			"an application is gone although its owner was told to try again",
			withModel(testManagementFailure),
		},
		{
			"of several that create one client_id at once exactly one succeeds",
			"two people believe that an application is theirs",
			withModel(testCreateRace),
		},
	}
}

// withModel leaves out a rule that cannot fill in the host's type.
func withModel(test func(*trial)) func(*trial) {
	return func(t *trial) {
		if oauthkit.Abstract(t.apps.NewApplication()) != nil {
			test(t)
		}
	}
}

// model returns a valid application of the host's type, not stored yet.
func (t *trial) model(clientID, owner string) oauthkit.Application {
	app := t.apps.NewApplication()
	abstract := oauthkit.Abstract(app)
	abstract.ClientID, abstract.UserID, abstract.Name, abstract.ClientType = clientID, owner, "Name", oauthkit.Confidential
	return app
}

// created stores a new application and returns what it embeds.
func (t *trial) created(owner string) *oauthkit.AbstractApplication {
	t.Helper()
	app := t.model(secret.NewID(), owner)
	t.done("CreateApplication", t.apps.CreateApplication(t.ctx, app))
	return oauthkit.Abstract(app)
}

func testCreate(t *trial) {
	first, second := t.apps.NewApplication(), t.apps.NewApplication()
	abstract, other := oauthkit.Abstract(first), oauthkit.Abstract(second)
	if abstract == nil {
		return
	}
	abstract.Name, abstract.ClientType = "Name", oauthkit.Public
	if other.Name != "" {
		t.Errorf("NewApplication, after a change of another one: got the name %q, want none", other.Name)
	}
	t.done("CreateApplication", t.apps.CreateApplication(t.ctx, first))
	if abstract.ClientID == "" {
		t.Fatalf("CreateApplication: got no client_id, want a new one")
	}
	found := t.found(abstract.ClientID)
	if got, want := fmt.Sprintf("%T", found), fmt.Sprintf("%T", first); got != want {
		t.Errorf("Application: got a %s, want a %s", got, want)
	}
	t.same("Name", oauthkit.Abstract(found).Name, "Name")
}

func testProblems(t *trial) {
	app := t.created("")
	unnamed, bad := t.model("", ""), t.model(app.ClientID, "")
	for _, spoilt := range []oauthkit.Application{unnamed, bad} {
		oauthkit.Abstract(spoilt).ClientType = "unheard of"
		oauthkit.Abstract(spoilt).RedirectURIs = oauthkit.URIs{"https://evil.example/#fragment"}
	}
	for name, err := range map[string]error{
		"ValidateApplication": t.apps.ValidateApplication(bad),
		"CreateApplication":   t.apps.CreateApplication(t.ctx, unnamed),
		"UpdateApplication":   t.apps.UpdateApplication(t.ctx, bad),
	} {
		var problems oauthkit.Problems
		if !errors.As(err, &problems) || len(problems.Of("client_type")) == 0 || len(problems.Of("redirect_uris")) == 0 {
			t.Errorf("%s, of what is not valid: got %v, want problems of client_type and redirect_uris", name, err)
		}
	}
	t.done("ValidateApplication", t.apps.ValidateApplication(t.model(app.ClientID, "")))
	t.same("ClientType", oauthkit.Abstract(t.found(app.ClientID)).ClientType, app.ClientType)
}

func testSwitchOffInvalid(t *trial) {
	app := t.created("")
	harmful := t.model(app.ClientID, "")
	abstract := oauthkit.Abstract(harmful)
	abstract.RedirectURIs, abstract.Disabled = oauthkit.URIs{"https://evil.example/#fragment"}, true
	t.done("UpdateApplication, of what is switched off", t.apps.UpdateApplication(t.ctx, harmful))
	t.same("Disabled", oauthkit.Abstract(t.found(app.ClientID)).Disabled, true)
}

func testUpdate(t *trial) {
	app := t.created("owner")
	before := oauthkit.Abstract(t.found(app.ClientID))
	changed := t.model(app.ClientID, "another")
	abstract := oauthkit.Abstract(changed)
	abstract.Name, abstract.RedirectURIs = "", oauthkit.URIs{"https://b.example/cb"}
	t.done("UpdateApplication", t.apps.UpdateApplication(t.ctx, changed))
	got := oauthkit.Abstract(t.found(app.ClientID))
	t.same("UserID", got.UserID, "another")
	t.same("Name", got.Name, "")
	t.same("RedirectURIs", got.RedirectURIs, abstract.RedirectURIs)
	t.same("CreatedAt", got.CreatedAt, before.CreatedAt)
}

func testManagementFailure(t *trial) {
	ctx, app, unsaved := t.failing().ctx, t.created(""), secret.NewID()
	changed := t.model(app.ClientID, "another")
	for name, call := range map[string]func(context.Context) error{
		"CreateApplication": func(ctx context.Context) error { return t.apps.CreateApplication(ctx, t.model(unsaved, "")) },
		"UpdateApplication": func(ctx context.Context) error { return t.apps.UpdateApplication(ctx, changed) },
		"DeleteApplication": func(ctx context.Context) error { return t.apps.DeleteApplication(ctx, app.ClientID) },
		"ListApplications": func(ctx context.Context) error {
			_, err := t.apps.ListApplications(ctx, oauthkit.ApplicationPage{})
			return err
		},
	} {
		t.failed(name+", of a caller that has given up", call(ctx))
	}
	_, err := t.Application(t.ctx, unsaved)
	t.answered("Application, of one that should not have been created", err, oauthkit.ErrNotFound)
	t.same("UserID", t.found(app.ClientID).GetUserID(), "")
}

func testCreateRace(t *trial) {
	const n = 10
	clientID, apps := secret.NewID(), make([]oauthkit.Application, n)
	for i := range apps {
		apps[i] = t.model(clientID, fmt.Sprint("owner-", i))
	}
	var winners []string
	for i, err := range t.race(n, func(i int) error {
		return []oauthkit.ApplicationManager{t.apps, t.secondApps}[i%2].CreateApplication(t.ctx, apps[i])
	}) {
		if err == nil {
			winners = append(winners, apps[i].GetUserID())
		} else {
			t.failed("CreateApplication, at the same time as others", err)
		}
	}
	t.same("who created the application", winners, []string{t.found(clientID).GetUserID()})
}
