package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

func interactionRules() []rule {
	return []rule{
		{
			"an interaction is returned as it was saved",
			"the request that the user approves is not the one that the application made",
			testInteraction,
		},
		{
			"an interaction that does not exist is ErrNotFound",
			"an invented request is taken for one that was decided, or for a failing database",
			testUnknownInteraction,
		},
		{
			"an interaction is consumed once and then ErrReplayed, and the first time is kept",
			"a request is decided twice",
			testConsumeInteraction,
		},
		{
			"an expired interaction is still returned",
			"the page cannot tell the user that he took too long",
			testExpiredInteraction,
		},
		{
			"an interaction that exists cannot be saved again",
			"one request takes the place of another",
			testInteractionTwice,
		},
	}
}

func testInteraction(t *trial) {
	interaction := t.savedInteraction()
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testUnknownInteraction(t *trial) {
	for _, hash := range []string{"", newHash(), t.savedInteraction().BrowserHash} {
		_, err := t.Interaction(t.ctx, hash)
		t.answered("Interaction, unknown", err, oauthkit.ErrNotFound)
		t.answered("ConsumeInteraction, unknown", t.ConsumeInteraction(t.ctx, hash, t.now), oauthkit.ErrNotFound)
	}
}

func testConsumeInteraction(t *trial) {
	interaction := t.savedInteraction()
	t.done("ConsumeInteraction", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now))
	later := t.now.Add(time.Second)
	t.answered("ConsumeInteraction, again", t.ConsumeInteraction(t.ctx, interaction.Hash, later), oauthkit.ErrReplayed)
	interaction.ConsumedAt = t.now
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testExpiredInteraction(t *trial) {
	interaction := t.interaction()
	interaction.ExpiresAt = t.now.Add(-time.Hour)
	t.done("SaveInteraction", t.SaveInteraction(t.ctx, interaction))
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
}

func testInteractionTwice(t *trial) {
	interaction := t.savedInteraction()
	another := t.interaction()
	another.Hash = interaction.Hash
	t.failed("SaveInteraction, of one that exists", t.SaveInteraction(t.ctx, another))
	t.same("Interaction", t.storedInteraction(interaction.Hash), interaction)
}
