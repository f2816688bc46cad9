package grants

import (
	"context"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// The longest times that the checks say nothing about.
const (
	longCode  = time.Minute
	longRetry = 30 * time.Second
)

// Check implements [oauthkit.Checker].
func (g *authorizationCode) Check(context.Context) []oauthkit.Finding {
	if g.lifetime <= longCode {
		return nil
	}
	return []oauthkit.Finding{{
		ID: "grants.W001", Severity: oauthkit.SeverityWarning,
		Message: fmt.Sprintf("an authorization code is good for %s; it travels through the browser, where it can leak (RFC 9700 §4.2)", g.lifetime),
		Hint:    "Set AuthorizationCodeConfig.Lifetime to a minute or less",
	}}
}

// Check implements [oauthkit.Checker].
func (g *refreshToken) Check(context.Context) []oauthkit.Finding {
	if g.window <= longRetry {
		return nil
	}
	return []oauthkit.Finding{{
		ID: "grants.W002", Severity: oauthkit.SeverityWarning,
		Message: fmt.Sprintf("a refresh token that was used can be presented again for %s before that counts as a theft (RFC 9700 §4.14.2)", g.window),
		Hint:    "Set RefreshTokenConfig.RetryWindow to 30 seconds or less",
	}}
}

// Store implements [oauthkit.StoreHolder].
func (g *authorizationCode) Store() any { return g.store }

// Store implements [oauthkit.StoreHolder].
func (g *refreshToken) Store() any { return g.store }

// Store implements [oauthkit.StoreHolder].
func (g *clientCredentials) Store() any { return g.store }
