package oauthkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// ValidateApplication checks app by the library's rules. It is
// [ApplicationRules.Validate] of the zero value.
func ValidateApplication(app Application) error { return ApplicationRules{}.Validate(app) }

// ApplicationRules are the rules for the addresses that applications are stored
// with. They do not affect requests: a URI must match exactly, and one that
// [CheckRedirectURI] rejects is rejected in requests too. The zero value has the
// library's rules. An application that is an [AddressValidator] decides for itself.
type ApplicationRules struct {
	// RedirectURI returns a function that checks the redirect URIs of an
	// application, which may be new. Its error is a sentence for people. It may call
	// CheckRedirectURI and then be stricter. If RedirectURI is nil or returns nil,
	// CheckRedirectURI is used.
	RedirectURI func(app Application) func(uri string) error
	// Origin does the same for the allowed origins, with CheckOrigin.
	Origin func(app Application) func(origin string) error
}

// Validate checks app by the library's rules if it embeds [AbstractApplication], and
// by its own rules if it is a [Validator]. The error holds [Problems] with
// everything that is wrong.
func (r ApplicationRules) Validate(app Application) error {
	var problems Problems
	if abstract := Abstract(app); abstract != nil {
		abstract.validate(app, r, &problems)
	}
	if validator, ok := app.(Validator); ok {
		validator.Validate(&problems)
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("oauthkit: application %q is not valid: %w", app.GetID(), problems)
}

// Prepare generates a client_id if app has none, and validates it. Stores call it
// before they create an application.
func (r ApplicationRules) Prepare(app Application) error {
	if abstract := Abstract(app); abstract != nil {
		abstract.complete()
	}
	return r.Validate(app)
}

// Validator is an [Application] with rules of its own, in addition to the library's.
type Validator interface {
	// Validate adds the problems of the application. It must not change the application.
	Validate(problems *Problems)
}

// AddressValidator is an [Application] with rules of its own for its addresses, in
// place of [ApplicationRules]. Its errors are sentences for people.
type AddressValidator interface {
	ValidateRedirectURI(uri string) error
	ValidateOrigin(origin string) error
}

func (r ApplicationRules) redirectURI(app Application) func(uri string) error {
	if own, ok := app.(AddressValidator); ok {
		return own.ValidateRedirectURI
	}
	if r.RedirectURI != nil {
		if check := r.RedirectURI(app); check != nil {
			return check
		}
	}
	return CheckRedirectURI
}

func (r ApplicationRules) origin(app Application) func(origin string) error {
	if own, ok := app.(AddressValidator); ok {
		return own.ValidateOrigin
	}
	if r.Origin != nil {
		if check := r.Origin(app); check != nil {
			return check
		}
	}
	return CheckOrigin
}

// CheckRedirectURI is the library's rule for redirect URIs (RFC 6749 §3.1.2, RFC 8252
// §7): an https URI, an http URI with a loopback address, or a private-use scheme with a
// dot; no fragment, no userinfo, and nothing that two programs could parse differently.
func CheckRedirectURI(uri string) error { return redirect.Check(uri) }

// CheckOrigin is the library's rule for origins (RFC 6454 §6.2): https, or http with
// a loopback address, and only host and port.
func CheckOrigin(origin string) error { return redirect.CheckOrigin(origin) }

// CheckName is the library's rule for the name of an application: at most 100
// characters, none of them invisible. The empty name is allowed. The error is a
// sentence for people.
func CheckName(name string) error {
	if !isName(name) {
		return errors.New("must have at most 100 characters, none of which is invisible, a control character or a direction mark")
	}
	return nil
}

// isName reports whether people see the name as it is and nothing else: it is empty,
// or it is not blank, not longer than a line, and has no characters that hide or
// reorder the text around it.
func isName(name string) bool {
	before := rune(0)
	for _, r := range name {
		joins := (r == '\u200c' || r == '\u200d') && before > unicode.MaxLatin1 // Persian, Hindi and emoji need joiners
		if isHidden(r) && !joins {
			return false
		}
		before = r
	}
	return utf8.RuneCountInString(name) <= 100 && (name == "" || strings.ContainsFunc(name, isShown))
}

// isShown reports whether r is visible by itself, unlike blanks and combining marks.
func isShown(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && r != '\u2800' && r != '\U0001d159'
}

// isHidden reports whether r affects text without being visible (Unicode Cc, Cf, Zl,
// Zp and default ignorables), or replaces invalid UTF-8.
func isHidden(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// validate calls methods of app, not of a, because the host may override them.
func (a *AbstractApplication) validate(app Application, rules ApplicationRules, problems *Problems) {
	a.validateIdentity(problems)
	if app.GetID() != a.ClientID {
		problems.Add("client_id", "must be what GetID returns, because a store finds the application by it")
	}
	a.validateRedirection(app, rules, problems)
	validateLogout(app, problems)
	a.validateAuthentication(app, problems)
	a.validateResources(problems)
	if a.DefaultMaxAge != nil && (*a.DefaultMaxAge < 0 || *a.DefaultMaxAge > maxSignInAge) {
		problems.Add("default_max_age", "must be a number of seconds from 0 to %d", maxSignInAge)
	}
	if algorithm := IDTokenAlgorithm(app); !slices.Contains([]string{"", "RS256", "ES256", "PS256", "EdDSA"}, algorithm) {
		problems.Add("algorithm", "%q is not supported; use RS256, ES256, PS256 or EdDSA", algorithm)
	}
}

// maxSignInAge is the largest number of seconds in default_max_age: that of an INTEGER
// in every database, 68 years.
const maxSignInAge = 1<<31 - 1

func (a *AbstractApplication) validateIdentity(problems *Problems) {
	if a.ClientID == "" || len(a.ClientID) > 255 || strings.ContainsFunc(a.ClientID, notVisible) {
		problems.Add("client_id", "must have 1 to 255 visible ASCII characters (RFC 6749 appendix A.1)")
	}
	if err := CheckName(a.Name); err != nil {
		problems.Add("name", "%s", err)
	}
	if a.ClientType != Confidential && a.ClientType != Public {
		problems.Add("client_type", "must be %q or %q", Confidential, Public)
	}
	for _, grant := range a.GrantTypes {
		if grant == "" || strings.ContainsFunc(string(grant), notVisible) {
			problems.Add("grant_types", "%q is not a grant type", grant)
		}
	}
	a.ResponseTypes.validate(problems)
	for _, scope := range a.Scopes {
		if !isScope(scope) {
			problems.Add("scopes", "%q is not a scope (RFC 6749 §3.3)", scope)
		}
	}
}

func (a *AbstractApplication) validateRedirection(app Application, rules ApplicationRules, problems *Problems) {
	checkURI, checkOrigin := rules.redirectURI(app), rules.origin(app)
	for _, grant := range []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Implicit} {
		if app.AllowsGrant(grant) && len(RegisteredRedirectURIs(app)) == 0 {
			problems.Add("redirect_uris", "cannot be empty with grant type %s", string(grant))
		}
	}
	for _, list := range []struct {
		field string
		uris  URIs
		check func(string) error
	}{
		{"redirect_uris", a.RedirectURIs, checkURI},
		{"post_logout_redirect_uris", a.PostLogoutRedirectURIs, checkURI},
		{"allowed_origins", a.AllowedOrigins, checkOrigin},
	} {
		for _, uri := range list.uris {
			if uri == "" || strings.ContainsFunc(uri, unicode.IsSpace) { // the stored list is separated by white space
				problems.Add(list.field, "%q: must not be empty or contain white space", uri)
			} else if err := list.check(uri); err != nil {
				problems.Add(list.field, "%q: %s", uri, err)
			}
		}
	}
}

// validateLogout checks the addresses that are told of logouts.
func validateLogout(app Application, problems *Problems) {
	const back, front = "backchannel_logout_uri", "frontchannel_logout_uri"
	if uri := BackChannelLogout(app).URI; uri != "" {
		if err := checkLogoutURI(uri); err != nil {
			problems.Add(back, "%s", err)
		}
	}
	uri := FrontChannelLogout(app).URI
	if uri == "" {
		return
	}
	if err := checkLogoutURI(uri); err != nil {
		problems.Add(front, "%s", err)
		return
	}
	// OpenID Connect Front-Channel Logout 1.0 §2
	if !slices.ContainsFunc(RegisteredRedirectURIs(app), func(registered string) bool { return webOrigin(registered) == webOrigin(uri) }) {
		problems.Add(front, "must have the scheme, host and port of a redirect URI")
	}
}

// checkLogoutURI returns an error if uri is not an https URL, or an http URL with a
// loopback address, or has a fragment (OpenID Connect Back-Channel Logout 1.0 §2.2). The
// specification allows http for a confidential application; then anyone on the way could
// read who signs out, and keep the message away.
func checkLogoutURI(uri string) error {
	if err := redirect.Check(uri); err != nil {
		return err
	}
	if webOrigin(uri) == "" {
		return errors.New("must begin with https:// (or http:// for 127.0.0.1, [::1] or localhost)")
	}
	return nil
}

// webOrigin returns the origin of an http or https URI with its port, or the empty text
// for another URI.
func webOrigin(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return ""
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[parsed.Scheme]
	}
	return parsed.Scheme + "://" + strings.ToLower(parsed.Hostname()) + ":" + port
}

