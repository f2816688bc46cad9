package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// BenchmarkSynchronous measures the cost of a commit that waits for the disk.
func BenchmarkSynchronous(b *testing.B) {
	for name, options := range map[string]sqlite.Options{"full": {}, "normal": {SynchronousNormal: true}} {
		b.Run(name, func(b *testing.B) {
			db, err := sqlite.OpenDBWith(filepath.Join(b.TempDir(), "oauth.db"), options)
			if err != nil {
				b.Fatal(err)
			}
			store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			if err := store.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				at := time.Unix(1, 0)
				authorization := &oauthkit.Authorization{ID: secret.NewID(), CreatedAt: at, ExpiresAt: at}
				tokens := oauthkit.Tokens{Access: &oauthkit.AccessToken{Hash: secret.NewID(), IssuedAt: at, ExpiresAt: at}}
				if err := store.SaveTokens(b.Context(), authorization, tokens); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
