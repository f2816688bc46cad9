package oauthkit

import (
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/oauthkit/oauthkit/internal/redirect"
)

// Application is a client of the provider (RFC 6749 §2). The library calls its methods and
// never reads its fields. Embed [AbstractApplication] to implement it, and override a method
// to decide differently:
//
//	type MyApplication struct {
//		oauthkit.AbstractApplication
//		Logo string
//	}
//
// Every Application is a go-oauth2 client. A capability that only some applications need is
// an interface of its own: [Described], [Trusted], [Usable], [SecretHolder],
// [LifetimeChooser], [ProtocolSettings] and [BrowserClient], and for registering and changing
// applications [OwnerSetter], [FormFieldHolder], [Validator] and [AddressValidator].
type Application interface {
	// GetID must be the client_id, unique and never empty. GetSecret is never asked for a decision.
	oauth2.ClientInfo
	// VerifyPassword must compare in constant time and must refuse an empty secret.
	oauth2.ClientPasswordVerifier
	// AllowsGrant reports whether the application may use a grant type (RFC 6749 §1.3).
	AllowsGrant(grant oauth2.GrantType) bool
	// AllowsRedirectURI reports whether uri, compared byte by byte as it was sent, is one of the application's
	// (RFC 9700 §4.1.3).
	AllowsRedirectURI(uri string) bool
	// AllowsScope reports whether the application may ask for a scope at all. The scope "introspection" is asked for when
	// it introspects tokens that are not its own.
	AllowsScope(scope string) bool
	// AllowsAuthMethod reports whether the application may authenticate this way, by its name in
	// token_endpoint_auth_method (RFC 7591 §2).
	AllowsAuthMethod(method string) bool
}

// ClientType says whether an application can keep a secret (RFC 6749 §2.1).
type ClientType string

// The client types of RFC 6749 §2.1.
const (
	Confidential ClientType = "confidential"
	Public       ClientType = "public"
)

// RegistrationSource says how an application came to be.
type RegistrationSource string

// The sources of applications.
const (
	RegisteredManually    RegistrationSource = "manual" // by the provider's operator or on the application pages
	RegisteredDynamically RegistrationSource = "dcr"    // RFC 7591
	RegisteredByDocument  RegistrationSource = "cimd"   // a client id metadata document
)

// The names of the ways an application can authenticate (RFC 7591 §2).
const (
	AuthMethodNone          = "none"
	AuthMethodSecretBasic   = "client_secret_basic"
	AuthMethodSecretPost    = "client_secret_post"
	AuthMethodSecretJWT     = "client_secret_jwt"
	AuthMethodPrivateKeyJWT = "private_key_jwt"
)