func (a *AbstractApplication) validateAuthentication(app Application, problems *Problems) {
	const field = "token_endpoint_auth_method"
	switch method := a.TokenEndpointAuthMethod; {
	case method == "":
	case method == AuthMethodNone && !app.IsPublic():
		problems.Add(field, "a confidential application cannot use %q", method)
	case (method == AuthMethodSecretBasic || method == AuthMethodSecretPost) && app.IsPublic():
		problems.Add(field, "%q needs a confidential application", method)
	case !isAuthMethod(method): // only a provider knows its methods
		problems.Add(field, "must have 1 to 255 visible ASCII characters")
	}
	if app.IsPublic() && app.AllowsGrant(oauth2.ClientCredentials) {
		problems.Add("grant_types", "%s needs a confidential application (RFC 6749 §4.4)", string(oauth2.ClientCredentials))
	}
	validatePKCE(app, problems)
	a.validateKeys(problems)
}

func (a *AbstractApplication) validateKeys(problems *Problems) {
	if a.ClientJWKS != "" && a.ClientJWKSURI != "" {
		problems.Add("client_jwks", "cannot be given together with client_jwks_uri")
	}
	if uri, err := url.Parse(a.ClientJWKSURI); a.ClientJWKSURI != "" && (err != nil || uri.Scheme != "https" || uri.Host == "") {
		problems.Add("client_jwks_uri", "must be an https URL")
	}
	if a.ClientJWKS == "" {
		return
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(a.ClientJWKS), &set); err != nil || len(set.Keys) == 0 {
		problems.Add("client_jwks", "must be a JWK Set with at least one key (RFC 7517 §5)")
	}
	for _, key := range set.Keys {
		if key["d"] != nil || key["k"] != nil {
			problems.Add("client_jwks", "must hold public keys only; this one is now known to others and must be replaced")
		}
	}
}

