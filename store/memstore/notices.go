package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// noticeKey is what a notice is about. There is at most one about the same.
type noticeKey struct{ receiver, clientID, subject, sessionID string }

// note saves a notice for each receiver. It replaces an older one about the same, which
// then has another id.
func (s *Store) note(revocation oauthkit.Revocation, kind oauthkit.NoticeKind, about noticeKey) {
	for _, name := range revocation.Receivers {
		about.receiver = name
		for id, notice := range s.notices {
			if keyOf(notice) == about {
				delete(s.notices, id)
			}
		}
		notice := &oauthkit.Notice{
			ID: secret.NewID(), Receiver: name, Kind: kind, ClientID: about.clientID, Subject: about.subject,
			SessionID: about.sessionID, CreatedAt: revocation.Now, DueAt: revocation.Now,
		}
		s.notices[notice.ID] = notice
	}
}

// noteRevoked saves the notices about an Authorization of an act that revokes several.
func (s *Store) noteRevoked(revocation oauthkit.Revocation, authorization *oauthkit.Authorization) {
	if authorization.Subject != "" {
		s.note(revocation, oauthkit.NoticeAccessRevoked, noticeKey{
			clientID: authorization.ClientID, subject: authorization.Subject, sessionID: authorization.SessionID,
		})
	}
}

func keyOf(notice *oauthkit.Notice) noticeKey {
	return noticeKey{notice.Receiver, notice.ClientID, notice.Subject, notice.SessionID}
}

// ClaimNotices implements [oauthkit.NoticeStore].
func (s *Store) ClaimNotices(ctx context.Context, claim oauthkit.NoticeClaim) ([]*oauthkit.Notice, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	var due []*oauthkit.Notice
	for _, notice := range s.notices {
		if notice.Receiver == claim.Receiver && !notice.DueAt.After(claim.Now) {
			due = append(due, notice)
		}
	}
	slices.SortFunc(due, func(one, other *oauthkit.Notice) int {
		return cmp.Or(one.DueAt.Compare(other.DueAt), one.CreatedAt.Compare(other.CreatedAt))
	})
	due = due[:min(max(claim.Limit, 0), len(due))]
	claimed := make([]*oauthkit.Notice, len(due))
	for i, notice := range due {
		notice.Attempts, notice.DueAt = notice.Attempts+1, claim.Until
		copied := *notice
		claimed[i] = &copied
	}
	return claimed, nil
}

// RemoveNotice implements [oauthkit.NoticeStore].
func (s *Store) RemoveNotice(ctx context.Context, id string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	delete(s.notices, id)
	return nil
}

// PostponeNotice implements [oauthkit.NoticeStore].
func (s *Store) PostponeNotice(ctx context.Context, id string, attempts int, due time.Time) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if notice, exists := s.notices[id]; exists && notice.Attempts == attempts {
		notice.DueAt = due
	}
	return nil
}
