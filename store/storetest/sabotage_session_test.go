package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func sessionSabotages() []sabotage {
	fault := func(commit func(*memstore.Store) Store) func(Store) Store {
		return func(s Store) Store { return commit(s.(*memstore.Store)) }
	}
	return []sabotage{
		{"ends no session", fault(func(s *memstore.Store) Store { return endsNoSession{s} }), []string{
			"sessions/EndSession revokes", "sessions/EndSession keeps the", "sessions/EndSession that keeps", "sessions/EndSession returns",
			"sessions/EndSession deletes", "sessions/after EndSession", "sessions/an ended session",
			"races/EndSession refuses or ends an approval", "races/EndSession refuses or ends tokens", "races/a session that ends while",
			"races/each Authorization is counted by exactly one of many concurrent EndSession",
		}},
		{"ends the user with the session", fault(func(s *memstore.Store) Store { return &endsUser{Store: s, ended: map[string]bool{}} }), []string{
			"sessions/EndSession does not affect",
		}},
		{"saves no notices", fault(func(s *memstore.Store) Store { return receivesAs{s, func([]string) []string { return nil }} }), []string{
			"notices/EndSession saves", "notices/RevokeAuthorization saves", "notices/RevokeConsent saves", "notices/ClaimNotices returns",
			"notices/RemoveNotice removes", "notices/notices about", "notices/exactly one of many", "notices/a notice that was due",
			"revocation notices/RevokeUser", "revocation notices/RevokeApplication",
		}},
		{"forgets the session of a revocation", fault(func(s *memstore.Store) Store { return forgetsSession{s} }), []string{
			"notices/RevokeAuthorization saves", "notices/RevokeConsent saves", "notices/a notice that is replaced",
			"revocation notices/RevokeUser", "revocation notices/RevokeApplication",
		}},
		{"saves notices for no receiver", fault(func(s *memstore.Store) Store {
			return receivesAs{s, func(names []string) []string { return append(names, "") }}
		}), []string{"notices/an act without receivers"}},
		{"claims without a lease", fault(func(s *memstore.Store) Store { return claimsForNow{s} }), []string{
			"notices/a claimed notice", "notices/exactly one of many",
		}},
		{"postpones nothing", fault(func(s *memstore.Store) Store { return postponesNothing{s} }), []string{"notices/PostponeNotice changes"}},
		{"removes newer notices", fault(func(s *memstore.Store) Store { return &removesNewer{Store: s, receivers: map[string]string{}} }), []string{
			"notices/a newer notice", "notices/a notice that is replaced",
		}},
		{"fails during another act with notices", fault(func(s *memstore.Store) Store { return &notesAlone{Store: s} }), []string{"notices/acts that save"}},
	}
}

type endsNoSession struct{ *memstore.Store }

func (endsNoSession) EndSession(context.Context, oauthkit.SessionEnd) (oauthkit.SessionEndResult, error) {
	return oauthkit.SessionEndResult{}, nil
}

// endsUser refuses everything of a user whose session has ended.
type endsUser struct {
	*memstore.Store
	ended map[string]bool
}

func (s *endsUser) EndSession(ctx context.Context, end oauthkit.SessionEnd) (oauthkit.SessionEndResult, error) {
	s.ended[end.Subject] = true
	return s.Store.EndSession(ctx, end)
}

func (s *endsUser) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	if s.ended[authorization.Subject] {
		return oauthkit.ErrEnded
	}
	return s.Store.SaveTokens(ctx, authorization, tokens)
}

// receivesAs changes the receivers of every act.
type receivesAs struct {
	*memstore.Store
	change func([]string) []string
}

func (s receivesAs) changed(revocation oauthkit.Revocation) oauthkit.Revocation {
	revocation.Receivers = s.change(revocation.Receivers)
	return revocation
}

func (s receivesAs) EndSession(ctx context.Context, end oauthkit.SessionEnd) (oauthkit.SessionEndResult, error) {
	end.Revocation = s.changed(end.Revocation)
	return s.Store.EndSession(ctx, end)
}

func (s receivesAs) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (bool, error) {
	return s.Store.RevokeAuthorization(ctx, id, s.changed(revocation))
}

func (s receivesAs) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	return s.Store.RevokeConsent(ctx, clientID, subject, s.changed(revocation))
}

func (s receivesAs) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (int, error) {
	return s.Store.RevokeUser(ctx, subject, s.changed(revocation))
}

func (s receivesAs) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (int, error) {
	return s.Store.RevokeApplication(ctx, clientID, s.changed(revocation))
}

// forgetsSession claims notices about revocations without their sessions.
type forgetsSession struct{ *memstore.Store }

func (s forgetsSession) ClaimNotices(ctx context.Context, claim oauthkit.NoticeClaim) ([]*oauthkit.Notice, error) {
	claimed, err := s.Store.ClaimNotices(ctx, claim)
	for _, notice := range claimed {
		if notice.Kind == oauthkit.NoticeAccessRevoked {
			notice.SessionID = ""
		}
	}
	return claimed, err
}

type claimsForNow struct{ *memstore.Store }

func (s claimsForNow) ClaimNotices(ctx context.Context, claim oauthkit.NoticeClaim) ([]*oauthkit.Notice, error) {
	claim.Until = claim.Now
	return s.Store.ClaimNotices(ctx, claim)
}

type postponesNothing struct{ *memstore.Store }

func (postponesNothing) PostponeNotice(context.Context, string, int, time.Time) error { return nil }

// removesNewer removes every notice of the receiver of a notice.
type removesNewer struct {
	*memstore.Store
	mutex     sync.Mutex
	receivers map[string]string // by the id of a claimed notice
}

func (s *removesNewer) ClaimNotices(ctx context.Context, claim oauthkit.NoticeClaim) ([]*oauthkit.Notice, error) {
	claimed, err := s.Store.ClaimNotices(ctx, claim)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, notice := range claimed {
		s.receivers[notice.ID] = notice.Receiver
	}
	return claimed, err
}

func (s *removesNewer) RemoveNotice(ctx context.Context, id string) error {
	s.mutex.Lock()
	receiver := s.receivers[id]
	s.mutex.Unlock()
	letOthersRun()
	far := time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)
	claimed, err := s.Store.ClaimNotices(ctx, oauthkit.NoticeClaim{Receiver: receiver, Now: far, Until: far, Limit: 100})
	for _, notice := range claimed {
		err = errors.Join(err, s.Store.RemoveNotice(ctx, notice.ID))
	}
	return err
}

// notesAlone fails while another act saves notices.
type notesAlone struct {
	*memstore.Store
	busy sync.Mutex
}

func (s *notesAlone) EndSession(ctx context.Context, end oauthkit.SessionEnd) (oauthkit.SessionEndResult, error) {
	if !s.busy.TryLock() {
		return oauthkit.SessionEndResult{}, errors.New("deadlock")
	}
	defer s.busy.Unlock()
	letOthersRun()
	return s.Store.EndSession(ctx, end)
}

// letOthersRun gives acts at the same time a chance to run.
func letOthersRun() {
	for range 1000 {
		runtime.Gosched()
	}
}
