package memstore

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
)

// Check implements [oauthkit.Checker]. It always returns one warning.
func (s *Store) Check(context.Context) []oauthkit.Finding {
	return []oauthkit.Finding{{
		ID: "memstore.W001", Severity: oauthkit.SeverityWarning,
		Message: "the store keeps everything in memory: the data is lost when the process ends and is not shared with other instances",
		Hint:    "Use store/postgres or store/sqlite in production",
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
