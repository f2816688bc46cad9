package gormstore_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// plan is a text type of a host, and level a type with a Scan method that refuses NULL.
type plan string

type level struct{ text string }

func (l *level) Scan(column any) error {
	text, ok := column.(string)
	if !ok {
		return fmt.Errorf("%T is no level", column)
	}
	l.text = text
	return nil
}

func (l level) Value() (driver.Value, error) { return l.text, nil }

// mixed has a column of each kind that a host may have.
type mixed struct {
	oauthkit.AbstractApplication
	Text    string
	Plan    plan
	Flag    bool
	Count   int
	Price   float64
	Data    []byte
	Seen    time.Time
	Until   *time.Time
	Note    *string
	Level   level `gorm:"type:text"`
	Deleted gorm.DeletedAt
}

// hooked has a hook, and serialized a field, that only GORM can read.
type (
	hooked struct {
		oauthkit.AbstractApplication
		Greeting string
	}
	serialized struct {
		oauthkit.AbstractApplication
		Labels []string `gorm:"serializer:json"`
	}
)

// AfterFind is GORM's hook.
func (h *hooked) AfterFind(*gorm.DB) error {
	h.Greeting = "hello " + h.Name
	return nil
}

// TestFindReadsLikeGORM checks that an application is read as GORM reads it, whichever
// columns the host has and whatever another program has stored in them.
func TestFindReadsLikeGORM(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store := migrated[*mixed](t, db)
		ctx, now, note := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC), "a note"
		full := &mixed{
			AbstractApplication: oauthkit.AbstractApplication{
				ClientID: "full", Name: "Full", ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"read", "write"}, Verified: true,
			},
			Text: "text", Plan: "gold", Flag: true, Count: -7, Price: 1.5, Data: []byte{0, 1}, Seen: now, Until: &now, Note: &note,
		}
		empty := &mixed{AbstractApplication: oauthkit.AbstractApplication{ClientID: "empty", ClientType: oauthkit.Public}}
		for _, app := range []*mixed{full, empty} {
			if err := store.ApplicationTable.Create(ctx, app, now); err != nil {
				t.Fatal(err)
			}
		}
		execute(t, db, "UPDATE oauth_applications SET level = 'three' WHERE client_id = 'full'")
		execute(t, db, "UPDATE oauth_applications SET text = NULL, plan = NULL, flag = NULL, count = NULL, price = NULL, data = NULL, seen = NULL, level = NULL WHERE client_id = 'empty'")
		for _, clientID := range []string{"full", "empty"} {
			var want *mixed
			if err := db.WithContext(ctx).Table("oauth_applications").Raw("SELECT * FROM oauth_applications WHERE client_id = ?", clientID).Find(&want).Error; err != nil {
				t.Fatal(err)
			}
			got, err := store.ApplicationTable.Find(ctx, clientID)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v, want %+v", clientID, got, err, want)
			}
		}
		execute(t, db, "UPDATE oauth_applications SET deleted = '2026-01-01 00:00:00' WHERE client_id = 'full'")
		if got, err := store.ApplicationTable.Find(ctx, "full"); err == nil {
			t.Errorf("got %+v, want no deleted application", got)
		}
	})
}

// TestFindByGORM checks that types which only GORM can read are still read by it.
func TestFindByGORM(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		ctx := t.Context()
		greeting := migrated[*hooked](t, open())
		create(ctx, t, greeting, &hooked{AbstractApplication: oauthkit.AbstractApplication{ClientID: "a", Name: "Ann", ClientType: oauthkit.Public}})
		if got, err := greeting.ApplicationTable.Find(ctx, "a"); err != nil || got.Greeting != "hello Ann" {
			t.Errorf("got %+v, %v, want the hook called", got, err)
		}
		labelled := migrated[*serialized](t, open())
		create(ctx, t, labelled, &serialized{AbstractApplication: oauthkit.AbstractApplication{ClientID: "b", ClientType: oauthkit.Public}, Labels: []string{"x", "y"}})
		if got, err := labelled.ApplicationTable.Find(ctx, "b"); err != nil || len(got.Labels) != 2 {
			t.Errorf("got %+v, %v, want two labels", got, err)
		}
	})
}

func create[A oauthkit.Application](ctx context.Context, t *testing.T, store *gormstore.Store[A], app A) {
	t.Helper()
	if err := store.ApplicationTable.Create(ctx, app, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, db *gorm.DB, statement string) {
	t.Helper()
	if err := db.Exec(statement).Error; err != nil {
		t.Fatal(err)
	}
}
