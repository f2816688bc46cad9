package oauthkit

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ApplicationForm holds the fields that the owner of an application decides, in an
// HTML form or a JSON document. The operator decides the others, for example whether
// users are asked for consent.
type ApplicationForm struct {
	// Name is shown to users, by the rule of [CheckName]. If empty, the
	// client_id is shown.
	Name string `json:"name"`
	// ClientType is Confidential or Public. It is required. A public
	// application loses its secrets.
	ClientType ClientType `json:"client_type"`
	// GrantTypes are among [Applications.GrantTypes], or were the application's
	// before. If empty, the application can do nothing.
	GrantTypes GrantTypes `json:"grant_types"`
	// ResponseTypes are among [Applications.ResponseTypes], or were the application's
	// before. If empty, the application may only request code.
	ResponseTypes ResponseTypes `json:"response_types"`
	// RedirectURIs follow [ApplicationRules]. They are required for grants that
	// start at the authorization endpoint.
	RedirectURIs URIs `json:"redirect_uris"`
	// PostLogoutRedirectURIs follow the same rules.
	PostLogoutRedirectURIs URIs `json:"post_logout_redirect_uris"`
	// BackChannelLogoutURI is an https URL. If empty, the application is not told of
	// logouts by requests of the provider.
	BackChannelLogoutURI             string `json:"backchannel_logout_uri"`
	BackChannelLogoutSessionRequired bool   `json:"backchannel_logout_session_required"`
	// FrontChannelLogoutURI is an https URL with the host and port of one of
	// RedirectURIs. If empty, the application is not told of logouts in the user's
	// browser.
	FrontChannelLogoutURI             string `json:"frontchannel_logout_uri"`
	FrontChannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required"`
	// AllowedOrigins follow the rules of ApplicationRules for origins. If empty, no
	// script of another origin may call the token endpoint.
	AllowedOrigins URIs `json:"allowed_origins"`
	// Scopes are among ApplicationsConfig.Scopes, or were the application's before.
	// If empty, the application may request none.
	Scopes Scopes `json:"scopes"`
	// TokenEndpointAuthMethod is one of Config.ClientAuthenticators, or was the
	// application's before: client_secret_basic and client_secret_post are for a
	// confidential application, none for a public one. If empty, the ClientType decides.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method"`
	// Algorithm is RS256, ES256, PS256 or EdDSA. If empty, it is the provider's default.
	Algorithm string `json:"algorithm"`
	// Fields are the values of the application's own fields by name, if it is a
	// [FormFieldHolder]. A missing field is empty.
	Fields map[string]string `json:"fields"`
}

// FormFieldHolder is an [Application] with fields of its own that its
// owner sees and changes.
type FormFieldHolder interface {
	// FormFields returns the fields in order, with their values.
	FormFields() []FormField
	// SetFormField changes a field. The error is shown beside the field, so it is a
	// sentence for people; pages translate it with their text problem.SENTENCE.
	SetFormField(name, value string) error
}

// FormField is a field of a [FormFieldHolder].
type FormField struct {
	// Name is the name in forms, in JSON, and in [Problems]. If AbstractApplication
	// is embedded, it must differ from the JSON names of ApplicationForm.
	Name string
	// Label is the label. The pages' text
	// applications.field.fields.NAME takes precedence.
	Label string
	// Help is a sentence below the field, if not empty. The pages' text
	// applications.help.fields.NAME takes precedence.
	Help string
	// Kind is the kind of the input.
	Kind FormFieldKind
	// Value is the current value. For a FormCheckbox it is "true" or empty.
	Value string
}

// FormFieldKind is the kind of an input.
type FormFieldKind string

// The kinds of inputs.
const (
	FormText     FormFieldKind = ""         // one line
	FormURL      FormFieldKind = "url"      // one line that is a URL
	FormLines    FormFieldKind = "lines"    // several lines
	FormCheckbox FormFieldKind = "checkbox" // yes or no
)

// FormOf returns the fields of app that its owner decides.
func FormOf(app Application) ApplicationForm {
	form := ApplicationForm{Fields: map[string]string{}}
	if a := Abstract(app); a != nil {
		form = ApplicationForm{
			Name: a.Name, ClientType: a.ClientType, GrantTypes: slices.Clone(a.GrantTypes), ResponseTypes: slices.Clone(a.ResponseTypes),
			RedirectURIs:           slices.Clone(a.RedirectURIs),
			PostLogoutRedirectURIs: slices.Clone(a.PostLogoutRedirectURIs), AllowedOrigins: slices.Clone(a.AllowedOrigins),
			Scopes: slices.Clone(a.Scopes), TokenEndpointAuthMethod: a.TokenEndpointAuthMethod, Algorithm: a.Algorithm,
			BackChannelLogoutURI: a.BackChannelLogoutURI, BackChannelLogoutSessionRequired: a.BackChannelLogoutSessionRequired,
			FrontChannelLogoutURI: a.FrontChannelLogoutURI, FrontChannelLogoutSessionRequired: a.FrontChannelLogoutSessionRequired,
			Fields: map[string]string{},
		}
	}
	if fielder, ok := app.(FormFieldHolder); ok {
		for _, field := range fielder.FormFields() {
			form.Fields[field.Name] = field.Value
		}
	}
	return form
}

