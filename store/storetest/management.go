package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// managementRules are the rules of an [oauthkit.ApplicationManager].
func managementRules() []rule {
	return slices.Concat(creationRules(), changeRules(), disablingRules(), listingRules())
}

// creationRules are about new applications.
func creationRules() []rule {
	return []rule{
		{
			"NewApplication returns a new application each time, and CreateApplication stores it",
			"two users who register applications at once share a form, or the application is lost",
			testCreate,
		},
		{
			"CreateApplication of an existing client_id fails and changes nothing",
			"a user who can register applications can take over any other",
			testCreateAgain,
		},
		{
			"CreateApplication revokes everything left of an earlier application with its client_id",
			"a Consent for one application applies to another with the same client_id",
			testRecycled,
		},
		{
			"invalid applications are refused with Problems, and nothing changes",
			"a form ends in an error page, or an unchecked redirect URI is stored",
			testProblems,
		},
		{
			"exactly one of several concurrent CreateApplication calls with one client_id succeeds",
			"two users believe that they own an application",
			testCreateRace,
		},
	}
}

// changeRules are about existing applications.
func changeRules() []rule {
	return []rule{
		{
			"UpdateApplication replaces everything except CreatedAt",
			"a redirect URI that the owner removed still works",
			testUpdate,
		},
		{
			"UpdateApplication of an application that was changed since it was read returns ErrConflict and changes nothing",
			"an owner who saves a form enables an application again that the operator just disabled",
			testConflict,
		},
		{
			"UpdateApplication and DeleteApplication return ErrNotFound for an unknown client_id",
			"two users who manage one application get a server error",
			testUpdateNothing,
		},
		{
			"disabling or deleting an application revokes everything it has and nothing else",
			"an API accepts tokens of a deleted application",
			testDisabled,
		},
		{
			"CreateApplication, UpdateApplication and DeleteApplication use the time that they are given",
			"the stored time of a revocation contradicts the events of the provider",
			testTimeOfActs,
		},
		{
			"UpdateApplication disables an application that is not valid",
			"a harmful application cannot be disabled after the rules became stricter",
			testDisableInvalid,
		},
		{
			"managing applications returns an error and does nothing when it fails",
			"an application is deleted although its owner was told to try again",
			testManagementFailure,
		},
	}
}

// listingRules are about lists of applications.
func listingRules() []rule {
	return []rule{
		{
			"ListApplications returns each application once, in order across pages",
			"an application is on two pages, or on none",
			testPages,
		},
		{
			"ListApplications returns the applications of the given owners: none if there are no owners, all if owners are nil",
			"one user sees the applications of another",
			testOwners,
		},
		{
			"ListApplications returns copies",
			"a page modifies stored applications",
			testListedIsOwn,
		},
	}
}

func testCreate(t *trial) {
	first, second := t.apps.NewApplication(), t.apps.NewApplication()
	t.fillApplication(first, description("", "owner"))
	if got := second.GetUserID(); got != "" {
		t.Errorf("NewApplication, after a change of another one: got the owner %q, want none", got)
	}
	want := answersOf(first)
	t.mustSucceed("CreateApplication", t.apps.CreateApplication(t.ctx, first, t.now))
	if want.ID = first.GetID(); want.ID == "" {
		t.Fatalf("CreateApplication: got no client_id, want a new one")
	}
	if got, want := fmt.Sprintf("%T", t.mustFind(first.GetID())), fmt.Sprintf("%T", first); got != want {
		t.Errorf("Application: got a %s, want a %s", got, want)
	}
	t.wantApplication(want)
}

func testCreateAgain(t *trial) {
	app := t.createApplication("")
	t.wantFailure("CreateApplication, of one that exists", t.apps.CreateApplication(t.ctx, t.model(app.GetID(), "mallory"), t.now))
	t.wantApplication(answersOf(app))
}

