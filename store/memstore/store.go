// Package memstore is the store contract of package oauthkit in maps and one mutex: for tests, for programs of one process
// that may forget everything when they end, and for whoever wants to read what a store has to do.
//
// It keeps copies and hands out copies, so that nobody can change what is stored.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Store keeps everything in memory. It is safe for concurrent use, once its fields are set. New makes one.
type Store struct {
	// Rules say which URIs applications may be stored with. The zero value is the library's own rules.
	Rules oauthkit.ApplicationRules
	// NewModel returns a zero application of the host's type, which NewApplication then returns. Nil: an AbstractApplication. For a
	// type that does not embed one, no client_id is made, and no update is an ErrConflict.
	NewModel func() oauthkit.Application

	mutex sync.Mutex

	applications   map[string]oauthkit.Application    // by client_id
	ended          map[string]time.Time               // when an application was disabled or deleted, by client_id
	authorizations map[string]*oauthkit.Authorization // by ID
	consents       map[approver]*oauthkit.Consent     // at most one each
	interactions   map[string]*oauthkit.Interaction   // by hash
	sharedSecret   string

	// The Authorization of these is the one above, so that revoking it is one assignment.
	codes         map[string]*oauthkit.AuthorizationCode // by hash
	accessTokens  map[string]*oauthkit.AccessToken       // by hash
	refreshTokens map[string]*refreshToken               // by hash
	signingKeys   map[string]*oauthkit.SigningKey        // by ID
}

// Everything that a store can promise, checked by the compiler.
var _ interface {
	oauthkit.Store
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
	oauthkit.OwnerLimiter
	oauthkit.Readier
} = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		applications:   map[string]oauthkit.Application{},
		ended:          map[string]time.Time{},
		authorizations: map[string]*oauthkit.Authorization{},
		consents:       map[approver]*oauthkit.Consent{},
		interactions:   map[string]*oauthkit.Interaction{},
		codes:          map[string]*oauthkit.AuthorizationCode{},
		accessTokens:   map[string]*oauthkit.AccessToken{},
		refreshTokens:  map[string]*refreshToken{},
		signingKeys:    map[string]*oauthkit.SigningKey{},
	}
}

// errExists is a failure, not an answer: what is new must have a name of its own.
var errExists = errors.New("memstore: there is one with this name already")

// lock begins an act. The caller unlocks the mutex unless there is an error: a caller who has given up gets nothing done.
func (s *Store) lock(ctx context.Context) error {
	s.mutex.Lock()
	if err := ctx.Err(); err != nil {
		s.mutex.Unlock()
		return fmt.Errorf("memstore: %w", err)
	}
	return nil
}
