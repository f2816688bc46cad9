package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/postgres"
)

func TestOpen(t *testing.T) {
	url := oauthtest.Postgres(t)
	store, err := postgres.Open[*oauthkit.AbstractApplication](url)
	if err != nil {
		t.Fatal(err)
	}
	app := &oauthkit.AbstractApplication{ClientID: "client", ClientType: oauthkit.Confidential}
	if err := store.ApplicationTable.Create(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Application(t.Context(), "client"); err == nil || errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("a closed store: got %v, want a failure", err)
	}
	again, err := postgres.Open[*oauthkit.AbstractApplication](url)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Application(t.Context(), "client"); err != nil {
		t.Error(err)
	}
}

// TestZone RL-23 shows that times are returned in UTC even if the server uses another
// time zone.
func TestZone(t *testing.T) {
	url := oauthtest.Postgres(t)
	store, err := postgres.Open[*oauthkit.AbstractApplication](url + separator(url) + "timezone=Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	at := time.Date(2026, 3, 29, 1, 59, 59, 123456000, time.UTC)
	key := &oauthkit.SigningKey{ID: "key", Algorithm: "ES256", Generation: 1, Private: []byte("key"), CreatedAt: at, ActiveAt: at}
	if err := store.AddSigningKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	keys, err := store.SigningKeys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].CreatedAt != at {
		t.Errorf("got %+v, %v, want a key of %v", keys, err, at)
	}
}

// TestOpenFails shows that an error does not contain the password.
func TestOpenFails(t *testing.T) {
	for _, url := range []string{
		"postgres://user:hunter2@127.0.0.1:1/none?connect_timeout=1",
		"postgres://user:hunter2@host:port/none",
		"postgres://user:hunter2@127.0.0.1:1/none?sslmode=nonsense",
	} {
		_, err := postgres.OpenDB(url)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error without the password", url, err)
		}
	}
}

func separator(url string) string {
	if strings.Contains(url, "?") {
		return "&"
	}
	return "?"
}
