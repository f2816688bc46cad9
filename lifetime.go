package oauthkit

import (
	"context"
	"fmt"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// LifetimeRequest is what Config.ChooseAccessTokenLifetime decides with.
type LifetimeRequest struct {
	Application Application
	GrantType   oauth2.GrantType
	Scopes      Scopes // those of the token
	Subject     string // the user; empty where the application acts for itself
}

// accessTokenLifetime asks, in this order, Config.ChooseAccessTokenLifetime, the application, and Config.AccessTokenLifetime.
func (p *Provider) accessTokenLifetime(ctx context.Context, request LifetimeRequest) (time.Duration, error) {
	if p.config.ChooseAccessTokenLifetime == nil {
		return accessTokenLifetime(request.Application, p.config.AccessTokenLifetime), nil
	}
	lifetime, err := p.config.ChooseAccessTokenLifetime(ctx, request)
	lifetime = lifetime.Truncate(time.Second) // as expires_in counts
	switch {
	case err != nil:
		return 0, Unavailable(fmt.Errorf("asking for the lifetime of an access token: %w", err))
	case lifetime <= 0 || lifetime > maxLifetime:
		return 0, Errorf(ServerError, "").WithCause(fmt.Errorf("Config.ChooseAccessTokenLifetime returned %s", lifetime))
	default:
		return lifetime, nil
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