// AbstractApplication is the application a host embeds in its own struct: what the protocols need of a client, in columns
// and JSON members with the names that Django OAuth Toolkit gave them, where it has them. The zero value may do nothing.
//
// No method of it calls another one, since Go would not call the host's override; every decision that combines two
// answers is made by the library, through [Application].
type AbstractApplication struct {
	// ClientID is the client identifier (RFC 6749 §2.2) and the primary key. Empty: generated when it is created.
	ClientID string `json:"client_id" gorm:"column:client_id;primaryKey;size:255"`
	// UserID is the host's user who owns the application; empty for the provider's own.
	UserID string `json:"user,omitempty" gorm:"column:user_id;size:255;index;not null;default:''"`
	// Name is shown to people who are asked for consent.
	Name string `json:"name" gorm:"column:name;size:255;not null;default:''"`
	// ClientType is Confidential or Public.
	ClientType ClientType `json:"client_type" gorm:"column:client_type;size:32;not null;default:''"`
	// GrantTypes are the grants that the application may use. Empty: none.
	GrantTypes GrantTypes `json:"grant_types" gorm:"column:grant_types;not null;default:''"`
	// RedirectURIs are where an authorization response may be sent (RFC 6749 §3.1.2).
	RedirectURIs URIs `json:"redirect_uris" gorm:"column:redirect_uris;not null;default:''"`
	// PostLogoutRedirectURIs are where the browser may be sent after a logout that the application asked for. There is no
	// endpoint for such a logout yet.
	PostLogoutRedirectURIs URIs `json:"post_logout_redirect_uris,omitempty" gorm:"column:post_logout_redirect_uris;not null;default:''"`
	// AllowedOrigins are the web origins whose scripts may call the token endpoint.
	AllowedOrigins URIs `json:"allowed_origins,omitempty" gorm:"column:allowed_origins;not null;default:''"`
	// Scopes are those the application may ask for. Empty: none.
	Scopes Scopes `json:"scopes" gorm:"column:scopes;not null;default:''"`
	// ClientSecret is the hash of the secret; the secret itself is known only to the application. Empty: no secret
	// verifies. Set it with GenerateSecret or ImportSecret.
	ClientSecret SecretHash `json:"-" gorm:"column:client_secret;size:255;not null;default:''"`
	// PreviousSecret is the hash of the secret before the last rotation, which is good until PreviousSecretExpiresAt. Empty:
	// none. Set both with RotateSecret.
	PreviousSecret          SecretHash `json:"-" gorm:"column:previous_secret;size:255;not null;default:''"`
	PreviousSecretExpiresAt *time.Time `json:"previous_secret_expires_at,omitempty" gorm:"column:previous_secret_expires_at"`
	// TokenEndpointAuthMethod is the one way the application authenticates. Empty: client_secret_basic or
	// client_secret_post for a confidential application, none for a public one.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method,omitempty" gorm:"column:token_endpoint_auth_method;size:32;not null;default:''"`
	// ClientJWKS is a JWK Set with the public keys of an application that authenticates with private_key_jwt, which is not
	// served yet.
	ClientJWKS string `json:"client_jwks,omitempty" gorm:"column:client_jwks;not null;default:''"`
	// ClientJWKSURI is where that JWK Set can be fetched instead. Not both.
	ClientJWKSURI string `json:"client_jwks_uri,omitempty" gorm:"column:client_jwks_uri;size:500;not null;default:''"`
	// Algorithm signs the application's ID tokens: RS256 or ES256. Empty: RS256.
	Algorithm string `json:"algorithm,omitempty" gorm:"column:algorithm;size:8;not null;default:''"`
	// SkipAuthorization spares the users the consent page, unless any program on their device could receive the answer: for
	// a public application the redirect URI must be https. Only for applications of the provider's operator.
	SkipAuthorization bool `json:"skip_authorization,omitempty" gorm:"column:skip_authorization;not null;default:false"`
	// RequirePushedAuthorizationRequests refuses authorization requests that were not pushed first (RFC 9126 §6): all of them,
	// as long as there is no endpoint to push them to.
	RequirePushedAuthorizationRequests bool `json:"require_pushed_authorization_requests,omitempty" gorm:"column:require_pushed_authorization_requests;not null;default:false"`
	// Verified says that the operator vouches for the name. Without it the consent page tells that nobody does.
	Verified bool `json:"verified,omitempty" gorm:"column:verified;not null;default:false"`
	// Disabled gives the application nothing any more. An update of a store of this module that sets it also revokes every
	// Authorization of the application: when the update has returned, nothing that was issued to it is valid, including
	// what was issued at the same time. It can be undone; its users then have to sign in again.
	Disabled bool `json:"disabled,omitempty" gorm:"column:disabled;not null;default:false"`
	// RegistrationSource says how the application came to be. Empty: RegisteredManually.
	RegistrationSource RegistrationSource `json:"registration_source,omitempty" gorm:"column:registration_source;size:16;not null;default:''"`
	// CIMDExpiresAt is when a client id metadata document is to be fetched again; nil for every other application.
	CIMDExpiresAt *time.Time `json:"cimd_expires_at,omitempty" gorm:"column:cimd_expires_at"`
	// CreatedAt is set by the store.
	CreatedAt time.Time `json:"created_at,omitzero" gorm:"column:created_at"`
	// UpdatedAt is set by the store at every change.
	UpdatedAt time.Time `json:"updated_at,omitzero" gorm:"column:updated_at"`
}

// GetID returns the client_id. What it returns must be the ClientID, by which stores find the application.
func (a *AbstractApplication) GetID() string { return a.ClientID }

// GetSecret returns nothing: only a hash is known, and VerifyPassword compares with it.
func (a *AbstractApplication) GetSecret() string { return "" }

