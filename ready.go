package oauthkit

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Readier is a [Store] that can tell whether it can be written to.
type Readier interface {
	// Ready returns nil if the store answers and can be written to. It must change nothing.
	Ready(ctx context.Context) error
}

// ConnectionPool is a [Store] whose calls each need a connection of a limited number.
type ConnectionPool interface {
	// Connections returns how many connections there are at most. Zero: unlimited or unknown.
	Connections() int
}

// Ready returns nil if the store answers now and can be written to, for the readiness probe of
// a load balancer. It waits for at most [Provider.Timeout]. A store that is no [Readier] is
// asked for an access token that does not exist, which shows only that it can be read.
//
// Ready says nothing about the settings: [Provider.Check] does, once, at the start.
func (p *Provider) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	if err := p.storeReady(ctx); err != nil {
		return fmt.Errorf("oauthkit: Ready: %w", err)
	}
	return nil
}

func (p *Provider) storeReady(ctx context.Context) error {
	if store, ok := p.store.(Readier); ok {
		return store.Ready(ctx)
	}
	_, err := p.store.AccessToken(ctx, secret.Hash(secret.NewID()))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
