package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func (t *trial) listed(page oauthkit.ApplicationQuery) []oauthkit.Application {
	t.Helper()
	apps, err := t.apps.ListApplications(t.ctx, page)
	t.done("ListApplications", err)
	return apps
}

// ids returns the client_ids of every page.
func (t *trial) ids(page oauthkit.ApplicationQuery) []string {
	t.Helper()
	var ids []string
	for apps := t.listed(page); len(apps) > 0; apps = t.listed(page) {
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
		want = append(want, t.created(owner).GetID())
	}
	owned := oauthkit.ApplicationQuery{Owners: []string{owner}}
	t.same("applications of a page without a size", len(t.listed(owned)), 100)
	inOne := t.ids(owned)
	owned.Size = 7
	t.same("applications of pages of 7", t.ids(owned), inOne)
	everyone := slices.DeleteFunc(t.ids(oauthkit.ApplicationQuery{}), func(id string) bool { return !slices.Contains(want, id) })
	t.same("applications among everyone's", everyone, inOne)
	slices.Sort(inOne)
	slices.Sort(want)
	t.same("applications", inOne, want)
}

func testOwners(t *trial) {
	alice, bob, none := t.created("alice-"+secret.NewID()), t.created("bob-"+secret.NewID()), t.created("")
	for _, test := range []struct {
		owners []string
		want   []string
	}{
		{[]string{alice.GetUserID()}, []string{alice.GetID()}},
		{[]string{bob.GetUserID(), "carol", alice.GetUserID(), bob.GetUserID()}, []string{alice.GetID(), bob.GetID()}},
		{[]string{}, nil},
		{[]string{"%"}, nil},
		{[]string{""}, nil}, // those without an owner are nobody's
	} {
		got := t.ids(oauthkit.ApplicationQuery{Owners: test.owners})
		slices.Sort(got)
		slices.Sort(test.want)
		t.same(fmt.Sprintf("applications of %q", test.owners), got, test.want)
	}
	all := t.ids(oauthkit.ApplicationQuery{})
	for _, app := range []oauthkit.Application{alice, bob, none} {
		if !slices.Contains(all, app.GetID()) {
			t.Errorf("ListApplications, of everyone: got none of the owner %q", app.GetUserID())
		}
	}
}

func testNothingLeft(t *trial) {
	code := t.savedCode()
	subject, begun := code.Authorization.Subject, t.now
	t.lists(subject, 10) // it may never be redeemed
	tokens := t.tokens(code.Authorization)
	tokens.Access.ExpiresAt, tokens.Refresh.ExpiresAt = begun.Add(time.Minute), begun.Add(time.Hour)
	t.done("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, begun))
	t.now = tokens.Access.ExpiresAt
	t.lists(subject, 10, code.Authorization)
	successors := t.tokens(code.Authorization)
	successors.Access.ExpiresAt, successors.Refresh.ExpiresAt = begun.Add(3*time.Minute), begun.Add(2*time.Minute)
	t.done("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil)))
	t.now = successors.Refresh.ExpiresAt // the one before it was used
	t.lists(subject, 10, code.Authorization)
	t.now = successors.Access.ExpiresAt
	t.lists(subject, 10)
}
