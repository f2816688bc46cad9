package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

const interactionColumns = `hash, browser_hash, subject, sealed, created_at, expires_at, consumed_at`

// SaveInteraction implements [oauthkit.Store].
func (c *Credentials) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, limit int) error {
	return failed("saving an interaction", c.dialect.saveInteraction(ctx, c.database, interaction, limit))
}

func (d *database) interactionArgs(interaction *oauthkit.Interaction) []any {
	return []any{
		interaction.Hash, interaction.BrowserHash, interaction.Subject, interaction.Sealed,
		d.stamp(interaction.CreatedAt), d.stamp(interaction.ExpiresAt), d.stampOrNull(interaction.ConsumedAt),
	}
}

const selectInteraction = `SELECT ` + interactionColumns + ` FROM {interactions} WHERE hash = $1`

// Interaction implements [oauthkit.Store].
func (c *Credentials) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	interaction := &oauthkit.Interaction{}
	err := c.first(ctx, c.pool(), selectInteraction, []any{hash},
		&interaction.Hash, &interaction.BrowserHash, &interaction.Subject, &interaction.Sealed,
		moment{&interaction.CreatedAt}, moment{&interaction.ExpiresAt}, moment{&interaction.ConsumedAt})
	if err != nil {
		return nil, failed("finding an interaction", err)
	}
	return interaction, nil
}

// ConsumeInteraction implements [oauthkit.Store].
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
