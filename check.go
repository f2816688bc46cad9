package oauthkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// Severity says what a [Finding] means for the start of a program.
type Severity string

// The severities. Whatever is not SeverityWarning counts as an error.
const (
	SeverityError   Severity = "error"   // the provider cannot work
	SeverityWarning Severity = "warning" // it works, and is weaker than it could be or not what somebody expects
)

// Finding is one thing that [Provider.Check] found. It holds no secret.
type Finding struct {
	// ID names the check for ever, such as "oauthkit.W001", so that a host can tell which findings it has accepted.
	ID string
	// Severity says whether a program should start nevertheless.
	Severity Severity
	// Message says what was found.
	Message string
	// Hint says what to do about it.
	Hint string
}

// String returns the finding as one line for people.
func (f Finding) String() string { return f.ID + ": " + f.Message + ". " + f.Hint }

// Checker is a [Grant], an [Extension], a [ScopeBackend] or a [Store] that has something to say about how it was set up.
type Checker interface {
	// Check returns what it found, with ids that begin with the name of its package. It must not change anything, and what
	// it cannot find out must be a finding too.
	Check(ctx context.Context) []Finding
}

// Check returns every setting that is weaker than RFC 9700 or this library recommends, every stored application that does not
// work by the present rules, and every failure that kept it from knowing: the errors first, then in the order of their
// ids. It reads all applications where the store is an [ApplicationManager], and asks each part of the provider that is
// a [Checker].
func (p *Provider) Check(ctx context.Context) []Finding {
	findings := slices.Concat(p.checkConfig(), p.checkLifetimes(), p.checkTables(ctx), p.checkStores(ctx), p.checkApplications(ctx), p.checkCleanup(ctx))
	for _, part := range p.parts() {
		if checker, ok := part.(Checker); ok {
			findings = append(findings, checker.Check(ctx)...)
		}
	}
	slices.SortFunc(findings, func(one, other Finding) int {
		return cmp.Or(cmp.Compare(one.Severity, other.Severity), cmp.Compare(one.ID, other.ID), cmp.Compare(one.Message, other.Message))
	})
	return slices.Compact(findings) // one value can be two parts
}

// CheckAtStart is Check for a program that is about to serve: it logs what was found to Config.Logger, and returns an error
// that names every finding which is no warning. Warnings whose id is among accepted are left out of the log.
func (p *Provider) CheckAtStart(ctx context.Context, accepted ...string) error {
	var failed []error
	for _, finding := range p.Check(ctx) {
		level := slog.LevelWarn
		switch {
		case finding.Severity != SeverityWarning:
			level = slog.LevelError
			p.Record(ctx, CheckFailed{FindingID: finding.ID, Message: finding.Message})
			failed = append(failed, errors.New(finding.String()))
		case slices.Contains(accepted, finding.ID):
			continue
		}
		p.Logger().Log(ctx, level, finding.Message, "id", finding.ID, "hint", finding.Hint)
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("oauthkit: the provider cannot be started: %w", errors.Join(failed...))
}

// parts returns everything that may be a Checker.
func (p *Provider) parts() []any {
	parts := []any{p.store, p.config.Scopes}
	for _, grant := range p.config.Grants {
		parts = append(parts, grant)
	}
	for _, extension := range p.config.Extensions {
		parts = append(parts, extension)
	}
	return parts
}

// checkTables asks for something that cannot be there. Every answer but "no such thing" says that tokens and scopes could
// not be told either.
func (p *Provider) checkTables(ctx context.Context) []Finding {
	var findings []Finding
	if _, err := p.store.AccessToken(ctx, secret.Hash(secret.NewID())); !errors.Is(err, ErrNotFound) {
		findings = append(findings, storeFinding("access tokens", err))
	}
	if _, err := p.config.Scopes.All(ctx); err != nil {
		findings = append(findings, Finding{
			ID: "oauthkit.E002", Severity: SeverityError,
			Message: fmt.Sprintf("the scopes cannot be read: %v", err),
			Hint:    "Every request for a scope will be answered with 503. See to what Config.Scopes reads from",
		})
	}
	return findings
}

func storeFinding(what string, err error) Finding {
	return Finding{
		ID: "oauthkit.E001", Severity: SeverityError,
		Message: fmt.Sprintf("the store cannot tell about %s: %v", what, err),
		Hint:    "Requests will be answered with 503. See whether the database can be reached and its migrations have run",
	}
}

// setting is one that may depart from what is recommended.
type setting struct {
	weak              bool
	id, message, hint string
}

// departing returns the settings that do, as warnings: each was asked for by name, or left out.
func warnings(settings []setting) []Finding {
	var findings []Finding
	for _, s := range settings {
		if s.weak {
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
	return warnings(settings)
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
	return warnings([]setting{
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

// StoreHolder is a [Grant] or an [Extension] that was given a store of its own.
type StoreHolder interface {
	// Store returns it. [Provider.Check] asks it where it is, if it is [Placed].
	Store() any
}

// checkStores looks for a part that keeps what it issues elsewhere than the provider's store does, where the other parts will not find
// it: each act, such as redeeming a code for tokens, has to be one transaction.
func (p *Provider) checkStores(ctx context.Context) []Finding {
	home, err := locationOf(ctx, p.store)
	if err != nil {
		return []Finding{storeFinding("where it keeps what is issued", err)}
	}
	var findings []Finding
	for _, part := range p.parts() {
		holder, ok := part.(StoreHolder)
		if !ok {
			continue
		}
		location, err := locationOf(ctx, holder.Store())
		switch {
		case err != nil:
			findings = append(findings, storeFinding("where it keeps what is issued", err))
		case location != "" && home != "" && location != home:
			findings = append(findings, Finding{
				ID: "oauthkit.E003", Severity: SeverityError,
				Message: fmt.Sprintf("%T was given a store that keeps to other tables than the provider's", part),
				Hint:    "Give the same store to oauthkit.New, to the grants and to the extensions",
			})
		}
	}
	return findings
}

func locationOf(ctx context.Context, store any) (string, error) {
	if locator, ok := store.(Locator); ok {
		return locator.Location(ctx)
	}
	return "", nil
}
