package main

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// Store finds clients in this program's table. Everything that is issued to them is in
// the library's tables in the same database.
type Store struct {
	*gormstore.Credentials
	db *gorm.DB
}

// The interfaces that Store implements.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
} = (*Store)(nil)

// newStore opens the store and migrates its tables in one transaction, under the
// library's migration lock.
func newStore(ctx context.Context, db *gorm.DB) (*Store, error) {
	credentials, err := gormstore.NewCredentials(db, "")
	if err != nil {
		return nil, err
	}
	err = credentials.Migrate(ctx, func(tx *gorm.DB) error { return tx.AutoMigrate(&Client{}) })
	return &Store{Credentials: credentials, db: db}, err
}

// Application implements [oauthkit.ApplicationStore].
//
// With read replicas it must read from the primary, with Clauses(dbresolver.Write):
// otherwise a changed secret could be compared with the old one.
func (s *Store) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	client := new(Client)
	switch err := s.db.WithContext(ctx).Where(`"key" = ?`, clientID).Take(client).Error; {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return nil, oauthkit.ErrNotFound
	case err != nil: // not ErrNotFound: the provider must answer temporarily_unavailable
		return nil, fmt.Errorf("finding a client: %w", err)
	default:
		return client, nil
	}
}
