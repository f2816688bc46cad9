package oauthkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// Severity is the effect of a [Finding] on the start of a program.
type Severity string

// The severities. Any other value counts as an error.
const (
	SeverityError   Severity = "error"   // the provider cannot work
	SeverityWarning Severity = "warning" // it works, but is weaker than recommended
)

// Finding is a problem that [Provider.Check] found. It holds no secret.
type Finding struct {
	// ID identifies the check permanently, such as "oauthkit.W001". A host can
	// accept findings by it.
	ID string
	// Severity decides whether the program should start nevertheless.
	Severity Severity
	// Message is the problem.
	Message string
	// Hint is the remedy.
	Hint string
}

// String returns the finding as one line for people.
func (f Finding) String() string { return f.ID + ": " + f.Message + ". " + f.Hint }

// Checker is a [Grant], a [ClientAuthenticator], an [Extension], a [ScopeBackend] or a
// [Store] that checks its own configuration.
type Checker interface {
	// Check returns its findings, whose ids start with the name of the package. It
	// must change nothing. A failure to find out must be a finding too.
	Check(ctx context.Context) []Finding
}

// Check returns every setting that is weaker than RFC 9700 or this library
// recommends, every stored application that breaks the current rules, and every
// failure to find out. Errors come first; the order is that of the ids. It reads all
// applications if the store is an [ApplicationManager], and calls each part of the
// provider that is a [Checker].
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
	return slices.Compact(findings) // one value can be more than one part
}

// CheckAtStart calls Check before a program starts to serve. It logs the findings to
// Config.Logger and returns an error with every finding that is not a warning.
// Warnings whose id is in accepted are not logged.
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
	return fmt.Errorf("oauthkit: CheckAtStart: %w", errors.Join(failed...))
}

// parts returns everything that may be a Checker, an Upkeeper or a StoreHolder.
func (p *Provider) parts() []any {
	parts := []any{p.store, p.config.Scopes}
	for _, grant := range p.config.Grants {
		parts = append(parts, grant)
	}
	for _, authenticator := range p.config.ClientAuthenticators {
		parts = append(parts, authenticator)
	}
	for _, extension := range p.config.Extensions {
		parts = append(parts, extension)
	}
	return parts
}

// setting is a configuration check.
type setting struct {
	weak              bool
	id, message, hint string
}

// warnings returns a Finding for each setting that is weaker than recommended.
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
			fmt.Sprintf("the issuer %s is not https, so requests can be read and changed on the way (RFC 9700 §2.6)", p.issuer),
			"Serve it over https and remove Config.AllowInsecureIssuer",
		},
		{
			len(p.config.Grants) == 0, "oauthkit.W002",
			"Config.Grants is empty, so no token can be issued",
			"Set it to grants.Standard, unless this program only checks tokens",
		},
		{
			p.config.Observe == nil, "oauthkit.W003",
			"Config.Observe is nil, so replays, failed authentication, consent and revocation are not recorded",
			"Set it to a function that writes an audit log",
		},
		{
			p.config.Logger.Handler() == slog.DiscardHandler, "oauthkit.W004",
			"Config.Logger is nil or discards everything, so failures are not logged",
			"Set it to the program's logger",
		},
		{
			p.config.UserIsActive == nil && len(p.responseTypes) > 0, "oauthkit.W005",
			"Config.UserIsActive is nil, so tokens of deactivated users stay valid",
			"Set it, or call Authorizations.RevokeUser whenever a user is deactivated and accept this finding",
		},
		{
			p.config.Secret != "" && isMonotonous(p.config.Secret), "oauthkit.W011",
			"Config.Secret looks like an example, so anyone who can read the database could guess it and decrypt the keys",
			"Generate 32 random bytes, for example with openssl rand -base64 32; then rotate the signing keys and remove the old ones",
		},
	}
	settings = append(settings, setting{
		p.config.PKCE.isWeak(), "oauthkit.W012",
		fmt.Sprintf("Config.PKCE is %s, so confidential applications without a policy of their own may omit PKCE (RFC 9700 §2.1.1)", p.config.PKCE),
		"Set pkce of the applications that need it, and remove Config.PKCE",
	})
	for _, resource := range p.config.Resources {
		settings = append(settings, setting{
			isExposed(resource), "oauthkit.W006",
			fmt.Sprintf("the API %s in Config.Resources is not https, so tokens can be read on the way to it (RFC 6750 §5.3)", resource),
			"Serve the API over https and change its URI",
		})
	}
	return warnings(settings)
}

// isMonotonous reports whether a secret has at most ten different bytes. Of 32
// random characters nearly all differ, and of random hexadecimal digits about 14.
func isMonotonous(secret string) bool {
	different := map[byte]bool{}
	for i := range len(secret) {
		different[secret[i]] = true
	}
	return len(different) <= 10
}

