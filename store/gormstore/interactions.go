package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

const insertInteraction = `INSERT INTO {interactions} (hash, browser_hash, request, created_at, expires_at, consumed_at)
VALUES ($1, $2, $3, $4, $5, $6)`

// SaveInteraction implements [oauthkit.InteractionStore].
func (c *Credentials) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction) error {
	_, err := c.execute(ctx, c.pool(), insertInteraction, interaction.Hash, interaction.BrowserHash, interaction.Request,
		c.stamp(interaction.CreatedAt), c.stamp(interaction.ExpiresAt), c.stampOrNull(interaction.ConsumedAt))
	return failed("saving an interaction", err)
}

const selectInteraction = `SELECT hash, browser_hash, request, created_at, expires_at, consumed_at FROM {interactions} WHERE hash = $1`

// Interaction implements [oauthkit.InteractionStore].
func (c *Credentials) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	interaction := &oauthkit.Interaction{}
	err := c.first(ctx, c.pool(), selectInteraction, []any{hash}, &interaction.Hash, &interaction.BrowserHash, &interaction.Request,
		moment{&interaction.CreatedAt}, moment{&interaction.ExpiresAt}, moment{&interaction.ConsumedAt})
	if err != nil {
		return nil, failed("finding an interaction", err)
	}
	return interaction, nil
}

// ConsumeInteraction implements [oauthkit.InteractionStore].
func (c *Credentials) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	return failed("consuming an interaction", c.consumeInteraction(ctx, c.pool(), hash, now))
}

const (
	consumeInteraction  = `UPDATE {interactions} SET consumed_at = $2 WHERE hash = $1 AND consumed_at IS NULL`
	interactionConsumed = `SELECT consumed_at IS NOT NULL FROM {interactions} WHERE hash = $1`
)

// consumeInteraction updates first and asks only then why nothing was updated.
func (d *database) consumeInteraction(ctx context.Context, on gorm.ConnPool, hash string, now time.Time) error {
	rows, err := d.execute(ctx, on, consumeInteraction, hash, d.stamp(now))
	if err != nil || rows == 1 {
		return err
	}
	var consumed bool
	if err := d.first(ctx, on, interactionConsumed, []any{hash}, &consumed); err != nil {
		return err
	}
	return oauthkit.ErrReplayed
}
