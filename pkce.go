package oauthkit

import (
	"database/sql/driver"
	"fmt"
)

// PKCEPolicy tells which authorization requests of a confidential application must have
// a code_challenge (RFC 7636). A challenge that was sent is enforced under each policy.
// A public application must always send one.
//
// A weaker policy than PKCERequired is an assurance of the provider's operator about
// the client's software, in OAuth 2.1 and RFC 9700 §2.1.1. Otherwise an attacker who
// gets a code can inject it into a session of their own with the client.
type PKCEPolicy string

// The PKCE policies.
const (
	// PKCERequired requires a code_challenge in each request.
	PKCERequired PKCEPolicy = "required"
	// PKCENonce also accepts an OpenID Connect request with a nonce instead. Choose it
	// only for a client that compares the nonce in the ID token before it uses a token.
	PKCENonce PKCEPolicy = "nonce"
	// PKCEOptional accepts requests with neither, so that the client alone prevents code
	// injection.
	PKCEOptional PKCEPolicy = "optional"
)

// isKnown reports whether p is one of the policies.
func (p PKCEPolicy) isKnown() bool {
	return p == PKCERequired || p == PKCENonce || p == PKCEOptional
}

// isWeak reports whether some requests need no challenge.
func (p PKCEPolicy) isWeak() bool { return p == PKCENonce || p == PKCEOptional }

// Value implements [driver.Valuer]. An empty policy is NULL, which costs no allocation
// when an application is read.
func (p PKCEPolicy) Value() (driver.Value, error) {
	if p == "" {
		return nil, nil
	}
	return string(p), nil
}

// Scan implements [database/sql.Scanner].
func (p *PKCEPolicy) Scan(column any) error {
	switch text := column.(type) {
	case nil:
		*p = ""
	case string:
		*p = PKCEPolicy(text)
	case []byte:
		*p = PKCEPolicy(text)
	default:
		return fmt.Errorf("oauthkit: cannot scan %T into a PKCE policy", column)
	}
	return nil
}

// GormDataType tells GORM the column's type.
func (PKCEPolicy) GormDataType() string { return "text" }

// PKCEChooser is an [Application] with a PKCE policy of its own.
type PKCEChooser interface {
	// PKCEPolicy returns the policy. If empty, it is Config.PKCE. It is ignored if the
	// application is public.
	PKCEPolicy() PKCEPolicy
}

// chosenPKCE returns the policy that app chooses, and the empty string if it is not a
// [PKCEChooser].
func chosenPKCE(app Application) PKCEPolicy {
	if chooser, ok := app.(PKCEChooser); ok {
		return chooser.PKCEPolicy()
	}
	return ""
}

// PKCEPolicy returns the policy that applies to app: PKCERequired if app is public, its
// own if it is a [PKCEChooser], and otherwise Config.PKCE. An unknown policy counts as
// PKCERequired.
func (p *Provider) PKCEPolicy(app Application) PKCEPolicy {
	policy := chosenPKCE(app)
	if policy == "" {
		policy = p.config.PKCE
	}
	if app.IsPublic() || !policy.isWeak() {
		return PKCERequired
	}
	return policy
}

// PKCEPolicy returns the policy that applies to the application.
func (r *AuthorizeRequest) PKCEPolicy() PKCEPolicy { return r.provider.PKCEPolicy(r.Application) }

// PKCEPolicy returns the policy that applies to the application now, which may differ
// from that of the authorization request.
func (r *TokenRequest) PKCEPolicy() PKCEPolicy { return r.provider.PKCEPolicy(r.Application) }

// validatePKCE adds the problems of the policy of app.
func validatePKCE(app Application, problems *Problems) {
	const field = "pkce"
	switch policy := chosenPKCE(app); {
	case policy != "" && !policy.isKnown():
		problems.Add(field, "must be %q, %q or %q", PKCERequired, PKCENonce, PKCEOptional)
	case policy.isWeak() && app.IsPublic():
		problems.Add(field, "%q needs a confidential application", policy)
	}
}
