package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// checkApplications checks every usable application.
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

// checkApplicationTable looks for an application that cannot exist, in
// a store that cannot list them.
func (p *Provider) checkApplicationTable(ctx context.Context) []Finding {
	if _, err := p.store.Application(ctx, NewClientID()); !errors.Is(err, ErrNotFound) {
		return []Finding{storeFinding("applications", err)}
	}
	return nil
}

// applicationCheck is a check of stored applications.
type applicationCheck struct {
	id, what, hint string
	// problem returns the application with its problem, or the empty string.
	problem func(manager ApplicationManager, app Application) string

	named []string // the first applications with a problem
	count int      // the number of all
}

func (p *Provider) applicationChecks(ctx context.Context) []*applicationCheck {
	checks := []*applicationCheck{
		{
			id: "oauthkit.W101", what: "break the current rules and cannot be changed until they are corrected", problem: breaksRules,
			hint: "Correct the named fields, or delete the application",
		},
		{
			id: "oauthkit.W102", what: "have a redirect URI that is rejected in every request", problem: hasDeadRedirectURI,
			hint: "Register URIs that CheckRedirectURI accepts; the host's rules permit more",
		},
		{
			id: "oauthkit.W103", what: "are confidential and have no valid client secret", problem: lacksSecret,
			hint: "Rotate the secret; one that was stored in clear is known to anyone who could read the database",
		},
	}
	checks = append(checks, &applicationCheck{
		id: "oauthkit.W106", what: "cannot authenticate, because they are registered for no method of the provider", problem: p.lacksAuthMethod,
		hint: "Add the method to Config.ClientAuthenticators, or register another one",
	}, &applicationCheck{
		id: "oauthkit.W107", what: "list response types that the provider does not support", problem: listsMissingResponseTypes(p.ResponseTypes()),
		hint: "Add them to Config.ResponseTypes, or remove them from the application",
	}, &applicationCheck{
		id: "oauthkit.W108", what: "may omit PKCE, so that only the client itself can notice an injected code (RFC 9700 §2.1.1)", problem: mayOmitPKCE,
		hint: "Let them send a code_challenge, and set pkce to required",
	}, &applicationCheck{
		id: "oauthkit.W111", what: "get no iss in errors, so that a client with several providers cannot tell whose error it is (RFC 9207)", problem: omitsIss,
		hint: "Update the client, and set omit_iss_in_errors to false",
	}, &applicationCheck{
		id: "oauthkit.W110", what: "list resources that the provider does not have", problem: p.listsMissingResources,
		hint: "Add them to Config.Resources, or remove them from the application; a request that needs one is refused",
	})
	if len(p.grants) > 0 { // otherwise this program only checks tokens
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W109", what: "list grant types that the provider does not support", problem: p.listsMissingGrants,
			hint: "Add them to Config.Grants, or remove them from the application",
		})
	}
	if len(p.grants) > 0 && len(p.receivers) == 0 {
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W112", what: "have a back-channel logout URI to which nothing is sent", problem: wantsBackChannelLogout,
			hint: "Add an extension that delivers notices, such as oidc.New without BackChannelLogout.Disable, or remove the URI",
		})
	}
	if algorithms := p.idTokenAlgorithms(); len(algorithms) > 0 {
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W113", what: "have an ID token algorithm that the provider does not sign with, so that each sign-in is a server_error", problem: lacksAlgorithm(algorithms),
			hint: "Add it to oidc.Config.Algorithms, or choose another one for the application",
		})
	}
	if p.config.ChooseAccessTokenLifetime == nil { // otherwise the application does not decide
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W104", what: "have access tokens that are valid for more than an hour", problem: hasLongTokens,
			hint: "Choose an hour or less, and let applications refresh",
		})
	}
	if texts, err := p.ScopeTexts(ctx); err == nil { // checkTables reports the error
		checks = append(checks, &applicationCheck{
			id: "oauthkit.W105", what: "list scopes that do not exist", problem: listsMissingScopes(texts),
			hint: "Correct or remove them: the application would have a scope as soon as one of that name is added",
		})
	}
	return checks
}

func checkApplication(manager ApplicationManager, app Application, checks []*applicationCheck) {
	if !IsUsable(app) {
		return
	}
	for _, check := range checks {
		name := check.problem(manager, app)
		if name == "" {
			continue
		}
		check.count++
		if len(check.named) < maxNamed {
			check.named = append(check.named, name)
		}
	}
}

