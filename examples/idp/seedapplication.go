package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// seedApplication has the JSON members of AbstractApplication and the plain secret.
type seedApplication struct {
	oauthkit.AbstractApplication
	Secret string `json:"client_secret"`
}

// minSecret is the minimum length in bytes of a secret in a seed file. Only its SHA-256
// is stored, which does not protect a secret that can be guessed.
const minSecret = 16

// checkSecret returns an error if the secret is too short. It may be empty for a public
// application, or if a command generated the secret.
func (a seedApplication) checkSecret() error {
	if a.Secret != "" && len(a.Secret) < minSecret {
		return fmt.Errorf("client_secret is too short: it has %d characters and needs %d; generate one with openssl rand -hex 32",
			len(a.Secret), minSecret)
	}
	return nil
}

// storedApplication is an application in the database, with one column of this program.
type storedApplication struct {
	oauthkit.AbstractApplication
	// SeededSecrets are space-separated digests of the secrets that seed files have
	// set. Each secret is set only once: a secret that was rotated since must not come
	// back with a restart.
	SeededSecrets string `gorm:"not null" json:"-"`
}

// seedSecret sets the secret of the seed file unless it was set before.
func (a *storedApplication) seedSecret(secret string) {
	digest := hash(secret)
	if secret == "" || slices.Contains(strings.Fields(a.SeededSecrets), digest) {
		return
	}
	a.SeededSecrets = strings.TrimSpace(a.SeededSecrets + " " + digest)
	if !a.VerifyPassword(secret) {
		a.ImportSecret(secret)
	}
}

func (a seedApplication) apply(ctx context.Context, database *database) error {
	wanted := &storedApplication{AbstractApplication: a.AbstractApplication}
	existing, err := database.store.ApplicationTable.Find(ctx, wanted.ClientID)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return a.create(ctx, database)
	case err != nil:
		return err
	}
	// Keep the values that a seed file cannot set, so that they do not count as a
	// difference.
	wanted.ClientSecret, wanted.RegistrationSource = existing.ClientSecret, existing.RegistrationSource
	wanted.PreviousSecret, wanted.PreviousSecretExpiresAt = existing.PreviousSecret, existing.PreviousSecretExpiresAt
	wanted.CIMDExpiresAt, wanted.SeededSecrets = existing.CIMDExpiresAt, existing.SeededSecrets
	wanted.CreatedAt, wanted.UpdatedAt = existing.CreatedAt, existing.UpdatedAt
	wanted.seedSecret(a.Secret)
	if sameApplication(wanted, existing) {
		return nil
	}
	err = database.store.ApplicationTable.Update(ctx, wanted, time.Now())
	if errors.Is(err, oauthkit.ErrConflict) { // another instance applied the same seed
		return a.apply(ctx, database)
	}
	return err
}

// create creates the application, or updates it if another instance has just created
// it.
func (a seedApplication) create(ctx context.Context, database *database) error {
	wanted := &storedApplication{AbstractApplication: a.AbstractApplication}
	wanted.seedSecret(a.Secret)
	err := database.store.ApplicationTable.Create(ctx, wanted, time.Now())
	if err == nil {
		return nil
	}
	if _, findErr := database.store.ApplicationTable.Find(ctx, wanted.ClientID); findErr != nil {
		return err
	}
	return a.apply(ctx, database)
}

// sameApplication compares the JSON forms and the hashes of the secrets, which JSON
// omits.
func sameApplication(a, b *storedApplication) bool {
	first, err := json.Marshal(a)
	second, err2 := json.Marshal(b)
	return errors.Join(err, err2) == nil && reflect.DeepEqual(normalize(first), normalize(second)) &&
		a.ClientSecret == b.ClientSecret && a.SeededSecrets == b.SeededSecrets
}

// normalize decodes a document and removes null and empty lists, so that both equal an
// absent member.
func normalize(document []byte) map[string]any {
	var members map[string]any
	if json.Unmarshal(document, &members) != nil {
		return nil
	}
	for name, value := range members {
		if list, isList := value.([]any); value == nil || isList && len(list) == 0 {
			delete(members, name)
		}
	}
	return members
}
