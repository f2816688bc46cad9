package memstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// session is the key of the mark of an ended session.
type session struct{ subject, id string }

// markLife is how long a session that has ended refuses new Authorizations.
const markLife = 24 * time.Hour

// EndSession implements [oauthkit.Store].
func (s *Store) EndSession(ctx context.Context, end oauthkit.SessionEnd) (result oauthkit.SessionEndResult, err error) {
	if err := s.lock(ctx); err != nil {
		return result, err
	}
	defer s.mutex.Unlock()
	s.endedSessions[session{end.Subject, end.ID}] = end.Now
	maps.DeleteFunc(s.interactions, func(_ string, interaction *oauthkit.Interaction) bool {
		return end.BrowserHash != "" && interaction.BrowserHash == end.BrowserHash &&
			interaction.Subject == end.Subject && interaction.ConsumedAt.IsZero()
	})
	clients := map[string]bool{}
	for _, authorization := range s.authorizations {
		if !ofUser(end.Subject)(authorization) || authorization.SessionID != end.ID || !authorization.RevokedAt.IsZero() {
			continue
		}
		clients[authorization.ClientID] = true
		if end.KeepAll || end.Keep != "" && authorization.Scopes.Contains(end.Keep) {
			authorization.SessionID = ""
			continue
		}
		authorization.RevokedAt = end.Now
		result.Revoked++
	}
	result.ClientIDs = slices.Sorted(maps.Keys(clients))
	for _, clientID := range result.ClientIDs {
		s.note(end.Revocation, oauthkit.NoticeSessionEnded, noticeKey{clientID: clientID, subject: end.Subject, sessionID: end.ID})
	}
	return result, nil
}

// isEnded reports whether the application was disabled or deleted, or the session has
// ended, so that nothing new may be saved.
func (s *Store) isEnded(authorization *oauthkit.Authorization) bool {
	_, application := s.ended[authorization.ClientID]
	_, session := s.endedSessions[session{authorization.Subject, authorization.SessionID}]
	return application || session && authorization.SessionID != ""
}