// maxNamed is the maximum number of applications that a finding names.
const maxNamed = 20

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

// hasDeadRedirectURI ignores applications that breaksRules reports.
func hasDeadRedirectURI(manager ApplicationManager, app Application) string {
	var problems Problems
	refused := func(uri string) bool { return redirect.Check(uri) != nil }
	if !slices.ContainsFunc(RegisteredRedirectURIs(app), refused) ||
		errors.As(manager.ValidateApplication(app), &problems) && problems.Of("redirect_uris") != nil {
		return ""
	}
	return app.GetID()
}

// lacksSecret checks only the secret of an AbstractApplication.
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

func (p *Provider) lacksAuthMethod(_ ApplicationManager, app Application) string {
	if p.canAuthenticate(app) {
		return ""
	}
	return app.GetID()
}

// mayOmitPKCE names the policy that the application chooses. [Provider.checkConfig]
// reports the default of the others.
func mayOmitPKCE(_ ApplicationManager, app Application) string {
	policy := chosenPKCE(app)
	if !policy.isWeak() || app.IsPublic() || !app.AllowsGrant(oauth2.AuthorizationCode) {
		return ""
	}
	return fmt.Sprintf("%s (%s)", app.GetID(), policy)
}

func omitsIss(_ ApplicationManager, app Application) string {
	if !omitsIssInErrors(app) {
		return ""
	}
	return app.GetID()
}

// listsMissingResources checks the defaults of every application, and the list of an
// AbstractApplication.
func (p *Provider) listsMissingResources(_ ApplicationManager, app Application) string {
	listed := slices.Clone(resourcesByDefault(app))
	if abstract := Abstract(app); abstract != nil {
		listed = append(listed, abstract.Resources...)
	}
	slices.Sort(listed)
	missing := slices.DeleteFunc(slices.Compact(listed), func(resource string) bool { return p.servesResource(app, resource) })
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s)", app.GetID(), missing)
}

// comparesSecret reports whether app verifies the secret of its
// AbstractApplication, and not one that the host stores elsewhere. It sets a probe
// as the secret for the time of the call.
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

func wantsBackChannelLogout(_ ApplicationManager, app Application) string {
	if BackChannelLogout(app).URI == "" {
		return ""
	}
	return app.GetID()
}

// idTokenAlgorithms returns the algorithms of the extension that signs ID tokens, or
// none.
func (p *Provider) idTokenAlgorithms() []string {
	for _, extension := range p.config.Extensions {
		if signer, ok := extension.(interface{ IDTokenAlgorithms() []string }); ok {
			return signer.IDTokenAlgorithms()
		}
	}
	return nil
}

func lacksAlgorithm(supported []string) func(ApplicationManager, Application) string {
	return func(_ ApplicationManager, app Application) string {
		chosen := IDTokenAlgorithm(app)
		if chosen == "" || slices.Contains(supported, chosen) {
			return ""
		}
		return fmt.Sprintf("%s (%s)", app.GetID(), chosen)
	}
}

// listsMissingScopes ignores scopes that AllowsScope of the application rejects.
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

// listsMissingGrants ignores grant types that AllowsGrant of the application rejects.
func (p *Provider) listsMissingGrants(_ ApplicationManager, app Application) string {
	abstract := Abstract(app)
	if abstract == nil {
		return ""
	}
	missing := slices.DeleteFunc(slices.Clone(abstract.GrantTypes), func(grant oauth2.GrantType) bool {
		return p.supportsGrant(grant) || !app.AllowsGrant(grant)
	})
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s)", app.GetID(), missing)
}

// listsMissingResponseTypes ignores response types that AllowsResponseType of the
// application rejects.
func listsMissingResponseTypes(supported []ResponseType) func(ApplicationManager, Application) string {
	return func(_ ApplicationManager, app Application) string {
		abstract := Abstract(app)
		if abstract == nil {
			return ""
		}
		missing := slices.DeleteFunc(slices.Clone(abstract.ResponseTypes), func(t ResponseType) bool {
			return slices.Contains(supported, t) || !AllowsResponseType(app, t)
		})
		if len(missing) == 0 {
			return ""
		}
		return fmt.Sprintf("%s (%s)", app.GetID(), missing)
	}
}
