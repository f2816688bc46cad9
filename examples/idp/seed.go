package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/oauthkit/oauthkit"
)

// seed is the content of a seed file.
type seed struct {
	Scopes       map[string]string `json:"scopes"` // descriptions by name
	Users        []seedUser        `json:"users"`
	Applications []seedApplication `json:"applications"`
	// Resources are the URIs of the APIs that applications may name (RFC 8707).
	Resources []string `json:"resources"`
	// ACRValues are the authentication context classes that a sign-in with a password
	// satisfies, the preferred one first.
	ACRValues []string `json:"acr_values"`
	// PKCE is the policy of confidential applications without one of their own.
	PKCE oauthkit.PKCEPolicy `json:"pkce"`
	// IDTokenClaims puts claims about users into the ID tokens of applications that do
	// not choose.
	IDTokenClaims bool `json:"id_token_claims"`
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
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("seed file %s: %w", path, err)
	}
	return s, nil
}

// validate checks what can be checked without a provider.
func (s *seed) validate() error {
	if _, exists := s.Scopes[oauthkit.IntrospectionScope]; exists {
		return fmt.Errorf("scopes: %q exists already; remove it here, and list it in the scopes of the applications that introspect", oauthkit.IntrospectionScope)
	}
	for _, class := range s.ACRValues {
		if len(strings.Fields(class)) != 1 || len(class) > maxACR {
			return fmt.Errorf("acr_values: %q must be one word of at most %d bytes", class, maxACR)
		}
	}
	for _, app := range s.Applications {
		if err := app.checkSecret(); err != nil {
			return fmt.Errorf("application %q: %w", app.ClientID, err)
		}
	}
	return nil
}

// checkApplications returns an error if an application is registered for something that
// the provider does not have, such as a grant type. Otherwise only its users would
// notice.
func (s *seed) checkApplications(ctx context.Context, provider *oauthkit.Provider) error {
	for _, app := range s.Applications {
		problems, err := provider.Unsupported(ctx, &app.AbstractApplication)
		if err == nil && len(problems) > 0 {
			err = problems
		}
		if err != nil {
			return fmt.Errorf("seed file: application %q: %w", app.ClientID, err)
		}
	}
	return nil
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

// endSessions ends the sessions that began with another password than their user has now,
// for the applications too. It finds those of an earlier start that was interrupted.
func (s *seed) endSessions(ctx context.Context, database *database, authorizations *oauthkit.Authorizations) error {
	for _, wanted := range s.Users {
		found, err := database.user(ctx, wanted.Username)
		if err != nil {
			return err
		}
		var stale []session
		db := database.db.WithContext(ctx)
		if err := db.Where("username = ? AND password <> ?", found.Username, hash(found.Password)).Find(&stale).Error; err != nil {
			return err
		}
		for _, row := range stale {
			if _, err := authorizations.EndSession(ctx, row.Username, row.ID); err != nil {
				return err
			}
			if err := db.Delete(&row).Error; err != nil {
				return err
			}
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
