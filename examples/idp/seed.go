package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"

	"golang.org/x/crypto/bcrypt"

	"github.com/oauthkit/oauthkit"
)

// seed is what a seed file holds.
type seed struct {
	Scopes       map[string]string `json:"scopes"` // name: what it means
	Users        []seedUser        `json:"users"`
	Applications []seedApplication `json:"applications"`
	// UserChoosesScopes lets users approve some of the scopes that an application asks for.
	UserChoosesScopes bool `json:"user_chooses_scopes"`
}

type seedUser struct {
	Username string          `json:"username"`
	Password string          `json:"password"`
	Claims   json.RawMessage `json:"claims"`
}

// seedApplication has the JSON names of AbstractApplication, and the secret in clear.
type seedApplication struct {
	oauthkit.AbstractApplication
	Secret string `json:"client_secret"`
}

// readSeed reads a seed file. No path is an empty seed.
func readSeed(path string) (*seed, error) {
	s := &seed{}
	if path == "" {
		return s, nil
	}
	document, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the seed file: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("seed file %s: %w", path, err)
	}
	if decoder.More() {
		return nil, fmt.Errorf("seed file %s: something follows the document", path)
	}
	return s, nil
}

// apply brings the database to what the seed file says. What is there already and the same stays untouched; what is not in
// the file is left alone.
func (s *seed) apply(ctx context.Context, database *database) error {
	for _, wanted := range s.Users {
		if err := wanted.apply(ctx, database); err != nil {
			return fmt.Errorf("seeding user %q: %w", wanted.Username, err)
		}
	}
	for _, wanted := range s.Applications {
		if err := wanted.apply(ctx, database); err != nil {
			return fmt.Errorf("seeding application %q: %w", wanted.ClientID, err)
		}
	}
	return nil
}

func (u seedUser) apply(ctx context.Context, database *database) error {
	if u.Username == "" || u.Password == "" {
		return errors.New("username and password are required")
	}
	claims := string(u.Claims)
	if claims == "" {
		claims = "{}"
	}
	existing, err := database.user(ctx, u.Username)
	if err != nil && !errors.Is(err, errNoUser) {
		return err
	}
	if err == nil && existing.Claims == claims && bcrypt.CompareHashAndPassword([]byte(existing.Password), []byte(u.Password)) == nil {
		return nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	return database.db.WithContext(ctx).Save(&user{Username: u.Username, Password: string(hash), Claims: claims}).Error
}

func (a seedApplication) apply(ctx context.Context, database *database) error {
	wanted := a.AbstractApplication
	existing, err := database.store.Applications.Find(ctx, wanted.ClientID)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return a.create(ctx, database)
	case err != nil:
		return err
	}
	// What a seed file does not hold is kept, so that only a real difference is one.
	wanted.ClientSecret, wanted.RegistrationSource = existing.ClientSecret, existing.RegistrationSource
	wanted.PreviousSecret, wanted.PreviousSecretExpiresAt = existing.PreviousSecret, existing.PreviousSecretExpiresAt
	wanted.CIMDExpiresAt = existing.CIMDExpiresAt
	wanted.CreatedAt, wanted.UpdatedAt = existing.CreatedAt, existing.UpdatedAt
	if a.Secret != "" && !existing.VerifyPassword(a.Secret) {
		wanted.ImportSecret(a.Secret)
	}
	if sameApplication(&wanted, existing) {
		return nil
	}
	return database.store.Applications.Update(ctx, &wanted)
}

// create gives way to another instance that has just created the same.
func (a seedApplication) create(ctx context.Context, database *database) error {
	wanted := a.AbstractApplication
	if a.Secret != "" {
		wanted.ImportSecret(a.Secret)
	}
	err := database.store.Applications.Create(ctx, &wanted)
	if err == nil {
		return nil
	}
	if _, findErr := database.store.Applications.Find(ctx, wanted.ClientID); findErr != nil {
		return err
	}
	return a.apply(ctx, database)
}

// sameApplication compares what JSON shows, and the hash of the secret, which it does not.
func sameApplication(a, b *oauthkit.AbstractApplication) bool {
	first, err := json.Marshal(a)
	second, err2 := json.Marshal(b)
	return errors.Join(err, err2) == nil && reflect.DeepEqual(normalized(first), normalized(second)) && a.ClientSecret == b.ClientSecret
}

// normalized reads a document so that an absent list and an empty one are the same.
func normalized(document []byte) map[string]any {
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
