package gormstore_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Types that GORM accepts but that would be stored differently than declared.
type (
	pointingApplication struct{ *oauthkit.AbstractApplication }
	pointingDeeper      struct{ *BaseApplication }
	numberedApplication struct {
		oauthkit.AbstractApplication
		Number int `gorm:"primaryKey"`
	}
	modelApplication struct {
		gorm.Model
		oauthkit.AbstractApplication
	}
	elsewhereApplication struct{ oauthkit.AbstractApplication }
	namedApplication     struct{ oauthkit.AbstractApplication }
	thereApplication     struct{ oauthkit.AbstractApplication }
)

// TableName is called by GORM.
func (elsewhereApplication) TableName() string { return "clients" }

// TableName is called by GORM.
func (*namedApplication) TableName(schema.Namer) string { return "named" }

// TableName is called by GORM.
func (*thereApplication) TableName() string { return "oauth_applications" }

// TestModel checks the errors for invalid types, which name the remedy.
func TestModel(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		for name, test := range map[string]struct {
			refused error
			want    string
		}{
			"pointer":           {refusal[*pointingApplication](open()), "embed oauthkit.AbstractApplication"},
			"pointer deeper":    {refusal[*pointingDeeper](open()), "embed gormstore_test.BaseApplication"},
			"primary key":       {refusal[*numberedApplication](open()), "the field Number of *gormstore_test.numberedApplication is a primary key"},
			"GORM's model":      {refusal[*modelApplication](open()), "the field ID of *gormstore_test.modelApplication is a primary key"},
			"table":             {refusal[*elsewhereApplication](open()), `TableName of *gormstore_test.elsewhereApplication returns "clients"`},
			"table by strategy": {refusal[*namedApplication](open()), `TableName of *gormstore_test.namedApplication returns "named"`},
		} {
			if test.refused == nil || !strings.Contains(test.refused.Error(), test.want) {
				t.Errorf("%s: got %v, want %q", name, test.refused, test.want)
			}
		}
		store := migrated[*thereApplication](t, open())
		if err := store.ApplicationTable.Create(t.Context(), &thereApplication{*newApplication()}, now); err != nil {
			t.Errorf("the same table: got %v, want no error", err)
		}
	})
}

func refusal[A oauthkit.Application](db *gorm.DB) error {
	_, err := gormstore.New[A](db, gormstore.Config{})
	return err
}
