package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/bcrypt"
)

// seed is the content of a seed file.
type seed struct {
	Scopes       map[string]string `json:"scopes"` // descriptions by name
	Users        []seedUser        `json:"users"`
	Applications []seedApplication `json:"applications"`
	// UserChoosesScopes lets users approve some of the requested scopes.
	UserChoosesScopes bool `json:"user_chooses_scopes"`
}

type seedUser struct {
	Username string          `json:"username"`
	Password string          `json:"password"`
	Claims   json.RawMessage `json:"claims"`
}

// readSeed reads a seed file. An empty path returns an empty seed.
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
		return nil, fmt.Errorf("seed file %s: data after the document", path)
	}
	for _, app := range s.Applications {
		if err := app.checkSecret(); err != nil {
			return nil, fmt.Errorf("seed file %s: application %q: %w", path, app.ClientID, err)
		}
	}
	return s, nil
}

// apply creates and updates the users and applications of the seed file. It leaves
// unchanged ones and all others alone.
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
	wanted := &user{Username: u.Username, Claims: claims}
	if err == nil && bcrypt.CompareHashAndPassword([]byte(existing.Password), []byte(u.Password)) == nil {
		if existing.Claims == claims {
			return nil
		}
		wanted.Password = existing.Password // another hash would end the user's sessions
	} else {
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), bcrypt.DefaultCost)
		if err != nil {
			return err
		}
		wanted.Password = string(hash)
	}
	return database.db.WithContext(ctx).Save(wanted).Error
}
