package gormstore_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// newScopes returns a store with the scopes admin, read (a default) and write, and the
// applications "client" and "other".
func newScopes(t *testing.T, db *gorm.DB) *store {
	t.Helper()
	store := migrated[*oauthkit.AbstractApplication](t, db)
	for _, id := range []string{"client", "other"} {
		app := newApplication()
		app.ClientID = id
		if err := store.ApplicationTable.Create(t.Context(), app, now); err != nil {
			t.Fatal(err)
		}
	}
	for _, scope := range []gormstore.Scope{
		{Name: "read", Description: "read all", Default: true}, {Name: "write", Description: "change all"}, {Name: "admin"},
	} {
		if err := store.ScopeTable.Set(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// expectScopes compares the available and the default scopes of an application.
func expectScopes(t *testing.T, store *store, clientID, available, defaults string) {
	t.Helper()
	app := &oauthkit.AbstractApplication{ClientID: clientID}
	got, err := store.ScopeTable.Available(t.Context(), app, oauthkit.ScopeRequest{})
	if err != nil || got.String() != available {
		t.Errorf("available to %s: got %q, %v, want %q", clientID, got, err, available)
	}
	got, err = store.ScopeTable.Default(t.Context(), app, oauthkit.ScopeRequest{})
	if err != nil || got.String() != defaults {
		t.Errorf("by default for %s: got %q, %v, want %q", clientID, got, err, defaults)
	}
}

// TestScopes changes scopes through one instance and reads them through another.
func TestScopes(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store := newScopes(t, open())
		asked, ctx := migrated[*oauthkit.AbstractApplication](t, open()), t.Context()
		expectScopes(t, asked, "client", "admin read write", "read")
		for _, step := range []struct {
			name, available, defaults string
			do                        func() error
		}{
			{"allow, without defaults", "read write", "read", func() error {
				return store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"write", "read", "write"}, nil)
			}},
			{"allow, with a default", "read write", "write", func() error {
				return store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"write", "read"}, oauthkit.Scopes{"write"})
			}},
			{"allow, what is no general default", "admin", "", func() error {
				return store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"admin"}, nil)
			}},
			{"the default becomes another", "admin", "admin", func() error {
				return store.ScopeTable.Set(ctx, gormstore.Scope{Name: "admin", Default: true})
			}},
			{"remove the only one", "", "", func() error { return store.ScopeTable.Remove(ctx, "admin") }},
			{"the name comes back", "", "", func() error { return store.ScopeTable.Set(ctx, gormstore.Scope{Name: "admin", Default: true}) }},
			{"allow all", "admin read write", "admin read", func() error { return store.ScopeTable.AllowAll(ctx, "client") }},
			{"allow none", "", "", func() error { return store.ScopeTable.Allow(ctx, "client", nil, nil) }},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			t.Log(step.name)
			expectScopes(t, asked, "client", step.available, step.defaults)
		}
		expectScopes(t, asked, "other", "admin read write", "admin read")
		all, err := asked.ScopeTable.All(ctx)
		if want := map[string]string{"read": "read all", "write": "change all", "admin": ""}; err != nil || !maps.Equal(all, want) {
			t.Errorf("All: got %v, %v, want %v", all, err, want)
		}
		listed, err := asked.ScopeTable.List(ctx)
		want := []gormstore.Scope{{Name: "admin", Default: true}, {"read", "read all", true}, {"write", "change all", false}}
		if err != nil || !slices.Equal(listed, want) {
			t.Errorf("List: got %v, %v, want %v", listed, err, want)
		}
	})
}

// TestScopesRefused shows which arguments are refused, without any change.
func TestScopesRefused(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := newScopes(t, open()), t.Context()
		if err := store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"write"}, nil); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", "a b", `a"`, `a\`, "ä", "a\n", oauthkit.IntrospectionScope, strings.Repeat("a", 5000)} {
			err := store.ScopeTable.Set(ctx, gormstore.Scope{Name: name, Default: true})
			if problems := (oauthkit.Problems{}); !errors.As(err, &problems) || len(problems.Of("name")) != 1 {
				t.Errorf("Set %.20q: got %v, want a problem of the name", name, err)
			}
		}
		err := store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"read", "nonsense", ""}, oauthkit.Scopes{"read", "write"})
		var problems oauthkit.Problems
		if !errors.As(err, &problems) || len(problems.Of("scopes")) != 2 || len(problems.Of("defaults")) != 1 {
			t.Errorf("Allow: got %v, want problems of two unknown scopes and one default that is not allowed", err)
		}
		for name, err := range map[string]error{
			"Remove": store.ScopeTable.Remove(ctx, "nonsense"),
			"Allow":  store.ScopeTable.Allow(ctx, "nobody", oauthkit.Scopes{"read"}, nil),
		} {
			if !errors.Is(err, oauthkit.ErrNotFound) {
				t.Errorf("%s, unknown: got %v, want %v", name, err, oauthkit.ErrNotFound)
			}
		}
		expectScopes(t, store, "client", "write", "")
		expectScopes(t, store, "nobody", "admin read write", "read")
	})
}

// TestScopesOfDeleted shows that a new application with the client_id of a deleted one
// does not inherit its scopes.
func TestScopesOfDeleted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := newScopes(t, open()), t.Context()
		for _, id := range []string{"client", "other"} {
			if err := store.ScopeTable.Allow(ctx, id, oauthkit.Scopes{"admin"}, oauthkit.Scopes{"admin"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.ApplicationTable.Delete(ctx, "client", now); err != nil {
			t.Fatal(err)
		}
		expectScopes(t, store, "client", "admin read write", "read")
		expectScopes(t, store, "other", "admin", "admin")
	})
}

// TestScopesTogether changes the scopes of one application from two instances while
// scopes and applications are removed. The result is one of the two lists and no
// mixture.
func TestScopesTogether(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		first := newScopes(t, open())
		second, ctx := migrated[*oauthkit.AbstractApplication](t, open()), t.Context()
		for range 10 {
			if err := first.ScopeTable.Set(ctx, gormstore.Scope{Name: "passing"}); err != nil {
				t.Fatal(err)
			}
			one := func() error {
				return first.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"admin", "write"}, oauthkit.Scopes{"admin"})
			}
			other := func() error {
				return second.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"read", "write"}, oauthkit.Scopes{"read"})
			}
			passing := func() error {
				err := second.ScopeTable.Allow(ctx, "other", oauthkit.Scopes{"passing", "read"}, nil)
				if problems := (oauthkit.Problems{}); errors.As(err, &problems) {
					err = second.ScopeTable.Allow(ctx, "other", oauthkit.Scopes{"read"}, nil)
				}
				return err
			}
			removal := func() error { return first.ScopeTable.Remove(ctx, "passing") }
			var calls []func()
			for _, call := range []func() error{one, other, passing, removal} {
				calls = append(calls, func() {
					if err := call(); err != nil {
						t.Error(err)
					}
				})
			}
			race(calls...)
			app := newApplication()
			available, err := second.ScopeTable.Available(ctx, app, oauthkit.ScopeRequest{})
			if got := available.String(); err != nil || got != "admin write" && got != "read write" {
				t.Fatalf("got %q, %v, want one of the two lists", got, err)
			}
			if err := first.ScopeTable.Set(ctx, gormstore.Scope{Name: "passing"}); err != nil {
				t.Fatal(err)
			}
			expectScopes(t, first, "other", "read", "read")
		}
	})
}
