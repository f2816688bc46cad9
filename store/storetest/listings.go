package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

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

func testNothingLeft(t *trial) {
	code := t.mustSaveCode()
	subject, begun := code.Authorization.Subject, t.now
	t.wantSignIns(subject, 10) // the code may never be redeemed
	tokens := t.tokens(code.Authorization)
	tokens.Access.ExpiresAt, tokens.Refresh.ExpiresAt = begun.Add(time.Minute), begun.Add(time.Hour)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, begun))
	t.now = tokens.Access.ExpiresAt
	t.wantSignIns(subject, 10, code.Authorization)
	successors := t.tokens(code.Authorization)
	successors.Access.ExpiresAt, successors.Refresh.ExpiresAt = begun.Add(3*time.Minute), begun.Add(2*time.Minute)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil)))
	t.now = successors.Refresh.ExpiresAt // its predecessor is consumed
	t.wantSignIns(subject, 10, code.Authorization)
	t.now = successors.Access.ExpiresAt
	t.wantSignIns(subject, 10)
}
