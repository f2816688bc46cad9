package oauthkit

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ApplicationForm is what the owner of an application decides, in a form or a JSON document. What is not in it, such as
// whether users are asked for consent, is the operator's to decide.
type ApplicationForm struct {
	// Name is what people read, by the rule of [CheckName]. Empty: they read the client_id.
	Name string `json:"name"`
	// ClientType is Confidential or Public. Empty is a problem. A public application loses its secrets.
	ClientType ClientType `json:"client_type"`
	// GrantTypes are among those of [Applications.GrantTypes], or were the application's before. Empty: it can do nothing.
	GrantTypes GrantTypes `json:"grant_types"`
	// RedirectURIs pass the rules of [ApplicationRules]. Empty is a problem with a grant that begins at the authorization endpoint.
	RedirectURIs URIs `json:"redirect_uris"`
	// PostLogoutRedirectURIs pass the same rules. Empty: none. No endpoint uses them yet.
	PostLogoutRedirectURIs URIs `json:"post_logout_redirect_uris"`
	// AllowedOrigins pass the rules of ApplicationRules for origins. Empty: no script of another origin may call the token endpoint.
	AllowedOrigins URIs `json:"allowed_origins"`
	// Scopes are among ApplicationsConfig.Scopes, or were the application's before. Empty: it may ask for none.
	Scopes Scopes `json:"scopes"`
	// TokenEndpointAuthMethod is client_secret_basic or client_secret_post for a confidential application, none for a public one.
	// Empty: whatever fits the ClientType.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method"`
	// Algorithm is RS256 or ES256. Empty: RS256.
	Algorithm string `json:"algorithm"`
	// Fields are the values of the host's own fields, by name, for an application that is a [FormFieldHolder]. One that is missing
	// is empty.
	Fields map[string]string `json:"fields"`
}

// FormFieldHolder is an [Application] with fields of its own that its owner sees and changes.
type FormFieldHolder interface {
	// FormFields returns the fields in their order, with their values.
	FormFields() []FormField
	// SetFormField changes one of them. The error is shown beside the field, so it is a sentence for people; the pages translate it
	// by their text problem.SENTENCE.
	SetFormField(name, value string) error
}

// FormField is one of the host's own fields on the pages of an application.
type FormField struct {
	Name  string // in forms, in JSON, and in [Problems]; none of those that ApplicationForm has in JSON, where AbstractApplication is embedded
	Label string // for people; the pages' text applications.field.fields.NAME comes before it
	Help  string // a sentence below the field, as applications.help.fields.NAME is; empty: none
	Kind  FormFieldKind
	Value string // of a FormCheckbox: "true" or empty
}

// FormFieldKind says how a field is entered.
type FormFieldKind string

// The kinds of fields.
const (
	FormText     FormFieldKind = ""         // one line
	FormURL      FormFieldKind = "url"      // one line that is a URL
	FormLines    FormFieldKind = "lines"    // several lines
	FormCheckbox FormFieldKind = "checkbox" // yes or no
)