func notVisible(r rune) bool { return r < 0x21 || r > 0x7e }

// Problems collects everything that is wrong, in the order of the fields. It is an
// error if it is not empty.
type Problems []Problem

// Add adds a problem of a field, by its JSON name. A page translates the format with
// its text problem.FORMAT, and an error in args likewise.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...), format: format, args: args})
}

// Of returns the messages of a field.
func (p Problems) Of(field string) []string {
	var messages []string
	for _, problem := range p {
		if problem.Field == field {
			messages = append(messages, problem.Message)
		}
	}
	return messages
}

// Error returns every problem with its field.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, problem := range p {
		texts[i] = problem.Field + ": " + problem.Message
	}
	return strings.Join(texts, "; ")
}

// Problem is one thing that is wrong with a field.
type Problem struct {
	Field   string // the JSON name of the field
	Message string // a sentence for people, in English
	format  string // the format of Message, if there are args
	args    []any
}

// Text returns the message in another language. Translate is called with the format
// and the arguments, as in [Problems.Add], and returns the formatted text. A message
// without arguments is passed alone. Errors among the arguments are translated
// first, by their own method Text if they have one.
func (p Problem) Text(translate func(format string, args ...any) string) string {
	if len(p.args) == 0 {
		return translate(p.Message)
	}
	args := slices.Clone(p.args)
	for i, arg := range args {
		switch arg := arg.(type) {
		case translatable:
			args[i] = arg.Text(translate)
		case error:
			args[i] = translate(arg.Error())
		}
	}
	return translate(p.format, args...)
}

// translatable is a text that can be translated, as a [Problem] can.
type translatable interface {
	Text(translate func(format string, args ...any) string) string
}
