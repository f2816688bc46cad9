package gormstore_test

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestContract runs the contract of every store, with two instances on each database.
func TestContract(t *testing.T) {
	for name, opener := range openers() {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				open := opener(t)
				store := migrated[*oauthkit.AbstractApplication](t, open())
				second := migrated[*oauthkit.AbstractApplication](t, open())
				return storetest.Subject{Store: store, Second: second, AddApplication: store.Applications.Create}
			})
		})
	}
}
