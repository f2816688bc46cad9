package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// maxNamed is the number of applications that a finding names.
const maxNamed = 20

// applicationCheck is one thing that can be wrong with stored applications.
type applicationCheck struct {
	id, what, hint string
	// wrong returns the name of an application with what is wrong with it, empty for nothing.
	wrong func(manager ApplicationManager, app Application) string

	named []string // the first that it was found with
	count int      // all of them
}

func (p *Provider) applicationChecks(ctx context.Context) []*applicationCheck {
	checks := []*applicationCheck{
		{
			id: "oauthkit.W101", what: "do not fit the present rules and cannot be changed before they do", wrong: breaksRules,
			hint: "Mend the fields that are named, or delete the application",
		},
		{
			id: "oauthkit.W102", what: "have a redirect URI that is refused in every request", wrong: hasDeadRedirectURI,
			hint: "Register URIs that CheckRedirectURI accepts; the rules that the host set permit more than works",
		},
		{
			id: "oauthkit.W103", what: "are confidential and have no client secret that can be verified", wrong: lacksSecret,
			hint: "Rotate the secret; one that was stored in clear is known to whoever could read the database",
		},
	}
	if p.config.ChooseAccessTokenLifetime == nil { // otherwise nobody asks the application
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W104", what: "set a lifetime of more than an hour for their access tokens", wrong: hasLongTokens,
			hint: "Choose an hour or less, and let applications refresh",
		})
	}
	if texts, err := p.ScopeTexts(ctx); err == nil { // otherwise checkTables tells
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W105", what: "list scopes that there are not", wrong: listsMissingScopes(texts),
			hint: "Correct or remove them: an application has at once what is later added under such a name",
		})
	}
	return checks
}

// checkApplications holds every usable application against the rules. One that is disabled harms nobody.
func (p *Provider) checkApplications(ctx context.Context) []Finding {
	manager, ok := p.store.(ApplicationManager)
	if !ok {
		return p.checkApplicationTable(ctx)
	}
	checks := p.applicationChecks(ctx)
	for after := ""; ; {
		apps, err := manager.ListApplications(ctx, ApplicationQuery{After: after})
		if err != nil {
			return []Finding{storeFinding("applications", err)}
		}
		if len(apps) == 0 {
			return applicationFindings(checks)
		}
		for _, app := range apps {
			checkApplication(manager, app, checks)
		}
		last := apps[len(apps)-1].GetID()
		if last == after {
			return []Finding{storeFinding("applications", errors.New("ListApplications returned the same page twice"))}
		}
		after = last
	}
}

// checkApplicationTable is for a store that cannot list them: it asks for one that cannot be there.
func (p *Provider) checkApplicationTable(ctx context.Context) []Finding {
	if _, err := p.store.Application(ctx, NewClientID()); !errors.Is(err, ErrNotFound) {
		return []Finding{storeFinding("applications", err)}
	}
	return nil
}

func checkApplication(manager ApplicationManager, app Application, checks []*applicationCheck) {
	if !IsUsable(app) {
		return
	}
	for _, check := range checks {
		name := check.wrong(manager, app)
		if name == "" {
			continue
		}
		check.count++
		if len(check.named) < maxNamed {
			check.named = append(check.named, name)
		}
	}
}

func applicationFindings(checks []*applicationCheck) []Finding {
	var findings []Finding
	for _, check := range checks {
		if check.count == 0 {
			continue
		}
		names := strings.Join(check.named, ", ")
		if more := check.count - len(check.named); more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		findings = append(findings, Finding{
			ID: check.id, Severity: SeverityWarning,
			Message: fmt.Sprintf("applications that %s: %s", check.what, names),
			Hint:    check.hint,
		})
	}
	return findings
}

func breaksRules(manager ApplicationManager, app Application) string {
	err := manager.ValidateApplication(app)
	var problems Problems
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &problems):
		return fmt.Sprintf("%s (%v)", app.GetID(), err)
	}
	var fields []string
	for _, problem := range problems {
		fields = append(fields, problem.Field)
	}
	slices.Sort(fields)
	return fmt.Sprintf("%s (%s)", app.GetID(), strings.Join(slices.Compact(fields), ", "))
}

// hasDeadRedirectURI leaves to breaksRules what the rules refuse.
func hasDeadRedirectURI(manager ApplicationManager, app Application) string {
	var problems Problems
	refused := func(uri string) bool { return redirect.Check(uri) != nil }
	if !slices.ContainsFunc(RegisteredRedirectURIs(app), refused) ||
		errors.As(manager.ValidateApplication(app), &problems) && problems.Of("redirect_uris") != nil {
		return ""
	}
	return app.GetID()
}

// lacksSecret knows only the secret of an AbstractApplication.
func lacksSecret(_ ApplicationManager, app Application) string {
	abstract := Abstract(app)
	if abstract == nil || app.IsPublic() || strings.HasPrefix(string(abstract.ClientSecret), sha256Scheme) {
		return ""
	}
	if !app.AllowsAuthMethod(AuthMethodSecretBasic) && !app.AllowsAuthMethod(AuthMethodSecretPost) || !comparesSecret(app, abstract) {
		return ""
	}
	return app.GetID()
}

// comparesSecret reports whether app verifies the secret of the AbstractApplication in it, and not one that the host keeps
// elsewhere: it is asked for one that it is given for this question.
func comparesSecret(app Application, abstract *AbstractApplication) bool {
	before, probe := abstract.ClientSecret, secret.New(secret.ClientSecret)
	abstract.ClientSecret = hashSecret(probe)
	compares := app.VerifyPassword(probe)
	abstract.ClientSecret = before
	return compares
}

func hasLongTokens(_ ApplicationManager, app Application) string {
	if accessTokenLifetime(app, 0) <= longAccessToken {
		return ""
	}
	return app.GetID()
}

// listsMissingScopes leaves out what the application itself does not allow.
func listsMissingScopes(texts map[string]string) func(ApplicationManager, Application) string {
	return func(_ ApplicationManager, app Application) string {
		abstract := Abstract(app)
		if abstract == nil {
			return ""
		}
		missing := slices.DeleteFunc(missingScopes(abstract.Scopes, texts), func(scope string) bool { return !app.AllowsScope(scope) })
		if len(missing) == 0 {
			return ""
		}
		return fmt.Sprintf("%s (%s)", app.GetID(), missing)
	}
}