// fill sets the fields of app. It is a problem to choose a value that owners may not
// choose and the application did not have before.
func (a *Applications) fill(app Application, form ApplicationForm) Problems {
	var problems Problems
	before, formBefore := trustedFactsOf(app), FormOf(app)
	if abstract := Abstract(app); abstract != nil {
		a.checkChoices(abstract, form, &problems)
		abstract.Name, abstract.ClientType = form.Name, form.ClientType
		abstract.GrantTypes, abstract.ResponseTypes, abstract.Scopes = form.GrantTypes, form.ResponseTypes, form.Scopes
		abstract.RedirectURIs, abstract.PostLogoutRedirectURIs = form.RedirectURIs, form.PostLogoutRedirectURIs
		abstract.BackChannelLogoutURI, abstract.BackChannelLogoutSessionRequired = form.BackChannelLogoutURI, form.BackChannelLogoutSessionRequired
		abstract.FrontChannelLogoutURI, abstract.FrontChannelLogoutSessionRequired = form.FrontChannelLogoutURI, form.FrontChannelLogoutSessionRequired
		abstract.AllowedOrigins, abstract.Algorithm = form.AllowedOrigins, form.Algorithm
		abstract.TokenEndpointAuthMethod = form.TokenEndpointAuthMethod
	}
	a.provider.checkAuthMethod(app, formBefore, &problems)
	removeSecrets(app)
	if fielder, ok := app.(FormFieldHolder); ok {
		for _, field := range fielder.FormFields() {
			value := form.Fields[field.Name]
			if !isText(value) { // a database could not store it
				problems.Add(field.Name, "is not text")
			} else if err := fielder.SetFormField(field.Name, value); err != nil {
				problems.Add(field.Name, "%s", err)
			}
		}
	}
	a.checkSize(FormOf(app), formBefore.size(), &problems)
	revokeTrust(app, before)
	return problems
}

func (a *Applications) checkChoices(before *AbstractApplication, form ApplicationForm, problems *Problems) {
	offered := a.GrantTypes()
	for _, grant := range form.GrantTypes {
		if !slices.Contains(offered, grant) && !slices.Contains(before.GrantTypes, grant) {
			problems.Add("grant_types", "%s cannot be chosen", string(grant))
		}
	}
	responses := a.ResponseTypes()
	for _, t := range form.ResponseTypes {
		if !slices.Contains(responses, t) && !before.ResponseTypes.allows(t) {
			problems.Add("response_types", "%s cannot be chosen", string(t))
		}
	}
	for _, scope := range form.Scopes {
		if !a.config.Scopes.Contains(scope) && !before.Scopes.Contains(scope) {
			problems.Add("scopes", "%s cannot be chosen", scope)
		}
	}
}

// checkAuthMethod adds a problem if the provider has no method that app may authenticate
// with, unless the form has the same method and client type as before.
func (p *Provider) checkAuthMethod(app Application, before ApplicationForm, problems *Problems) {
	abstract := Abstract(app)
	if abstract == nil || p.canAuthenticate(app) {
		return
	}
	if abstract.TokenEndpointAuthMethod == before.TokenEndpointAuthMethod && abstract.ClientType == before.ClientType {
		return
	}
	problems.Add("token_endpoint_auth_method", "must be one of %v", p.AuthMethods())
}

// checkSize adds a problem at the largest field if the form is too large, unless the
// application was as large before.
func (a *Applications) checkSize(form ApplicationForm, before int, problems *Problems) {
	if size := form.size(); size <= a.config.MaxApplicationBytes || size <= before {
		return
	}
	lengths := form.lengths()
	largest := slices.MaxFunc(slices.Sorted(maps.Keys(lengths)), func(one, other string) int {
		return cmp.Compare(lengths[one], lengths[other])
	})
	problems.Add(largest, "all fields together must have at most %d bytes; this one has %d",
		a.config.MaxApplicationBytes, lengths[largest])
}

// size returns the number of bytes of all texts.
func (f ApplicationForm) size() (bytes int) {
	for _, length := range f.lengths() {
		bytes += length
	}
	return bytes
}

// lengths returns the stored number of bytes of each field, by its JSON name.
func (f ApplicationForm) lengths() map[string]int {
	grants, _ := f.GrantTypes.Value() // never fails
	lengths := map[string]int{
		"name": len(f.Name), "client_type": len(f.ClientType), "grant_types": len(fmt.Sprint(grants)),
		"response_types": len(f.ResponseTypes.String()),
		"redirect_uris":  len(f.RedirectURIs.String()), "post_logout_redirect_uris": len(f.PostLogoutRedirectURIs.String()),
		"allowed_origins": len(f.AllowedOrigins.String()), "scopes": len(f.Scopes.String()),
		"backchannel_logout_uri": len(f.BackChannelLogoutURI), "frontchannel_logout_uri": len(f.FrontChannelLogoutURI),
		"token_endpoint_auth_method": len(f.TokenEndpointAuthMethod), "algorithm": len(f.Algorithm),
	}
	for name, value := range f.Fields {
		lengths[name] += len(name) + len(value)
	}
	return lengths
}

// removeSecrets removes the secrets of a public application. Otherwise a
// secret that others have learned by then would become valid again if the
// application became confidential.
func removeSecrets(app Application) {
	if abstract := Abstract(app); abstract != nil && app.IsPublic() {
		abstract.replaceSecrets("")
	}
}

// validate returns all problems at once: those of the form, and those of the application.
func (a *Applications) validate(app Application, problems Problems) error {
	err := a.store.ValidateApplication(app)
	var found Problems
	if err != nil && !errors.As(err, &found) {
		return err
	}
	for _, problem := range found {
		if !slices.Contains(problems.Of(problem.Field), problem.Message) {
			problems = append(problems, problem)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}