// isExposed reports whether requests to uri leave the machine unencrypted.
func isExposed(uri string) bool {
	parsed, err := url.Parse(uri)
	return err == nil && parsed.Scheme == "http" && !redirect.IsLoopback(parsed.Hostname())
}

const day = 24 * time.Hour

// The longest lifetimes without a warning.
const (
	longAccessToken = time.Hour
	longIdle        = 90 * day
	longRefresh     = 365 * day
)

func (p *Provider) checkLifetimes() []Finding {
	return warnings([]setting{
		{
			p.config.AccessTokenLifetime > longAccessToken && p.config.ChooseAccessTokenLifetime == nil, "oauthkit.W007",
			fmt.Sprintf("Config.AccessTokenLifetime is %s, and a stolen access token is valid for that long", p.config.AccessTokenLifetime),
			"Choose an hour or less, and let applications refresh",
		},
		{
			p.config.RefreshTokenIdleLifetime > longIdle, "oauthkit.W008",
			fmt.Sprintf("Config.RefreshTokenIdleLifetime is %d days, and an unused refresh token is valid for that long (RFC 9700 §4.14.2)", p.config.RefreshTokenIdleLifetime/day),
			"Choose 90 days or less",
		},
		{
			p.config.RefreshTokenLifetime > longRefresh, "oauthkit.W009",
			fmt.Sprintf("Config.RefreshTokenLifetime is %d days, and users need not sign in again for that long", p.config.RefreshTokenLifetime/day),
			"Choose a year or less",
		},
	})
}

// checkTables looks for a token that cannot exist. Any answer except [ErrNotFound]
// means that real tokens and scopes cannot be read either.
func (p *Provider) checkTables(ctx context.Context) []Finding {
	var findings []Finding
	if _, err := p.store.AccessToken(ctx, secret.Hash(secret.NewID())); !errors.Is(err, ErrNotFound) {
		findings = append(findings, storeFinding("access tokens", err))
	}
	if _, err := p.config.Scopes.All(ctx); err != nil {
		findings = append(findings, Finding{
			ID: "oauthkit.E002", Severity: SeverityError,
			Message: fmt.Sprintf("Config.Scopes cannot be read: %v", err),
			Hint:    "Requests for a scope will fail with 503. Check the source of Config.Scopes",
		})
	}
	return findings
}

// StoreHolder is a [Grant], a [ClientAuthenticator] or an [Extension] that was given a
// store of its own.
type StoreHolder interface {
	// Store returns that store. [Provider.Check] calls its Location if it is a [Locator].
	Store() any
}

// checkStores finds parts whose store has other tables than the provider's store,
// because each act, such as redeeming a code for tokens, must be one transaction.
func (p *Provider) checkStores(ctx context.Context) []Finding {
	home, err := locationOf(ctx, p.store)
	if err != nil {
		return []Finding{storeFinding("the location of its tables", err)}
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
			findings = append(findings, storeFinding("the location of its tables", err))
		case location != "" && home != "" && location != home:
			findings = append(findings, Finding{
				ID: "oauthkit.E003", Severity: SeverityError,
				Message: fmt.Sprintf("%T was given a store with other tables than the provider's store", part),
				Hint:    "Pass the same store to oauthkit.New, to the grants and to the extensions",
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

// cleanupOverdue is how long expired rows may exist without a warning.
// It allows a cleanup once a day.
const cleanupOverdue = 48 * time.Hour

// checkCleanup looks for a row of each table that expired long ago, which means that
// the cleanup does not run, or removes too little.
func (p *Provider) checkCleanup(ctx context.Context) []Finding {
	cleaner, ok := p.store.(Cleaner)
	if !ok {
		return nil
	}
	expired, err := cleaner.Cleanup(ctx, CleanupLimits{Now: p.Now().Add(-cleanupOverdue), Batch: 1, Batches: 1, DryRun: true})
	if err != nil {
		return []Finding{storeFinding("expired rows", err)}
	}
	maps.DeleteFunc(expired, func(_ string, rows int) bool { return rows == 0 })
	if len(expired) == 0 {
		return nil
	}
	return []Finding{{
		ID: "oauthkit.W010", Severity: SeverityWarning,
		Message: "rows that expired more than two days ago are still in " + strings.Join(slices.Sorted(maps.Keys(expired)), ", "),
		Hint:    "Call oauthkit.Run, or call Provider.Cleanup from a timer with limits that suit the number of new rows",
	}}
}

func storeFinding(what string, err error) Finding {
	return Finding{
		ID: "oauthkit.E001", Severity: SeverityError,
		Message: fmt.Sprintf("the store cannot read %s: %v", what, err),
		Hint:    "Requests will fail with 503. Check that the database is reachable and migrated",
	}
}
