package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

func interactionColumns() columns[oauthkit.Interaction] {
	type row = oauthkit.Interaction
	return columns[row]{
		known("hash", func(r *row) *string { return &r.Hash }),
		plain("browser_hash", func(r *row) *string { return &r.BrowserHash }),
		plain("subject", func(r *row) *string { return &r.Subject }),
		plain("sealed", func(r *row) *[]byte { return &r.Sealed }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
		optionalMoment("consumed_at", func(r *row) *time.Time { return &r.ConsumedAt }),
	}
}

// SaveInteraction implements [oauthkit.Store].
func (c *Credentials) SaveInteraction(ctx context.Context, interaction *oauthkit.Interaction, limit int) error {
	return storeError("saving an interaction", c.dialect.saveInteraction(ctx, c.database, interaction, limit))
}

const selectInteraction = `SELECT [interaction_rest] FROM {interactions} WHERE hash = @hash`

// Interaction implements [oauthkit.Store].
func (c *Credentials) Interaction(ctx context.Context, hash string) (*oauthkit.Interaction, error) {
	interaction := &oauthkit.Interaction{Hash: hash}
	fields := c.tables.interactions.rest(make([]any, 0, maxFields), interaction)
	err := c.queryRow(ctx, c.pool(), selectInteraction, arguments{hash: hash}, fields...)
	if err != nil {
		return nil, storeError("finding an interaction", err)
	}
	return interaction, nil
}

// ConsumeInteraction implements [oauthkit.Store].
func (c *Credentials) ConsumeInteraction(ctx context.Context, hash string, now time.Time) error {
	return storeError("consuming an interaction", c.consumeInteraction(ctx, c.pool(), hash, now))
}

const (
	consumeInteraction  = `UPDATE {interactions} SET consumed_at = @now WHERE hash = @hash AND consumed_at IS NULL`
	interactionConsumed = `SELECT consumed_at IS NOT NULL FROM {interactions} WHERE hash = @hash`
)

// consumeInteraction updates the row, and finds out the reason only if there was none
// to update.
func (d *database) consumeInteraction(ctx context.Context, conn gorm.ConnPool, hash string, now time.Time) error {
	a := arguments{hash: hash, now: now}
	rows, err := d.execute(ctx, conn, consumeInteraction, a)
	if err != nil || rows == 1 {
		return err
	}
	var consumed bool
	if err := d.queryRow(ctx, conn, interactionConsumed, a, &consumed); err != nil {
		return err
	}
	return oauthkit.ErrReplayed
}
