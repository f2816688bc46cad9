package gormstore_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// hiding takes columns of AbstractApplication away from it, each type in another way.
type (
	hidingDisabled struct {
		oauthkit.AbstractApplication
		Disabled bool
	}
	hidingSecret struct {
		oauthkit.AbstractApplication
		Status string `gorm:"column:client_secret"`
	}
	// BaseApplication is exported, since GORM sees nothing else in a struct that embeds
	// it.
	BaseApplication struct {
		oauthkit.AbstractApplication
		Logo string
	}
	hidingDeeper struct {
		BaseApplication
		Name string
	}
	hidingNothing struct{ BaseApplication }
)

// TestHiddenColumn refuses a struct whose field would be stored in the place of one
// that the library asks.
func TestHiddenColumn(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		_, disabled := gormstore.New[*hidingDisabled](open(), gormstore.Config{})
		_, secret := gormstore.New[*hidingSecret](open(), gormstore.Config{})
		_, deeper := gormstore.New[*hidingDeeper](open(), gormstore.Config{})
		for field, err := range map[string]error{"Disabled": disabled, "Status": secret, "Name": deeper} {
			if err == nil || !strings.Contains(err.Error(), "the field "+field+" ") {
				t.Errorf("%s: got %v, want the field refused", field, err)
			}
		}
		migrated[*hidingNothing](t, open())
	})
}
