package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func otherSabotages() []sabotage {
	// token returns a fault in the result of AccessToken.
	token := func(spoil func(*oauthkit.AccessToken)) func(Store) Store {
		return func(s Store) Store { return spoiltToken{s, spoil} }
	}
	return []sabotage{
		{"loses a field of an interaction", func(s Store) Store { return partInteraction{s} }, []string{
			"interactions/Interaction returns the",
		}},
		{"consumes any interaction", func(s Store) Store { return consumesAny{s} }, []string{
			"interactions/Interaction and ConsumeInteraction", "interactions/ConsumeInteraction consumes an",
		}},
		{"ignores a second interaction with the same hash", func(s Store) Store { return savesAny{s} }, []string{
			"interactions/SaveInteraction of an",
			"interactions/SaveInteraction removes the oldest open interactions of the browser",
			"interactions/SaveInteraction removes the oldest open interactions of the user",
		}},
		{"keeps every interaction", func(s Store) Store { return keepsInteractions{s} }, []string{
			"interactions/SaveInteraction removes the oldest open interactions of the browser",
			"interactions/SaveInteraction removes the oldest open interactions of the user",
			"races/concurrent saves of",
		}},
		{"counts consumed interactions", func(s Store) Store { return &countsDecided{Store: s} }, []string{
			"interactions/SaveInteraction removes the oldest open interactions of the browser",
			"interactions/SaveInteraction removes the oldest open interactions of the user",
		}},
		{"returns the last proposed secret", func(s Store) Store { return &lastSecret{Store: s} }, []string{
			"interactions/SharedSecret returns the", "races/concurrent SharedSecret calls",
		}},

		{"fails without keys", func(s Store) Store { return needsKeys{s} }, []string{"keys/SigningKeys of an"}},
		{"loses a field of a key", func(s Store) Store { return partKey{s} }, []string{"keys/SigningKeys returns the"}},
		{"ignores a second key of a generation", func(s Store) Store { return addsAny{s} }, []string{"keys/AddSigningKey of an"}},
		{"fails for an unknown key", func(s Store) Store { return removesKnown{s} }, []string{"keys/RemoveSigningKey removes one"}},
		{"replaces any private key", func(s Store) Store { return replacesAny{s} }, []string{"keys/ReplacePrivateKey replaces only", "keys/exactly one of several concurrent Repl"}},
		{"always reports the removal of a key", func(s Store) Store { return removesEvery{s} }, []string{"keys/exactly one of several concurrent RemoveSigningKey"}},

		{"keeps seconds", token(func(a *oauthkit.AccessToken) { a.IssuedAt = a.IssuedAt.Truncate(time.Second) }), []string{
			"fidelity/times are stored",
		}},
		{"takes an unknown time for 1970", token(func(a *oauthkit.AccessToken) {
			if a.Authorization.AuthTime.IsZero() {
				a.Authorization.AuthTime = time.Unix(0, 0)
			}
		}), []string{"fidelity/a zero time"}},
		{"gives a token all that its Authorization is for", token(func(a *oauthkit.AccessToken) { a.Resources = a.Authorization.Resources }), []string{
			"tokens/an access token",
		}},
		{"trims text", token(func(a *oauthkit.AccessToken) {
			a.Authorization.Subject = strings.TrimSpace(a.Authorization.Subject)
		}), []string{"fidelity/text is stored"}},
		{"takes an empty list for a list of nothing", token(func(a *oauthkit.AccessToken) {
			a.Authorization.AMR = strings.Split(strings.Join(a.Authorization.AMR, "\x00"), "\x00")
		}), []string{"fidelity/empty fields stay"}},
		{"keeps lists as words", token(func(a *oauthkit.AccessToken) {
			a.Authorization.AMR = strings.Fields(strings.Join(a.Authorization.AMR, " "))
		}), []string{"fidelity/lists keep their"}},
		{"stores bytes as text", func(s Store) Store { return bytesAsText{s} }, []string{
			"fidelity/the sealed response", "refresh/RotateRefreshToken saves the",
		}},
		{"loses the key of an access token", token(func(a *oauthkit.AccessToken) { a.Confirmation = oauthkit.Confirmation{} }), []string{
			"fidelity/codes and tokens keep",
		}},
		{"loses the key of a code", func(s Store) Store { return unbindsCodes{s} }, []string{"fidelity/codes and tokens keep"}},
		{"loses the key of a refresh token", func(s Store) Store { return unbindsRefresh{s} }, []string{"fidelity/codes and tokens keep"}},
		{"binds successors to the key of the token before", func(s Store) Store { return inheritsKey{s} }, []string{
			"fidelity/codes and tokens keep",
		}},
		{"ignores white space after a hash", func(s Store) Store { return trimsHashes{s} }, []string{"fidelity/hashes are compared"}},
		{"reads from a lagging replica", func(s Store) Store { return &twoStores{s, memstore.New()} }, []string{
			"fidelity/rows saved by",
		}},

		{"returns ErrNotFound on failure", func(s Store) Store { return answersFailing{s} }, []string{"failure/a failing store"}},
		{"fails after a change", func(s Store) Store { return doesFailing{s} }, []string{"failure/an act that"}},
	}
}

