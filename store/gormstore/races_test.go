package gormstore_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// race calls all functions at the same time.
func race(calls ...func()) {
	var ready, done sync.WaitGroup
	ready.Add(len(calls))
	for _, call := range calls {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			call()
		})
	}
	done.Wait()
}

// twoStores returns two instances on one database.
func twoStores(t *testing.T, open func() *gorm.DB) [2]*store {
	return [2]*store{migrated[*oauthkit.AbstractApplication](t, open()), migrated[*oauthkit.AbstractApplication](t, open())}
}

// TestOneCode redeems one code in 100 goroutines of two instances. One gets tokens,
// and the others get ErrReplayed.
func TestOneCode(t *testing.T) { each(t, testOneCode) }

func testOneCode(t *testing.T, open func() *gorm.DB) {
	stores := twoStores(t, open)
	code := newCode(newAuthorization())
	if err := stores[0].SaveApproval(t.Context(), &oauthkit.Approval{Authorization: code.Authorization, Code: code}); err != nil {
		t.Fatal(err)
	}
	const contenders = 100
	var tokens [contenders]oauthkit.Tokens
	var answers [contenders]error
	var calls []func()
	for i := range contenders {
		tokens[i] = newTokens(code.Authorization)
		calls = append(calls, func() { answers[i] = stores[i%2].RedeemCode(t.Context(), code.Hash, tokens[i], now) })
	}
	race(calls...)
	won := 0
	for i, err := range answers {
		_, stored := stores[1].AccessToken(t.Context(), tokens[i].Access.Hash)
		_, storedRefresh := stores[1].RefreshToken(t.Context(), tokens[i].Refresh.Hash)
		switch {
		case err == nil:
			won++
			if stored != nil || storedRefresh != nil {
				t.Errorf("winner %d: got %v and %v, want its tokens stored", i, stored, storedRefresh)
			}
		case !errors.Is(err, oauthkit.ErrReplayed):
			t.Errorf("loser %d: got %v, want ErrReplayed", i, err)
		case !errors.Is(stored, oauthkit.ErrNotFound) || !errors.Is(storedRefresh, oauthkit.ErrNotFound):
			t.Errorf("loser %d: got %v and %v, want no tokens stored", i, stored, storedRefresh)
		}
	}
	if won != 1 {
		t.Errorf("got %d winners, want 1", won)
	}
}

// TestRotationAgainstRevocation runs 300 pairs of a rotation and a revocation. The
// rotation succeeds before the revocation, or gets ErrRevoked and saves nothing.
func TestRotationAgainstRevocation(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		stores, ctx := twoStores(t, open), t.Context()
		for i := range 300 {
			authorization := newAuthorization()
			tokens, successors := newTokens(authorization), newTokens(authorization)
			if err := stores[0].SaveTokens(ctx, authorization, tokens); err != nil {
				t.Fatal(err)
			}
			var rotated, revoked error
			var changed bool
			race(
				func() { rotated = stores[i%2].RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, successors, nil)) },
				func() {
					changed, revoked = stores[1-i%2].RevokeAuthorization(ctx, authorization.ID, oauthkit.Revocation{Now: now})
				},
			)
			if revoked != nil || !changed {
				t.Fatalf("pair %d, revocation: got %t, %v, want true", i, changed, revoked)
			}
			old, err := stores[0].RefreshToken(ctx, tokens.Refresh.Hash)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := stores[0].AccessToken(ctx, successors.Access.Hash)
			switch {
			case rotated == nil && (err != nil || fresh.Authorization.Valid(now) || old.ConsumedAt.IsZero()):
				t.Errorf("pair %d, rotated: got %v, %v, want a revoked token and the old one consumed", i, fresh, err)
			case rotated != nil && (!errors.Is(rotated, oauthkit.ErrRevoked) || !errors.Is(err, oauthkit.ErrNotFound) || !old.ConsumedAt.IsZero()):
				t.Errorf("pair %d, not rotated: got %v, %v, want ErrRevoked and no change", i, rotated, err)
			}
		}
	})
}

// TestConsentAgainstRevocation approves and revokes the same consent at the same
// time. If the consent exists afterwards, the Authorization is valid, and otherwise
// it is revoked.
func TestConsentAgainstRevocation(t *testing.T) {
	for name, test := range map[string]struct {
		first bool // nothing is remembered yet
		use   oauthkit.ConsentUse
	}{
		"first": {true, oauthkit.ConsentNew}, "again": {false, oauthkit.ConsentNew},
		"remembered": {false, oauthkit.ConsentRemembered}, "widened": {false, oauthkit.ConsentWidened},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, open func() *gorm.DB) { testConsentAgainstRevocation(t, open, test.first, test.use) })
		})
	}
}

