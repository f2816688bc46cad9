package grants

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// The longest durations without a warning.
const (
	longCode  = time.Minute
	longRetry = 30 * time.Second
)

// Check implements [oauthkit.Checker].
func (g *authorizationCode) Check(context.Context) []oauthkit.Finding {
	var findings []oauthkit.Finding
	if g.lifetime > longCode {
		findings = append(findings, oauthkit.Finding{
			ID: "grants.W001", Severity: oauthkit.SeverityWarning,
			Message: fmt.Sprintf("authorization codes are valid for %s, and a code can leak from the browser (RFC 9700 §4.2)", g.lifetime),
			Hint:    "Set AuthorizationCodeConfig.Lifetime to one minute or less",
		})
	}
	if slices.Contains(g.methods, oauth2.CodeChallengePlain) {
		findings = append(findings, oauthkit.Finding{
			ID: "grants.W003", Severity: oauthkit.SeverityWarning,
			Message: "AuthorizationCodeConfig.AllowPlainPKCE is true, so a code can be redeemed by anyone who also saw the authorization request (RFC 9700 §2.1.1)",
			Hint:    "Let the applications send S256, and remove the setting",
		})
	}
	return findings
}

// Check implements [oauthkit.Checker].
func (g *refreshToken) Check(context.Context) []oauthkit.Finding {
	if g.window <= longRetry {
		return nil
	}
	return []oauthkit.Finding{{
		ID: "grants.W002", Severity: oauthkit.SeverityWarning,
		Message: fmt.Sprintf("a used refresh token can be repeated for %s before that counts as a replay (RFC 9700 §4.14.2)", g.window),
		Hint:    "Set RefreshTokenConfig.RetryWindow to 30 seconds or less",
	}}
}

// Store implements [oauthkit.StoreHolder].
func (g *authorizationCode) Store() any { return g.store }

// Store implements [oauthkit.StoreHolder].
func (g *refreshToken) Store() any { return g.store }

// Store implements [oauthkit.StoreHolder].
func (g *clientCredentials) Store() any { return g.store }