type partInteraction struct{ Store }

func (s partInteraction) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	interaction, err := s.Store.Interaction(ctx, hash)
	if err == nil {
		interaction.BrowserHash = ""
	}
	return interaction, err
}

type consumesAny struct{ Store }

func (s consumesAny) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	_ = s.Store.ConsumeInteraction(ctx, hash, now)
	return nil
}

type savesAny struct{ Store }

func (s savesAny) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, limit int) error {
	_ = s.Store.SaveInteraction(ctx, interaction, limit)
	return nil
}

type keepsInteractions struct{ Store }

func (s keepsInteractions) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, _ int) error {
	return s.Store.SaveInteraction(ctx, interaction, 1000)
}

// countsDecided counts a consumed interaction towards the limit.
type countsDecided struct {
	Store
	mu      sync.Mutex
	decided int
}

func (s *countsDecided) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	err := s.Store.ConsumeInteraction(ctx, hash, now)
	if err == nil {
		s.mu.Lock()
		s.decided++
		s.mu.Unlock()
	}
	return err
}

func (s *countsDecided) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, limit int) error {
	s.mu.Lock()
	limit = max(1, limit-s.decided)
	s.mu.Unlock()
	return s.Store.SaveInteraction(ctx, interaction, limit)
}

type lastSecret struct {
	Store
	mu     sync.Mutex
	secret string
}

func (s *lastSecret) SharedSecret(_ context.Context, proposed string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = proposed
	return s.secret, nil
}

type needsKeys struct{ Store }

func (s needsKeys) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	keys, err := s.Store.SigningKeys(ctx)
	if err == nil && len(keys) == 0 {
		return nil, oauthkit.ErrNotFound
	}
	return keys, err
}

type partKey struct{ Store }

func (s partKey) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	keys, err := s.Store.SigningKeys(ctx)
	for _, key := range keys {
		key.ActiveAt = key.CreatedAt
	}
	return keys, err
}

type addsAny struct{ Store }

func (s addsAny) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	_ = s.Store.AddSigningKey(ctx, key)
	return nil
}

type removesKnown struct{ Store }

func (s removesKnown) RemoveSigningKey(ctx context.Context, id string) (bool, error) {
	keys, err := s.SigningKeys(ctx)
	if err == nil && !slices.ContainsFunc(keys, func(key *oauthkit.SigningKey) bool { return key.ID == id }) {
		return false, oauthkit.ErrNotFound
	}
	return s.Store.RemoveSigningKey(ctx, id)
}

type replacesAny struct{ Store }

func (s replacesAny) ReplacePrivateKey(ctx context.Context, id string, _, private []byte) (bool, error) {
	keys, err := s.SigningKeys(ctx)
	for _, key := range keys {
		if key.ID == id {
			return s.Store.ReplacePrivateKey(ctx, id, key.Private, private)
		}
	}
	return false, err
}

type removesEvery struct{ Store }

func (s removesEvery) RemoveSigningKey(ctx context.Context, id string) (bool, error) {
	_, err := s.Store.RemoveSigningKey(ctx, id)
	return err == nil, err
}

type spoiltToken struct {
	Store
	spoil func(*oauthkit.AccessToken)
}

func (s spoiltToken) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	token, err := s.Store.AccessToken(ctx, hash)
	if err == nil {
		s.spoil(token)
	}
	return token, err
}

type bytesAsText struct{ Store }

func (s bytesAsText) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	if err == nil {
		token.Sealed = bytes.ToValidUTF8(token.Sealed, []byte("?"))
	}
	return token, err
}

type unbindsCodes struct{ Store }

func (s unbindsCodes) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code, err := s.Store.Code(ctx, hash)
	if err == nil {
		code.Confirmation = oauthkit.Confirmation{}
	}
	return code, err
}

type unbindsRefresh struct{ Store }

func (s unbindsRefresh) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token, err := s.Store.RefreshToken(ctx, hash)
	if err == nil {
		token.Confirmation = oauthkit.Confirmation{}
	}
	return token, err
}

type inheritsKey struct{ Store }

func (s inheritsKey) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	token, err := s.RefreshToken(ctx, rotation.Hash)
	if err != nil || rotation.Successors.Refresh == nil {
		return errors.Join(err, s.Store.RotateRefreshToken(ctx, rotation))
	}
	successor := *rotation.Successors.Refresh
	successor.Confirmation, rotation.Successors.Refresh = token.Confirmation, &successor
	return s.Store.RotateRefreshToken(ctx, rotation)
}

type trimsHashes struct{ Store }

func (s trimsHashes) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	return s.Store.Code(ctx, strings.TrimSpace(hash))
}

// twoStores writes to one store and reads from another.
type twoStores struct {
	Store
	second Store
}

type answersFailing struct{ Store }

func (s answersFailing) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code, err := s.Store.Code(ctx, hash)
	if errors.Is(err, context.Canceled) {
		return nil, oauthkit.ErrNotFound
	}
	return code, err
}

type doesFailing struct{ Store }

func (s doesFailing) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	err := s.Store.RedeemCode(context.WithoutCancel(ctx), hash, tokens, now)
	return errors.Join(err, ctx.Err())
}
