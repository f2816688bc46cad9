package gormstore_test

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// TestMalformedConfirmation reads credentials whose key another program has changed. A
// bound credential must not become one without a key, nor one that does not exist.
func TestMalformedConfirmation(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		approval := newApproval(nil, true, true)
		if err := errors.Join(store.ApplicationTable.Create(ctx, newApplication(), now), store.SaveApproval(ctx, approval)); err != nil {
			t.Fatal(err)
		}
		reads := map[string]func() error{
			"authorization_codes": func() error { _, err := store.Code(ctx, approval.Code.Hash); return err },
			"access_tokens":       func() error { _, err := store.AccessToken(ctx, approval.Tokens.Access.Hash); return err },
			"refresh_tokens":      func() error { _, err := store.RefreshToken(ctx, approval.Tokens.Refresh.Hash); return err },
		}
		for table, read := range reads {
			if err := read(); err != nil {
				t.Errorf("%s: got %v, want no error before the change", table, err)
			}
			for _, text := range []string{"", " ", "jkt", "jkt ", " key", "jkt two words", "jkt \u00e9"} {
				if err := db.Exec("UPDATE oauth_"+table+" SET confirmation = ?", text).Error; err != nil {
					t.Fatal(err)
				}
				if err := read(); err == nil || errors.Is(err, oauthkit.ErrNotFound) {
					t.Errorf("%s with %q: got %v, want an error that is a failure", table, text, err)
				}
			}
		}
	})
}