// FormOf returns what the owner of app has decided.
func FormOf(app Application) ApplicationForm {
	form := ApplicationForm{Fields: map[string]string{}}
	if a := Abstract(app); a != nil {
		form = ApplicationForm{
			Name: a.Name, ClientType: a.ClientType, GrantTypes: slices.Clone(a.GrantTypes), RedirectURIs: slices.Clone(a.RedirectURIs),
			PostLogoutRedirectURIs: slices.Clone(a.PostLogoutRedirectURIs), AllowedOrigins: slices.Clone(a.AllowedOrigins),
			Scopes: slices.Clone(a.Scopes), TokenEndpointAuthMethod: a.TokenEndpointAuthMethod, Algorithm: a.Algorithm,
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

// fill changes app as the form says. What the owner may not choose, and the application did not have before, is a problem.
func (a *Applications) fill(app Application, form ApplicationForm) Problems {
	var problems Problems
	before, sizeBefore := trustedFactsOf(app), FormOf(app).size()
	if abstract := Abstract(app); abstract != nil {
		a.checkChoices(abstract, form, &problems)
		abstract.Name, abstract.ClientType = form.Name, form.ClientType
		abstract.GrantTypes, abstract.Scopes = form.GrantTypes, form.Scopes
		abstract.RedirectURIs, abstract.PostLogoutRedirectURIs = form.RedirectURIs, form.PostLogoutRedirectURIs
		abstract.AllowedOrigins, abstract.Algorithm = form.AllowedOrigins, form.Algorithm
		abstract.TokenEndpointAuthMethod = form.TokenEndpointAuthMethod
	}
	forgetSecrets(app)
	if fielder, ok := app.(FormFieldHolder); ok {
		for _, field := range fielder.FormFields() {
			value := form.Fields[field.Name]
			if !validText(value) { // no database keeps it
				problems.Add(field.Name, "is not text")
			} else if err := fielder.SetFormField(field.Name, value); err != nil {
				problems.Add(field.Name, "%s", err)
			}
		}
	}
	a.checkSize(FormOf(app), sizeBefore, &problems)
	revokeTrust(app, before)
	return problems
}

// forgetSecrets takes the secrets of an application that has become public: one that came back later could be one that others know
// by then.
func forgetSecrets(app Application) {
	if abstract := Abstract(app); abstract != nil && app.IsPublic() {
		abstract.replaceSecrets("")
	}
}

// known is what the operator knew of an application that he vouched for: as the application says it, whichever field it is in.
type trustedFacts struct {
	name, displayName string
	public            bool
	uris, registered  URIs
	scopes            Scopes
}

func trustedFactsOf(app Application) trustedFacts {
	of := trustedFacts{displayName: DisplayName(app), public: app.IsPublic(), registered: slices.Clone(RegisteredRedirectURIs(app))}
	if abstract := Abstract(app); abstract != nil {
		of.name, of.uris, of.scopes = abstract.Name, slices.Clone(abstract.RedirectURIs), slices.Clone(abstract.Scopes)
	}
	return of
}

// distrust takes back what the operator said of an application that now has another name or other addresses. With more scopes it is still
// who it was, but users are asked.
func revokeTrust(app Application, before trustedFacts) {
	after := trustedFactsOf(app)
	same := after.name == before.name && after.displayName == before.displayName && after.public == before.public &&
		slices.Equal(after.uris, before.uris) && slices.Equal(after.registered, before.registered)
	if abstract := Abstract(app); abstract != nil {
		abstract.Verified = abstract.Verified && same
		abstract.SkipAuthorization = abstract.SkipAuthorization && same && before.scopes.ContainsAll(after.scopes)
	}
}

func (a *Applications) checkChoices(before *AbstractApplication, form ApplicationForm, problems *Problems) {
	offered := a.GrantTypes()
	for _, grant := range form.GrantTypes {
		if !slices.Contains(offered, grant) && !slices.Contains(before.GrantTypes, grant) {
			problems.Add("grant_types", "%s cannot be chosen", string(grant))
		}
	}
	for _, scope := range form.Scopes {
		if !a.config.Scopes.Contains(scope) && !before.Scopes.Contains(scope) {
			problems.Add("scopes", "%s cannot be chosen", scope)
		}
	}
}

// validated returns everything that is wrong at once: with the form, and with the application that it makes.
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

// checkSize adds a problem at the largest field if the form is larger than it may be, unless the
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

// lengths returns the number of bytes of each field as a store keeps it, by its name in JSON.
func (f ApplicationForm) lengths() map[string]int {
	grants, _ := f.GrantTypes.Value() // never fails
	lengths := map[string]int{
		"name": len(f.Name), "client_type": len(f.ClientType), "grant_types": len(fmt.Sprint(grants)),
		"redirect_uris": len(f.RedirectURIs.String()), "post_logout_redirect_uris": len(f.PostLogoutRedirectURIs.String()),
		"allowed_origins": len(f.AllowedOrigins.String()), "scopes": len(f.Scopes.String()),
		"token_endpoint_auth_method": len(f.TokenEndpointAuthMethod), "algorithm": len(f.Algorithm),
	}
	for name, value := range f.Fields {
		lengths[name] += len(name) + len(value)
	}
	return lengths
}
