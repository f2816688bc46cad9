package gormstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestReplica runs the contract of every store where the host reads from a replica, which is empty here: whatever were read there
// would be an error, and not merely late.
func TestReplica(t *testing.T) {
	for name, opener := range quickOpeners() {
		t.Run(name, func(t *testing.T) {
			replica := opener(t)()
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				open := opener(t)
				store, second := replicated(t, open(), replica), replicated(t, open(), replica)
				return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create}
			})
		})
	}
}

// replicated returns a store on db, of which replica is told to be a replica.
func replicated(t *testing.T, db, replica *gorm.DB) *store {
	t.Helper()
	replicas := dbresolver.Config{Replicas: []gorm.Dialector{sharedReplica{replica.Dialector, replica.ConnPool}}}
	if err := db.Use(dbresolver.Register(replicas)); err != nil {
		t.Fatal(err)
	}
	store := migrated[*oauthkit.AbstractApplication](t, db)
	if db.Table("oauth_applications").Find(&[]oauthkit.AbstractApplication{}).Error == nil {
		t.Fatal("the host's own reads do not go to the replica, so that nothing is shown here")
	}
	return store
}

// sharedReplica is a replica whose connections are open already, so that not every store opens some of its own.
type sharedReplica struct {
	gorm.Dialector
	pool gorm.ConnPool
}

// Initialize implements [gorm.Dialector].
func (r sharedReplica) Initialize(db *gorm.DB) error {
	db.ConnPool = r.pool
	return nil
}

// A host reads its own tables from a replica. The store reads from the primary, so that a token that was revoked, or a secret that was
// replaced, is so at once.
func ExampleNew_replica() {
	ctx := context.Background()
	primary, err := sqlite.OpenDB(":memory:") // where the program writes
	if err != nil {
		panic(err)
	}
	replica, err := sqlite.OpenDB(":memory:") // as far behind as can be: it has no tables
	if err != nil {
		panic(err)
	}
	if err := primary.Use(dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{replica.Dialector}})); err != nil {
		panic(err)
	}
	store, err := gormstore.New[*logoApplication](primary, gormstore.Config{})
	if err != nil {
		panic(err)
	}
	if err := store.Migrate(ctx); err != nil {
		panic(err)
	}
	_, err = store.ApplicationTable.Find(ctx, "gallery")
	fmt.Println("The store has looked:", errors.Is(err, oauthkit.ErrNotFound))
	err = primary.Table("oauth_applications").Find(&[]logoApplication{}).Error
	fmt.Println("The host's own query cannot:", err)
	// Output:
	// The store has looked: true
	// The host's own query cannot: sqlite3: SQL logic error: no such table: oauth_applications
}
