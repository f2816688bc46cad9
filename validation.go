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

// Validator is an [Application] with rules of its own. They come on top of the library's and cannot replace them.
type Validator interface {
	// Validate adds what is wrong with the application to problems. It must not change the application.
	Validate(problems *Problems)
}

// Problem is one thing that is wrong with one field.
type Problem struct {
	Field   string // the field's JSON name
	Message string // what is wrong and what to do, for people, in English
	format  string // that Message was made of, where there are args
	args    []any
}

// Text returns what is wrong in other words. Translate is given the format of the message and what is put into it, as in [Problems.Add],
// and returns both put together; of a message with nothing put into it, it is given that alone. An error that is put in is translated
// first, by its own method Text where it has this one.
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

// translatable is what can be said in other words, as a [Problem] can.
type translatable interface {
	Text(translate func(format string, args ...any) string) string
}

// Problems collects all that is wrong at once, in the order of the fields. It is an error when it is not empty.
type Problems []Problem

// Add notes a problem of a field, named as in JSON. A page translates the format by its text problem.FORMAT, and an error among
// args likewise.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...), format: format, args: args})
}

// Of returns the messages for one field.
func (p Problems) Of(field string) []string {
	var messages []string
	for _, problem := range p {
		if problem.Field == field {
			messages = append(messages, problem.Message)
		}
	}
	return messages
}

// Error names every problem with its field.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, problem := range p {
		texts[i] = problem.Field + ": " + problem.Message
	}
	return strings.Join(texts, "; ")
}

// ValidateApplication checks app by the library's rules. It is [ApplicationRules.Validate] of the zero value.
func ValidateApplication(app Application) error { return ApplicationRules{}.Validate(app) }

// Validate checks app by the library's rules, where it embeds [AbstractApplication], and by its own, where it is a [Validator].
// The error holds a [Problems] with everything that is wrong.
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

// Prepare makes app ready to be created: it fills in a client_id where there is none, and validates.
func (r ApplicationRules) Prepare(app Application) error {
	if abstract := Abstract(app); abstract != nil {
		abstract.complete()
	}
	return r.Validate(app)
}

// validate asks app, not a, what depends on an answer that the host may override.
func (a *AbstractApplication) validate(app Application, rules ApplicationRules, problems *Problems) {
	a.validateIdentity(problems)
	if app.GetID() != a.ClientID {
		problems.Add("client_id", "must be what GetID returns, because a store finds the application by it")
	}
	a.validateRedirection(app, rules, problems)
	a.validateAuthentication(app, problems)
	if algorithm := IDTokenAlgorithm(app); !slices.Contains([]string{"", "RS256", "ES256"}, algorithm) {
		problems.Add("algorithm", "%q is not supported; use RS256 or ES256", algorithm)
	}
}

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
			if uri == "" || strings.ContainsFunc(uri, unicode.IsSpace) { // it is stored in a list that white space separates
				problems.Add(list.field, "%q: must not be empty or contain white space", uri)
			} else if err := list.check(uri); err != nil {
				problems.Add(list.field, "%q: %s", uri, err)
			}
		}
	}
}

func (a *AbstractApplication) validateAuthentication(app Application, problems *Problems) {
	const field = "token_endpoint_auth_method"
	switch method := a.TokenEndpointAuthMethod; method {
	case "":
	case AuthMethodNone:
		if !app.IsPublic() {
			problems.Add(field, "a confidential application cannot use %q", method)
		}
	case AuthMethodSecretBasic, AuthMethodSecretPost:
		if app.IsPublic() {
			problems.Add(field, "%q needs a confidential application", method)
		}
	case AuthMethodPrivateKeyJWT, AuthMethodSecretJWT:
		problems.Add(field, "%q is not served yet; use %q", method, AuthMethodSecretBasic)
	default:
		problems.Add(field, "%q is not known", method)
	}
	if app.IsPublic() && app.AllowsGrant(oauth2.ClientCredentials) {
		problems.Add("grant_types", "%s needs a confidential application (RFC 6749 §4.4)", string(oauth2.ClientCredentials))
	}
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

// isName reports whether people see the name as it is, and only the name: none, or one that is not blank, is not longer than a
// line, and holds nothing that hides or turns the words around it.
func isName(name string) bool {
	before := rune(0)
	for _, r := range name {
		joins := (r == '\u200c' || r == '\u200d') && before > unicode.MaxLatin1 // as Persian, Hindi and emoji need it
		if isHidden(r) && !joins {
			return false
		}
		before = r
	}
	return utf8.RuneCountInString(name) <= 100 && (name == "" || strings.ContainsFunc(name, isShown))
}

// isShown knows the characters that leave ink by themselves: not blanks, nor marks on what is before them.
func isShown(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && r != '\u2800' && r != '\U0001d159'
}

// isHidden knows the characters that do something to text and cannot be seen (Unicode Cc, Cf, Zl, Zp and default ignorables), and
// what is no text.
func isHidden(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// ApplicationRules say which URIs applications may be stored with. They do not say how a request is matched: that stays
// exact, and a URI that [CheckRedirectURI] refuses is refused in a request too. The zero value is the library's own rules. An
// application that is a [RedirectURIValidator] or an [OriginValidator] decides for itself.
type ApplicationRules struct {
	// RedirectURI returns what checks the redirect URIs of an application, which may be new. The error is for people. Nil, and nil
	// for an application: CheckRedirectURI. It can call that and then be stricter.
	RedirectURI func(app Application) func(uri string) error
	// Origin does the same for the allowed origins, with CheckOrigin.
	Origin func(app Application) func(origin string) error
}

// AddressValidator is an [Application] with rules of its own for its addresses, in place of
// [ApplicationRules]. Each error is a sentence for people.
type AddressValidator interface {
	ValidateRedirectURI(uri string) error
	ValidateOrigin(origin string) error
}

// CheckRedirectURI is the library's rule for redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7): an https URI, an http URI of a
// loopback address, or a private-use scheme with a dot; no fragment, no user, nothing that two programs could read differently.
func CheckRedirectURI(uri string) error { return redirect.Check(uri) }

// CheckOrigin is the library's rule for origins (RFC 6454 §6.2): https, or http on a loopback address, and nothing but host and
// port.
func CheckOrigin(origin string) error { return redirect.CheckOrigin(origin) }

// CheckName is the library's rule for the name of an application: at most 100 characters, which people see as they are. None at all
// is a name too. The error is for people.
func CheckName(name string) error {
	if !isName(name) {
		return errors.New("must have at most 100 characters, none of which is invisible, a control character or a direction mark")
	}
	return nil
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
