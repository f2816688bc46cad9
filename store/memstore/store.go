// Package memstore implements the store contract of package oauthkit with maps and one
// mutex. It is for tests, for programs of one process that may lose everything when
// they end, and as a short reference for authors of stores.
//
// It stores and returns copies, so that a caller cannot change stored values.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Store keeps everything in memory. Create one with [New]. It is safe for concurrent
// use after its fields are set.
type Store struct {
	// Rules validate applications. The zero value has the library's rules only.
	Rules oauthkit.ApplicationRules
	// NewModel returns a zero application of the host's type, for NewApplication. If
	// nil, NewApplication returns an AbstractApplication. For a type that does not
	// embed AbstractApplication, the Store generates no client_id and never returns
	// ErrConflict.
	NewModel func() oauthkit.Application

	mutex sync.Mutex

	applications   map[string]oauthkit.Application    // by client_id
	ended          map[string]time.Time               // when applications were disabled or deleted, by client_id
	authorizations map[string]*oauthkit.Authorization // by ID
	endedSessions  map[session]time.Time              // when sessions ended
	notices        map[string]*oauthkit.Notice        // by ID
	unredeemed     map[string]bool                    // Authorizations whose code was not redeemed, by ID
	consents       map[approver]*oauthkit.Consent     // by client_id and subject
	interactions   map[string]*oauthkit.Interaction   // by hash
	sharedSecret   string

	// Credentials point to the Authorizations above, so one assignment revokes all of
	// them.
	codes         map[string]*oauthkit.AuthorizationCode // by hash
	accessTokens  map[string]*oauthkit.AccessToken       // by hash
	refreshTokens map[string]*refreshToken               // by hash
	signingKeys   map[string]*oauthkit.SigningKey        // by ID
}

// A Store implements the whole contract.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
	oauthkit.NoticeStore
	oauthkit.Readier
} = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		applications:   map[string]oauthkit.Application{},
		ended:          map[string]time.Time{},
		authorizations: map[string]*oauthkit.Authorization{},
		endedSessions:  map[session]time.Time{},
		notices:        map[string]*oauthkit.Notice{},
		unredeemed:     map[string]bool{},
		consents:       map[approver]*oauthkit.Consent{},
		interactions:   map[string]*oauthkit.Interaction{},
		codes:          map[string]*oauthkit.AuthorizationCode{},
		accessTokens:   map[string]*oauthkit.AccessToken{},
		refreshTokens:  map[string]*refreshToken{},
		signingKeys:    map[string]*oauthkit.SigningKey{},
	}
}

// errExists reports a new row whose key is taken.
var errExists = errors.New("memstore: already exists")

// lock locks the mutex for an act. It returns an error, with the mutex unlocked, if ctx
// has ended.
func (s *Store) lock(ctx context.Context) error {
	s.mutex.Lock()
	if err := ctx.Err(); err != nil {
		s.mutex.Unlock()
		return fmt.Errorf("memstore: %w", err)
	}
	return nil
}