func testProblems(t *trial) {
	app := t.createApplication("")
	spoilt := description("", "")
	spoilt.Name, spoilt.ClientType, spoilt.RedirectURIs = "\u202e", "unheard of", oauthkit.URIs{"https://evil.example/#fragment"}
	unnamed := t.fillApplication(t.apps.NewApplication(), spoilt)
	spoilt.ClientID = app.GetID()
	bad := t.fillApplication(t.mustFind(app.GetID()), spoilt)
	for name, err := range map[string]error{
		"ValidateApplication": t.apps.ValidateApplication(bad),
		"CreateApplication":   t.apps.CreateApplication(t.ctx, unnamed, t.now),
		"UpdateApplication":   t.apps.UpdateApplication(t.ctx, bad, t.now),
	} {
		var problems oauthkit.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Errorf("%s, of what is not valid: got %v, want Problems", name, err)
		} else if oauthkit.Abstract(bad) != nil && (len(problems.Of("client_type")) == 0 || len(problems.Of("redirect_uris")) == 0) {
			t.Errorf("%s, of what is not valid: got %v, want problems of client_type and redirect_uris", name, err)
		}
	}
	t.wantApplication(answersOf(app))
	t.mustSucceed("ValidateApplication", t.apps.ValidateApplication(t.mustFind(app.GetID())))
}

func testDisableInvalid(t *trial) {
	app := t.createApplication("")
	if !canBeDisabled(app) {
		return
	}
	harmful := t.modifiedApplication(app.GetID(), func(with *oauthkit.AbstractApplication) {
		with.RedirectURIs, with.Disabled = oauthkit.URIs{"https://evil.example/#fragment"}, true
	})
	t.wantUpdate("UpdateApplication, invalid and disabled", harmful)
}

func testUpdate(t *trial) {
	id := t.createApplication("owner").GetID()
	before := oauthkit.Abstract(t.mustFind(id))
	for _, change := range []func(*oauthkit.AbstractApplication){
		func(with *oauthkit.AbstractApplication) {
			with.UserID, with.Name, with.RedirectURIs = "another", "Another name", oauthkit.URIs{"https://b.example/cb"}
		},
		func(with *oauthkit.AbstractApplication) { with.UserID = "" },
	} {
		changed := t.modifiedApplication(id, change)
		if abstract := oauthkit.Abstract(changed); abstract != nil { // as if not read from the store
			abstract.CreatedAt, abstract.UpdatedAt = time.Time{}, time.Time{}
		}
		t.wantUpdate("UpdateApplication", changed)
	}
	if before != nil {
		t.wantEqual("CreatedAt", oauthkit.Abstract(t.mustFind(id)).CreatedAt, before.CreatedAt)
	}
}

func testUpdateNothing(t *trial) {
	t.wantError("UpdateApplication, unknown", t.apps.UpdateApplication(t.ctx, t.model(secret.NewID(), ""), t.now), oauthkit.ErrNotFound)
	app := t.mustFind(t.createApplication("").GetID())
	t.mustSucceed("DeleteApplication", t.apps.DeleteApplication(t.ctx, app.GetID(), t.now))
	t.wantError("DeleteApplication, again", t.apps.DeleteApplication(t.ctx, app.GetID(), t.now), oauthkit.ErrNotFound)
	t.wantError("UpdateApplication, deleted", t.apps.UpdateApplication(t.ctx, app, t.now), oauthkit.ErrNotFound)
}

func testListedIsOwn(t *trial) {
	app := t.createApplication("owner-" + secret.NewID())
	for range 2 {
		listed := t.listApplications(oauthkit.ApplicationQuery{Owners: []string{app.GetUserID()}})
		if len(listed) != 1 {
			t.Fatalf("ListApplications: got %d applications of an owner, want 1", len(listed))
		}
		t.wantEqual("Application", answersOf(listed[0]), answersOf(app))
		t.fillApplication(listed[0], description(app.GetID(), "changed"))
	}
}

func testManagementFailure(t *trial) {
	ctx, app, unsaved := t.failing().ctx, t.createApplication(""), secret.NewID()
	changed := t.modifiedApplication(app.GetID(), func(with *oauthkit.AbstractApplication) { with.UserID = "another" })
	for name, call := range map[string]func(context.Context) error{
		"CreateApplication": func(ctx context.Context) error { return t.apps.CreateApplication(ctx, t.model(unsaved, ""), t.now) },
		"UpdateApplication": func(ctx context.Context) error { return t.apps.UpdateApplication(ctx, changed, t.now) },
		"DeleteApplication": func(ctx context.Context) error { return t.apps.DeleteApplication(ctx, app.GetID(), t.now) },
		"ListApplications": func(ctx context.Context) error {
			_, err := t.apps.ListApplications(ctx, oauthkit.ApplicationQuery{})
			return err
		},
	} {
		t.wantFailure(name+", of a caller that has given up", call(ctx))
	}
	_, err := t.Application(t.ctx, unsaved)
	t.wantError("Application, of one that should not have been created", err, oauthkit.ErrNotFound)
	t.wantApplication(answersOf(app))
}

