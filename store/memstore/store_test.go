package memstore

import (
	"context"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Subject {
		store := New()
		return storetest.Subject{
			Store: store,
			AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication) error {
				return store.AddApplication(ctx, app)
			},
		}
	})
}
