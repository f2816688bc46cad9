package gormstore_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// TestActs runs through the life of an Authorization, from the consent page to its
// revocation.
func TestActs(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store := migrated[*oauthkit.AbstractApplication](t, open())
		ctx := t.Context()
		authorization := newAuthorization()
		code := newCode(authorization)
		interaction := &oauthkit.Interaction{Hash: "hash", BrowserHash: "browser", Sealed: []byte("sealed"), CreatedAt: now, ExpiresAt: now}
		approval := &oauthkit.Approval{Authorization: authorization, InteractionHash: "hash", Code: code, ConsentUse: oauthkit.ConsentNew, Consent: &oauthkit.Consent{
			ID: "consent", ClientID: "client", Subject: "alice", Scopes: authorization.Scopes, CreatedAt: now, UpdatedAt: now,
		}}
		tokens, successors := newTokens(authorization), newTokens(authorization)
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"SaveInteraction", func() error { return store.SaveInteraction(ctx, interaction, 10) }},
			{"SaveApproval", func() error { return store.SaveApproval(ctx, approval) }},
			{"RedeemCode", func() error { return store.RedeemCode(ctx, code.Hash, tokens, now) }},
			{"RotateRefreshToken", func() error {
				return store.RotateRefreshToken(ctx, rotation(tokens.Refresh.Hash, successors, []byte("sealed")))
			}},
			{"AccessToken", func() error { _, err := store.AccessToken(ctx, successors.Access.Hash); return err }},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		if authorization.ConsentID != "consent" {
			t.Errorf("ConsentID: got %q, want consent", authorization.ConsentID)
		}
		revoked, err := store.RevokeConsent(ctx, "client", "alice", oauthkit.Revocation{Now: now})
		if err != nil || len(revoked) != 1 || revoked[0] != authorization.ID {
			t.Errorf("RevokeConsent: got %q, %v, want the Authorization", revoked, err)
		}
	})
}