// GetDomain returns the first redirect URI, for go-oauth2's own code; this library matches with AllowsRedirectURI. Without
// one it is a name that cannot exist, because go-oauth2 takes an empty domain for "any".
func (a *AbstractApplication) GetDomain() string {
	if len(a.RedirectURIs) == 0 {
		return "https://no-redirect-uri.invalid"
	}
	return a.RedirectURIs[0]
}

// IsPublic reports whether the application cannot keep a secret. Anything that is not Confidential is public.
func (a *AbstractApplication) IsPublic() bool { return a.ClientType != Confidential }

// GetUserID returns the owner. A store that lists applications by their owner looks into the column user_id: who overrides this
// keeps that column right.
func (a *AbstractApplication) GetUserID() string { return a.UserID }

// SetUserID sets the owner.
func (a *AbstractApplication) SetUserID(owner string) { a.UserID = owner }

// AllowsGrant reports whether grant is one of the GrantTypes.
func (a *AbstractApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return slices.Contains(a.GrantTypes, grant)
}

// AllowsRedirectURI reports whether uri equals one of the RedirectURIs. For a public application the port of an http URI on
// a loopback IP address is free, since a native app cannot know it beforehand (RFC 8252 §7.3).
func (a *AbstractApplication) AllowsRedirectURI(uri string) bool {
	native := a.ClientType != Confidential
	return slices.ContainsFunc(a.RedirectURIs, func(registered string) bool {
		return redirect.Check(registered) == nil && redirect.Match(registered, uri, native)
	})
}

// RegisteredRedirectURIs returns the RedirectURIs.
func (a *AbstractApplication) RegisteredRedirectURIs() URIs { return a.RedirectURIs }

// AllowsScope reports whether scope is one of the Scopes.
func (a *AbstractApplication) AllowsScope(scope string) bool {
	return slices.Contains(a.Scopes, scope)
}

// AllowsAuthMethod reports whether method is the application's TokenEndpointAuthMethod or, where that is empty, fits its
// ClientType.
func (a *AbstractApplication) AllowsAuthMethod(method string) bool {
	switch {
	case a.TokenEndpointAuthMethod != "":
		return method == a.TokenEndpointAuthMethod
	case a.ClientType == Confidential:
		return method == AuthMethodSecretBasic || method == AuthMethodSecretPost
	default:
		return method == AuthMethodNone
	}
}

// DisplayName returns the Name, or the client_id where there is none.
func (a *AbstractApplication) DisplayName() string {
	if a.Name == "" {
		return a.ClientID
	}
	return a.Name
}

// SkipsConsent returns SkipAuthorization.
func (a *AbstractApplication) SkipsConsent() bool { return a.SkipAuthorization }

// IsVerified returns Verified.
func (a *AbstractApplication) IsVerified() bool { return a.Verified }

// IsUsable reports whether the application is not Disabled.
func (a *AbstractApplication) IsUsable() bool { return !a.Disabled }

// IDTokenAlgorithm returns the Algorithm.
func (a *AbstractApplication) IDTokenAlgorithm() string { return a.Algorithm }

// RequiresPushedRequests returns RequirePushedAuthorizationRequests.
func (a *AbstractApplication) RequiresPushedRequests() bool {
	return a.RequirePushedAuthorizationRequests
}

// AllowsOrigin reports whether origin equals one of the AllowedOrigins.
func (a *AbstractApplication) AllowsOrigin(origin string) bool {
	return slices.Contains(a.AllowedOrigins, origin)
}

// AllowsPostLogoutRedirectURI reports whether uri equals one of the PostLogoutRedirectURIs.
func (a *AbstractApplication) AllowsPostLogoutRedirectURI(uri string) bool {
	return slices.Contains(a.PostLogoutRedirectURIs, uri)
}

// abstract is promoted to every struct that embeds AbstractApplication, and is how [Abstract] finds it.
func (a *AbstractApplication) abstract() *AbstractApplication { return a }

// Abstract returns the AbstractApplication that app embeds, or nil if it embeds none.
func Abstract(app Application) *AbstractApplication {
	if embedder, ok := app.(interface{ abstract() *AbstractApplication }); ok {
		return embedder.abstract()
	}
	return nil
}
