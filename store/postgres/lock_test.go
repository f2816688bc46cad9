package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// scene is a store with one Authorization, its code and refresh token, a Consent and an
// interaction. A test uses a second pool as another instance.
type scene struct {
	store         *gormstore.Store[*oauthkit.AbstractApplication]
	other         *gorm.DB
	authorization *oauthkit.Authorization
}

func newScene(t *testing.T) *scene {
	t.Helper()
	url := oauthtest.Postgres(t)
	store, err := postgres.Open[*oauthkit.AbstractApplication](url)
	if err != nil {
		t.Fatal(err)
	}
	other, err := postgres.OpenDB(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pool, err := other.DB()
		if err := errors.Join(err, pool.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	s := &scene{store: store, other: other, authorization: newAuthorization("first")}
	tokens := s.tokens("first")
	tokens.Refresh = &oauthkit.RefreshToken{Hash: "refresh", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
	approval := s.approval(s.authorization, oauthkit.ConsentNew)
	approval.Code = &oauthkit.AuthorizationCode{Hash: "first", IssuedAt: now, ExpiresAt: now.Add(time.Minute)}
	err = errors.Join(
		store.SaveApproval(t.Context(), approval),
		store.RedeemCode(t.Context(), "first", tokens, now),
		store.SaveInteraction(t.Context(), &oauthkit.Interaction{Hash: "interaction", Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: now}, 10),
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newAuthorization(id string) *oauthkit.Authorization {
	return &oauthkit.Authorization{ID: id, ClientID: "client", Subject: "alice", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func (s *scene) tokens(hash string) oauthkit.Tokens {
	return oauthkit.Tokens{Access: &oauthkit.AccessToken{Hash: hash, Authorization: s.authorization, IssuedAt: now, ExpiresAt: now}}
}

func rotation(hash string, successors oauthkit.Tokens) oauthkit.Rotation {
	return oauthkit.Rotation{
		Hash: hash, Successors: successors, Sealed: []byte("sealed"), Window: time.Minute, Now: func() time.Time { return now },
	}
}

func (s *scene) approval(authorization *oauthkit.Authorization, use oauthkit.ConsentUse) *oauthkit.Approval {
	return &oauthkit.Approval{Authorization: authorization, ConsentUse: use, Consent: &oauthkit.Consent{
		ID: "consent", ClientID: "client", Subject: authorization.Subject, CreatedAt: now, UpdatedAt: now,
	}}
}

// while executes a statement in a transaction, begins an act that has to wait for it,
// ends the transaction with end, and returns the error of the act.
func (s *scene) while(t *testing.T, statement string, end func(tx *gorm.DB) *gorm.DB, act func() error) error {
	t.Helper()
	tx := s.other.Begin()
	if err := tx.Exec(statement).Error; err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() { answer <- act() }()
	for waiting := int64(0); waiting == 0; {
		select {
		case err := <-answer:
			t.Errorf("%s: the act did not wait", statement)
			tx.Rollback()
			return err
		default:
		}
		err := s.other.Table("pg_stat_activity").Where("datname = current_database() AND wait_event_type = 'Lock'").Count(&waiting).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := end(tx).Error; err != nil {
		t.Fatal(err)
	}
	return <-answer
}

const (
	revoke       = "UPDATE oauth_authorizations SET revoked_at = now()"
	removed      = "DELETE FROM oauth_consents"
	firstConsent = `WITH consent AS (
	INSERT INTO oauth_consents (id, client_id, subject, scopes, created_at, updated_at, application_digest, resource_scopes)
	SELECT 'bobs', client_id, 'bob', scopes, created_at, updated_at, application_digest, resource_scopes FROM oauth_consents
) INSERT INTO oauth_authorizations (id, client_id, consent_id, subject, scopes, resources, auth_time, acr, amr, session_id, params,
created_at, expires_at, revoked_at)
SELECT 'bobs', client_id, 'bobs', 'bob', scopes, resources, auth_time, acr, amr, session_id, params,
created_at, expires_at, revoked_at FROM oauth_authorizations`
)

// TestActAgainstRevocation shows that an act waits for a concurrent revocation and
// respects its result.
func TestActAgainstRevocation(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(tx *gorm.DB) *gorm.DB
		want error
	}{
		{"revoked", (*gorm.DB).Commit, oauthkit.ErrRevoked},
		{"not revoked after all", (*gorm.DB).Rollback, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			err := s.while(t, revoke, test.end, func() error {
				return s.store.RotateRefreshToken(t.Context(), rotation("refresh", s.tokens("second")))
			})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			_, err = s.store.AccessToken(t.Context(), "second")
			if stored := err == nil; stored != (test.want == nil) {
				t.Errorf("got the successor stored: %t", stored)
			}
		})
	}
}

// TestRL22_RotationClock shows that the retry window begins after all waiting of a
// rotation.
func TestRL22_RotationClock(t *testing.T) {
	for _, lock := range []string{
		"LOCK TABLE oauth_refresh_tokens IN ACCESS EXCLUSIVE MODE",
		"LOCK TABLE oauth_access_tokens IN ACCESS EXCLUSIVE MODE",
		"SELECT id FROM oauth_authorizations FOR UPDATE",
		"SELECT hash FROM oauth_refresh_tokens WHERE hash = 'refresh' FOR UPDATE",
		"SELECT hash FROM oauth_refresh_tokens WHERE hash = 'earlier' FOR UPDATE",
	} {
		t.Run(lock, func(t *testing.T) {
			s := newScene(t)
			earlier := `INSERT INTO oauth_refresh_tokens (hash, authorization_id, issued_at, expires_at, consumed_at, sealed, sealed_until)
SELECT 'earlier', authorization_id, issued_at, expires_at, now(), 'sealed', now() FROM oauth_refresh_tokens`
			if err := s.other.Exec(earlier).Error; err != nil {
				t.Fatal(err)
			}
			var released time.Time
			err := s.while(t, lock, func(tx *gorm.DB) *gorm.DB {
				if err := s.other.Raw("SELECT clock_timestamp()").Scan(&released).Error; err != nil {
					t.Error(err)
				}
				return tx.Commit()
			}, func() error { return s.store.RotateRefreshToken(t.Context(), rotation("refresh", s.tokens("second"))) })
			if err != nil {
				t.Fatal(err)
			}
			token, err := s.store.RefreshToken(t.Context(), "refresh")
			if err != nil || token.ConsumedAt.Before(released) {
				t.Errorf("got %+v, %v, want consumption after %v, the release of the lock", token, err, released)
			}
		})
	}
}

// TestRL22_ClockSetBack shows that setting back the server's clock extends retry
// windows by at most a minute.
func TestRL22_ClockSetBack(t *testing.T) {
	s := newScene(t)
	tokens := s.tokens("second")
	tokens.Refresh = &oauthkit.RefreshToken{Hash: "successor", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := s.store.RotateRefreshToken(t.Context(), rotation("refresh", tokens)); err != nil {
		t.Fatal(err)
	}
	repeat := oauthkit.Repeat{Hash: "refresh", Successor: "successor", Limit: 5, Now: func() time.Time { return now }}
	for _, test := range []struct {
		ahead string // the clock at the consumption of the token
		want  error
	}{
		{"30 seconds", nil}, {"2 minutes", oauthkit.ErrReplayed},
	} {
		move := "UPDATE oauth_refresh_tokens SET consumed_at = clock_timestamp() + CAST(? AS interval), " +
			"sealed_until = clock_timestamp() + interval '1 hour' WHERE hash = 'refresh'"
		if err := s.other.Exec(move, test.ahead).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := s.store.RepeatRefreshToken(t.Context(), repeat); !errors.Is(err, test.want) {
			t.Errorf("consumed %s in the future: got %v, want %v", test.ahead, err, test.want)
		}
	}
}

// TestApprovalAgainstRevocation shows that an approval waits for the revocation of its
// Consent, and then changes nothing.
func TestApprovalAgainstRevocation(t *testing.T) {
	for name, use := range map[string]oauthkit.ConsentUse{
		"remembered": oauthkit.ConsentRemembered, "widened": oauthkit.ConsentWidened,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			authorization := newAuthorization("second")
			approval := s.approval(authorization, use)
			approval.InteractionHash = "interaction"
			approval.Code = &oauthkit.AuthorizationCode{Hash: "second", Authorization: authorization, IssuedAt: now, ExpiresAt: now}
			err := s.while(t, removed, (*gorm.DB).Commit, func() error { return s.store.SaveApproval(t.Context(), approval) })
			if !errors.Is(err, oauthkit.ErrRevoked) {
				t.Errorf("got %v, want ErrRevoked", err)
			}
			interaction, err := s.store.Interaction(t.Context(), "interaction")
			if err != nil || !interaction.ConsumedAt.IsZero() {
				t.Errorf("got %+v, %v, want an unconsumed interaction", interaction, err)
			}
			if _, err := s.store.Consent(t.Context(), "client", "alice"); !errors.Is(err, oauthkit.ErrNotFound) {
				t.Errorf("Consent: got %v, want ErrNotFound", err)
			}
		})
	}
}

// TestRevocationAgainstFirstConsent shows that a revocation waits for a concurrent
// first Consent and then revokes its Authorization.
func TestRevocationAgainstFirstConsent(t *testing.T) {
	s := newScene(t)
	var revoked []string
	err := s.while(t, firstConsent, (*gorm.DB).Commit, func() (err error) {
		revoked, err = s.store.RevokeConsent(t.Context(), "client", "bob", oauthkit.Revocation{Now: now})
		return err
	})
	if err != nil || len(revoked) != 1 || revoked[0] != "bobs" {
		t.Errorf("got %q, %v, want the saved Authorization", revoked, err)
	}
	if _, err := s.store.Consent(t.Context(), "client", "bob"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("Consent: got %v, want ErrNotFound", err)
	}
}

// TestGivingUp has an act whose context ends. It fails, and the server has done
// everything or nothing, so a second attempt either succeeds or returns ErrReplayed.
func TestGivingUp(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.while(t, "SELECT id FROM oauth_authorizations FOR UPDATE", func(tx *gorm.DB) *gorm.DB {
		cancel()
		return tx.Rollback()
	}, func() error { return s.store.RotateRefreshToken(ctx, rotation("refresh", s.tokens("second"))) })
	first := err == nil
	err = s.store.RotateRefreshToken(t.Context(), rotation("refresh", s.tokens("third")))
	_, second := s.store.AccessToken(t.Context(), "second")
	_, third := s.store.AccessToken(t.Context(), "third")
	switch {
	case first && (!errors.Is(err, oauthkit.ErrReplayed) || second != nil):
		t.Errorf("the act was completed: got %v, and the token %v, want ErrReplayed and a token", err, second)
	case (second == nil) == (third == nil) || (third == nil) != (err == nil):
		t.Errorf("got %v, and tokens %v and %v, want exactly one act done", err, second, third)
	}
}
