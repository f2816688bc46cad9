package memstore

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
)

// Check implements [oauthkit.Checker]. There is one thing to say, and it is always true.
func (s *Store) Check(context.Context) []oauthkit.Finding {
	return []oauthkit.Finding{{
		ID: "memstore.W001", Severity: oauthkit.SeverityWarning,
		Message: "everything is kept in the memory of this process: it is lost when the process ends, and other instances know nothing of it",
		Hint:    "Use store/postgres or store/sqlite where users are to stay signed in",
	}}
}

// Location implements [oauthkit.Locator].
func (s *Store) Location(context.Context) (string, error) { return fmt.Sprintf("memory at %p", s), nil }

// Ready implements [oauthkit.Readier].
func (s *Store) Ready(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	s.mutex.Unlock()
	return nil
}
