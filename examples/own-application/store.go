package main

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Store finds clients in this program's own table. What is issued to them is in the library's tables, beside it.
type Store struct {
	*gormstore.Credentials
	db *gorm.DB
}

// What it can do, checked by the compiler.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
} = (*Store)(nil)

// newStore brings the tables up to date, all of them or none, while no other instance does.
func newStore(ctx context.Context, db *gorm.DB) (*Store, error) {
	credentials, err := gormstore.NewCredentials(db, "")
	if err != nil {
		return nil, err
	}
	err = credentials.Migrate(ctx, func(tx *gorm.DB) error { return tx.AutoMigrate(&Client{}) })
	return &Store{Credentials: credentials, db: db}, err
}

// Application is all that a provider needs. Where there are replicas it has to ask the primary, with Clauses(dbresolver.Write): a
// secret that was just changed must not be compared with the one before.
func (s *Store) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	client := new(Client)
	switch err := s.db.WithContext(ctx).Where(`"key" = ?`, clientID).Take(client).Error; {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return nil, oauthkit.ErrNotFound
	case err != nil: // which is not the same: the provider then says that it cannot know
		return nil, fmt.Errorf("finding a client: %w", err)
	default:
		return client, nil
	}
}
