package oauthkit

import (
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// setting is one that may depart from what is recommended.
type setting struct {
	departs           bool
	id, message, hint string
}

// departing returns the settings that do, as warnings: each was asked for by name, or left out.
func departing(settings []setting) []Finding {
	var findings []Finding
	for _, s := range settings {
		if s.departs {
			findings = append(findings, Finding{ID: s.id, Severity: SeverityWarning, Message: s.message, Hint: s.hint})
		}
	}
	return findings
}

func (p *Provider) checkConfig() []Finding {
	settings := []setting{
		{
			isExposed(p.issuer), "oauthkit.W001",
			fmt.Sprintf("the issuer %s is not https, so everything that is sent to it can be read and changed on the way (RFC 9700 §2.6)", p.issuer),
			"Serve it over https, and take Config.AllowInsecureIssuer away",
		},
		{
			len(p.config.Grants) == 0, "oauthkit.W002",
			"Config.Grants is empty, so no token can be issued",
			"Set it to grants.Standard, unless this program only checks tokens that others issue",
		},
		{
			p.config.Observe == nil, "oauthkit.W003",
			"Config.Observe is nil, so nobody is told of replays, failed authentication, consent and revocation",
			"Set it to a function that keeps an audit log",
		},
		{
			p.config.Logger.Handler() == slog.DiscardHandler, "oauthkit.W004",
			"Config.Logger is nil or discards everything, so failures leave no trace",
			"Set it to the program's logger",
		},
		{
			p.config.UserIsActive == nil && len(p.authorizers) > 0, "oauthkit.W005",
			"Config.UserIsActive is nil, so whoever is deactivated keeps the access that was issued for him",
			"Set it, or call Authorizations.RevokeUser whenever a user is deactivated, and accept this",
		},
		{
			p.config.Secret != "" && isMonotonous(p.config.Secret), "oauthkit.W011",
			"Config.Secret looks like an example, so whoever reads the database could try what opens the keys there",
			"Make it of 32 random bytes, such as openssl rand -base64 32 prints; rotate the signing keys and remove those before",
		},
	}
	for _, resource := range p.config.Resources {
		settings = append(settings, setting{
			isExposed(resource), "oauthkit.W006",
			fmt.Sprintf("the API %s in Config.Resources is not https, so tokens can be read on the way to it (RFC 6750 §5.3)", resource),
			"Serve the API over https and name it so",
		})
	}
	return departing(settings)
}

// isMonotonous reports whether a secret has at most ten different bytes. Of 32 random characters nearly all are different, and of
// hexadecimal digits about 14.
func isMonotonous(secret string) bool {
	different := map[byte]bool{}
	for i := range len(secret) {
		different[secret[i]] = true
	}
	return len(different) <= 10
}

// isExposed reports whether what is sent to uri leaves the machine unencrypted.
func isExposed(uri string) bool {
	parsed, err := url.Parse(uri)
	return err == nil && parsed.Scheme == "http" && !redirect.IsLoopback(parsed.Hostname())
}

const day = 24 * time.Hour

// The longest lifetimes that Check says nothing about.
const (
	longAccessToken = time.Hour
	longIdle        = 90 * day
	longRefresh     = 365 * day
)

func (p *Provider) checkLifetimes() []Finding {
	return departing([]setting{
		{
			p.config.AccessTokenLifetime > longAccessToken && p.config.ChooseAccessTokenLifetime == nil, "oauthkit.W007",
			fmt.Sprintf("Config.AccessTokenLifetime is %s; whoever gets hold of an access token has it for so long", p.config.AccessTokenLifetime),
			"Choose an hour or less, and let applications refresh",
		},
		{
			p.config.RefreshTokenIdleLifetime > longIdle, "oauthkit.W008",
			fmt.Sprintf("Config.RefreshTokenIdleLifetime is %d days; a refresh token that nobody uses stays good for so long (RFC 9700 §4.14.2)", p.config.RefreshTokenIdleLifetime/day),
			"Choose 90 days or less",
		},
		{
			p.config.RefreshTokenLifetime > longRefresh, "oauthkit.W009",
			fmt.Sprintf("Config.RefreshTokenLifetime is %d days; a user is not asked to sign in again for so long", p.config.RefreshTokenLifetime/day),
			"Choose a year or less",
		},
	})
}
