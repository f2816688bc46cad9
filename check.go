package oauthkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

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
		findings = append(findings, storeFailed("access tokens", err))
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

func storeFailed(what string, err error) Finding {
	return Finding{
		ID: "oauthkit.E001", Severity: SeverityError,
		Message: fmt.Sprintf("the store cannot tell about %s: %v", what, err),
		Hint:    "Requests will be answered with 503. See whether the database can be reached and its migrations have run",
	}
}