func testCreateRace(t *trial) {
	const n = 10
	clientID, apps := secret.NewID(), make([]oauthkit.Application, n)
	for i := range apps {
		apps[i] = t.model(clientID, fmt.Sprint("owner-", i))
	}
	var winners []string
	for i, err := range t.race(n, func(i int) error {
		return []oauthkit.ApplicationManager{t.apps, t.secondApps}[i%2].CreateApplication(t.ctx, apps[i], t.now)
	}) {
		if err == nil {
			winners = append(winners, apps[i].GetUserID())
		} else {
			t.wantFailure("CreateApplication, at the same time as others", err)
		}
	}
	t.wantEqual("who created the application", winners, []string{t.mustFind(clientID).GetUserID()})
}

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

func (t *trial) listApplications(page oauthkit.ApplicationQuery) []oauthkit.Application {
	t.Helper()
	apps, err := t.apps.ListApplications(t.ctx, page)
	t.mustSucceed("ListApplications", err)
	return apps
}

// ids returns the client_ids of all pages.
func (t *trial) ids(page oauthkit.ApplicationQuery) []string {
	t.Helper()
	var ids []string
	for apps := t.listApplications(page); len(apps) > 0; apps = t.listApplications(page) {
		if page.Size > 0 && len(apps) > page.Size {
			t.Fatalf("ListApplications: got %d applications, want at most %d", len(apps), page.Size)
		}
		for _, app := range apps {
			if slices.Contains(ids, app.GetID()) {
				t.Fatalf("ListApplications: got %s twice", app.GetID())
			}
			ids = append(ids, app.GetID())
		}
		page.After = ids[len(ids)-1]
	}
	return ids
}

func testPages(t *trial) {
	owner := "owner-" + secret.NewID()
	var want []string
	for range 101 {
		want = append(want, t.createApplication(owner).GetID())
	}
	owned := oauthkit.ApplicationQuery{Owners: []string{owner}}
	t.wantEqual("applications of a page without a size", len(t.listApplications(owned)), 100)
	inOne := t.ids(owned)
	owned.Size = 7
	t.wantEqual("applications of pages of 7", t.ids(owned), inOne)
	everyone := slices.DeleteFunc(t.ids(oauthkit.ApplicationQuery{}), func(id string) bool { return !slices.Contains(want, id) })
	t.wantEqual("applications among everyone's", everyone, inOne)
	slices.Sort(inOne)
	slices.Sort(want)
	t.wantEqual("applications", inOne, want)
}

func testOwners(t *trial) {
	alice, bob, none := t.createApplication("alice-"+secret.NewID()), t.createApplication("bob-"+secret.NewID()), t.createApplication("")
	for _, test := range []struct {
		owners []string
		want   []string
	}{
		{[]string{alice.GetUserID()}, []string{alice.GetID()}},
		{[]string{bob.GetUserID(), "carol", alice.GetUserID(), bob.GetUserID()}, []string{alice.GetID(), bob.GetID()}},
		{[]string{}, nil},
		{[]string{"%"}, nil},
		{[]string{""}, nil}, // an empty owner matches no application
	} {
		got := t.ids(oauthkit.ApplicationQuery{Owners: test.owners})
		slices.Sort(got)
		slices.Sort(test.want)
		t.wantEqual(fmt.Sprintf("applications of %q", test.owners), got, test.want)
	}
	all := t.ids(oauthkit.ApplicationQuery{})
	for _, app := range []oauthkit.Application{alice, bob, none} {
		if !slices.Contains(all, app.GetID()) {
			t.Errorf("ListApplications, of everyone: got none of the owner %q", app.GetUserID())
		}
	}
}
