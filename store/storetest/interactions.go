package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

func interactionRules() []rule {
	return []rule{
		{
			"Interaction returns the interaction unchanged",
			"the user approves another request than the application made",
			testInteraction,
		},
		{
			"Interaction and ConsumeInteraction return ErrNotFound for an unknown interaction",
			"an invented request looks like a completed one, or like a failing database",
			testUnknownInteraction,
		},
		{
			"ConsumeInteraction consumes an interaction once, then returns ErrReplayed and keeps the first time",
			"a request is decided twice",
			testConsumeInteraction,
		},
		{
			"Interaction returns expired interactions",
			"the page cannot tell the user that the request expired",
			testExpiredInteraction,
		},
		{
			"SaveInteraction of an existing interaction returns ErrReplayed and changes nothing",
			"one request replaces another, or a completed request can be decided again",
			testInteractionTwice,
		},
		{
			"SaveInteraction removes the oldest open interactions of the browser beyond the limit, and no others",
			"one browser fills the database, or removes pending requests of other users",
			func(t *trial) {
				testInteractionLimit(t, func(i *oauthkit.Interaction, browser string) { i.BrowserHash = browser })
			},
		},
		{
			"SaveInteraction removes the oldest open interactions of the user beyond the limit, and no others",
			"one account fills the database, or removes pending requests of other users",
			func(t *trial) {
				testInteractionLimit(t, func(i *oauthkit.Interaction, user string) { i.Subject = user })
			},
		},
		{
			"SharedSecret returns the value that was proposed first",
			"data sealed by one instance cannot be opened by another, or after a restart",
			testSharedSecret,
		},
	}
}

func testInteraction(t *trial) {
	interaction := t.mustSaveInteraction()
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testUnknownInteraction(t *trial) {
	for _, hash := range []string{"", newHash(), t.mustSaveInteraction().BrowserHash} {
		_, err := t.Interaction(t.ctx, hash)
		t.wantError("Interaction, unknown", err, oauthkit.ErrNotFound)
		t.wantError("ConsumeInteraction, unknown", t.ConsumeInteraction(t.ctx, hash, t.now), oauthkit.ErrNotFound)
	}
}

func testConsumeInteraction(t *trial) {
	interaction := t.mustSaveInteraction()
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now))
	later := t.now.Add(time.Second)
	t.wantError("ConsumeInteraction, again", t.ConsumeInteraction(t.ctx, interaction.Hash, later), oauthkit.ErrReplayed)
	interaction.ConsumedAt = t.now
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testExpiredInteraction(t *trial) {
	interaction := t.interaction()
	interaction.ExpiresAt = t.now.Add(-time.Hour)
	t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, interaction, interactionLimit))
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testInteractionTwice(t *trial) {
	interaction := t.mustSaveInteraction()
	another := t.interaction()
	another.Hash = interaction.Hash
	t.wantError("SaveInteraction, of one that exists", t.SaveInteraction(t.ctx, another, interactionLimit), oauthkit.ErrReplayed)
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now))
	t.wantError("SaveInteraction, of one that was decided", t.SaveInteraction(t.ctx, another, interactionLimit), oauthkit.ErrReplayed)
	interaction.ConsumedAt = t.now
	t.wantEqual("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

// testInteractionLimit saves interactions that share a browser or a user.
func testInteractionLimit(t *trial, share func(interaction *oauthkit.Interaction, common string)) {
	const limit = 3
	common := newHash()
	saved := func(second int) *oauthkit.Interaction {
		t.Helper()
		interaction := t.interaction()
		share(interaction, common)
		interaction.CreatedAt = t.now.Add(time.Duration(second) * time.Second)
		t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, interaction, limit))
		return interaction
	}
	others, decided := t.mustSaveInteraction(), saved(0)
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, decided.Hash, t.now))
	decided.ConsumedAt = t.now

	third, first, second, fourth := saved(3), saved(1), saved(2), saved(4)
	another := t.interaction()
	another.Hash = second.Hash
	t.wantError("SaveInteraction, of one that exists", t.SaveInteraction(t.ctx, another, 1), oauthkit.ErrReplayed)
	t.wantNoInteraction(first)
	for _, kept := range []*oauthkit.Interaction{others, decided, second, third, fourth} {
		t.wantEqual("Interaction", t.storedInteraction(kept.Hash), kept)
	}
	past := saved(-1) // by a slow clock: the new one stays
	t.wantEqual("Interaction", t.storedInteraction(past.Hash), past)
	t.wantNoInteraction(second)
}

func (t *trial) wantNoInteraction(interaction *oauthkit.Interaction) {
	t.Helper()
	_, err := t.Interaction(t.ctx, interaction.Hash)
	t.wantError("Interaction, of one beyond the limit", err, oauthkit.ErrNotFound)
}

func testSharedSecret(t *trial) {
	first, err := t.SharedSecret(t.ctx, newHash())
	t.mustSucceed("SharedSecret", err)
	for _, store := range []Store{t.Store, t.second} {
		again, err := store.SharedSecret(t.ctx, newHash())
		t.mustSucceed("SharedSecret, again", err)
		t.wantEqual("SharedSecret, again", again, first)
	}
}