func testConsentAgainstRevocation(t *testing.T, open func() *gorm.DB, first bool, use oauthkit.ConsentUse) {
	stores, ctx, anew := twoStores(t, open), t.Context(), use == oauthkit.ConsentNew
	for i := range 50 {
		subject := fmt.Sprintf("user-%d", i)
		approve := func(use oauthkit.ConsentUse) error {
			authorization := newAuthorization()
			authorization.Subject = subject
			consent := &oauthkit.Consent{ID: subject, ClientID: "client", Subject: subject, CreatedAt: now, UpdatedAt: now}
			return stores[i%2].SaveApproval(ctx, &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: use, Code: newCode(authorization)})
		}
		if !first {
			if err := approve(oauthkit.ConsentNew); err != nil {
				t.Fatal(err)
			}
		}
		var saved, failed error
		var revoked []string
		race(
			func() { saved = approve(use) },
			func() {
				revoked, failed = stores[1-i%2].RevokeConsent(ctx, "client", subject, oauthkit.Revocation{Now: now})
			},
		)
		if failed != nil {
			t.Fatalf("%d: RevokeConsent: %v", i, failed)
		}
		_, err := stores[0].Consent(ctx, "client", subject)
		remaining, fatal := stores[0].RevokeConsent(ctx, "client", subject, oauthkit.Revocation{Now: now})
		if fatal != nil {
			t.Fatal(fatal)
		}
		kept := err == nil
		switch {
		case saved != nil && (anew || !errors.Is(saved, oauthkit.ErrRevoked)):
			t.Errorf("%d: SaveApproval: got %v, want nil, or ErrRevoked if the consent had to exist", i, saved)
		case kept != (len(remaining) == 1) || kept && !anew:
			t.Errorf("%d: got consent kept %t and then %d valid Authorizations, revoked %d before", i, kept, len(remaining), len(revoked))
		}
	}
}

// TestOneInteraction approves one request many times. One code is saved, and nothing
// of the other approvals.
func TestOneInteraction(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		stores, ctx := twoStores(t, open), t.Context()
		if err := stores[0].SaveInteraction(ctx, &oauthkit.Interaction{Hash: "hash", Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: now}, 10); err != nil {
			t.Fatal(err)
		}
		const contenders = 40
		var answers [contenders]error
		var codes [contenders]*oauthkit.AuthorizationCode
		var calls []func()
		for i := range contenders {
			codes[i] = newCode(newAuthorization())
			approval := &oauthkit.Approval{Authorization: codes[i].Authorization, InteractionHash: "hash", Code: codes[i]}
			calls = append(calls, func() { answers[i] = stores[i%2].SaveApproval(ctx, approval) })
		}
		race(calls...)
		won := slices.IndexFunc(answers[:], func(err error) bool { return err == nil })
		for i, err := range answers {
			_, stored := stores[0].Code(ctx, codes[i].Hash)
			if i == won && stored == nil {
				continue
			}
			if !errors.Is(err, oauthkit.ErrReplayed) || !errors.Is(stored, oauthkit.ErrNotFound) {
				t.Errorf("approval %d: got %v and a code %v, want ErrReplayed and ErrNotFound", i, err, stored)
			}
		}
		if won < 0 {
			t.Error("got no code, want one")
		}
	})
}

// TestRevocationsTogether runs all acts that lock several Authorizations against each
// other. A deadlock would be an error.
func TestRevocationsTogether(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		stores, ctx := twoStores(t, open), t.Context()
		for range 10 {
			if err := stores[0].ApplicationTable.Create(ctx, newApplication(), now); err != nil {
				t.Fatal(err)
			}
			var calls []func()
			for i := range 8 {
				for range 10 {
					authorization := newAuthorization()
					authorization.Subject = fmt.Sprint(i % 4)
					if err := stores[0].SaveTokens(ctx, authorization, newTokens(authorization)); err != nil {
						t.Fatal(err)
					}
				}
				calls = append(calls, func() {
					if _, err := stores[i%2].RevokeConsent(ctx, "client", fmt.Sprint(i%4), oauthkit.Revocation{Now: now}); err != nil {
						t.Error(err)
					}
				})
			}
			race(append(calls,
				func() {
					if err := stores[1].ApplicationTable.Delete(ctx, "client", now); err != nil {
						t.Error(err)
					}
				},
				func() {
					if _, err := stores[0].Cleanup(ctx, oauthkit.CleanupLimits{Now: now.AddDate(1, 0, 0), Batch: 7}); err != nil {
						t.Error(err)
					}
				},
			)...)
		}
	})
}
