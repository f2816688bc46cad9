package oauthkit

import (
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// Application is a client of the provider (RFC 6749 §2). The library calls its
// methods and never reads its fields. Embed [AbstractApplication] to implement it,
// and override a method to decide differently:
//
//	type MyApplication struct {
//		oauthkit.AbstractApplication
//		Logo string
//	}
//
// Every Application is a go-oauth2 client. A capability that only some applications need
// is an interface of its own: [Described], [Trusted], [Usable], [SecretHolder],
// [LifetimeChooser], [ProtocolSettings], [ResponseTypeChooser], [IDTokenClaimsChooser],
// [PKCEChooser], [ErrorIssOmitter] and [BrowserClient], and for registering and changing
// applications [OwnerSetter], [FormFieldHolder], [Validator] and [AddressValidator].
type Application interface {
	// ClientInfo is go-oauth2's client. GetID must return the client_id, unique and
	// never empty. GetSecret is never called for a decision.
	oauth2.ClientInfo
	// VerifyPassword must compare in constant time and must reject the empty secret.
	oauth2.ClientPasswordVerifier
	// AllowsGrant reports whether the application may use a grant type (RFC 6749 §1.3).
	AllowsGrant(grant oauth2.GrantType) bool
	// AllowsRedirectURI reports whether uri, compared byte by byte as it was sent,
	// is a redirect URI of the application (RFC 9700 §4.1.3).
	AllowsRedirectURI(uri string) bool
	// AllowsScope reports whether the application may request a scope. It is called with
	// "introspection" if the application introspects tokens of other applications.
	AllowsScope(scope string) bool
	// AllowsAuthMethod reports whether the application may authenticate with a
	// method, named as in token_endpoint_auth_method (RFC 7591 §2).
	AllowsAuthMethod(method string) bool
}

// ClientType tells whether an application can keep a secret (RFC 6749 §2.1).
type ClientType string

// The client types of RFC 6749 §2.1.
const (
	Confidential ClientType = "confidential"
	Public       ClientType = "public"
)

// RegistrationSource tells how an application was registered.
type RegistrationSource string

// The registration sources.
const (
	RegisteredManually    RegistrationSource = "manual" // by the provider's operator or on the application pages
	RegisteredDynamically RegistrationSource = "dcr"    // RFC 7591
	RegisteredByDocument  RegistrationSource = "cimd"   // a client id metadata document
)

// The authentication methods of applications (RFC 7591 §2).
const (
	AuthMethodNone          = "none"
	AuthMethodSecretBasic   = "client_secret_basic"
	AuthMethodSecretPost    = "client_secret_post"
	AuthMethodSecretJWT     = "client_secret_jwt"
	AuthMethodPrivateKeyJWT = "private_key_jwt"
)

// AbstractApplication implements [Application] for a host to embed in its own
// struct. Columns and JSON members have the names of Django OAuth Toolkit where it
// has them. The zero value may do nothing.
//
// None of its methods calls another one, because Go would not call the host's override.
// The library makes every decision that combines several methods, through [Application].
type AbstractApplication struct {
	// ClientID is the client identifier (RFC 6749 §2.2) and the primary key. If
	// empty, it is generated when the application is created.
	ClientID string `json:"client_id" gorm:"column:client_id;primaryKey;size:255"`
	// UserID is the host's user who owns the application. It is empty for
	// applications of the operator.
	UserID string `json:"user,omitempty" gorm:"column:user_id;size:255;index;not null;default:''"`
	// Name is shown to users who are asked for consent.
	Name string `json:"name" gorm:"column:name;size:255;not null;default:''"`
	// ClientType is Confidential or Public.
	ClientType ClientType `json:"client_type" gorm:"column:client_type;size:32;not null;default:''"`
	// GrantTypes are the grant types that the application may use. If
	// empty, it may use none.
	GrantTypes GrantTypes `json:"grant_types" gorm:"column:grant_types;not null;default:''"`
	// ResponseTypes are the types of authorization responses that the application may
	// request (RFC 7591 §2), as ParseResponseType returns them. If empty, it may only
	// request code. A type that is not in Config.ResponseTypes is refused in any case.
	ResponseTypes ResponseTypes `json:"response_types,omitempty" gorm:"column:response_types"`
	// RedirectURIs are the addresses for authorization responses (RFC 6749 §3.1.2).
	RedirectURIs URIs `json:"redirect_uris" gorm:"column:redirect_uris;not null;default:''"`
	// PostLogoutRedirectURIs are the addresses for browsers after a logout that the
	// application started (OpenID Connect RP-Initiated Logout 1.0 §3).
	PostLogoutRedirectURIs URIs `json:"post_logout_redirect_uris,omitempty" gorm:"column:post_logout_redirect_uris;not null;default:''"`
	// BackChannelLogoutURI receives a logout token from the provider when a session ends
	// (OpenID Connect Back-Channel Logout 1.0 §2.2). If empty, the application is not
	// told.
	BackChannelLogoutURI string `json:"backchannel_logout_uri,omitempty" gorm:"column:backchannel_logout_uri"`
	// BackChannelLogoutSessionRequired means that the application needs a sid in each
	// logout token.
	BackChannelLogoutSessionRequired bool `json:"backchannel_logout_session_required,omitempty" gorm:"column:backchannel_logout_session_required"`
	// FrontChannelLogoutURI is loaded in a frame of the page that signs a user out
	// (OpenID Connect Front-Channel Logout 1.0 §2). It has the scheme, host and port of
	// one of RedirectURIs. If empty, nothing is loaded.
	FrontChannelLogoutURI string `json:"frontchannel_logout_uri,omitempty" gorm:"column:frontchannel_logout_uri"`
	// FrontChannelLogoutSessionRequired means that the application needs the parameters
	// iss and sid.
	FrontChannelLogoutSessionRequired bool `json:"frontchannel_logout_session_required,omitempty" gorm:"column:frontchannel_logout_session_required"`
	// AllowedOrigins are the web origins whose scripts may call the token endpoint.
	AllowedOrigins URIs `json:"allowed_origins,omitempty" gorm:"column:allowed_origins;not null;default:''"`
	// Scopes are the scopes that the application may request. If empty,
	// it may request none.
	Scopes Scopes `json:"scopes" gorm:"column:scopes;not null;default:''"`
	// ClientSecret is the hash of the secret. Only the application knows the secret.
	// If empty, no secret verifies. Use GenerateSecret or ImportSecret to set it.
	ClientSecret SecretHash `json:"-" gorm:"column:client_secret;size:255;not null;default:''"`
	// PreviousSecret is the hash of the previous secret, which is valid until
	// PreviousSecretExpiresAt. If empty, there is none. Use RotateSecret to set both.
	PreviousSecret          SecretHash `json:"-" gorm:"column:previous_secret;size:255;not null;default:''"`
	PreviousSecretExpiresAt *time.Time `json:"previous_secret_expires_at,omitempty" gorm:"column:previous_secret_expires_at"`
	// TokenEndpointAuthMethod is the only method the application authenticates with, one
	// of Config.ClientAuthenticators. If empty, it is client_secret_basic or
	// client_secret_post for a confidential application, and none for a public one.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method,omitempty" gorm:"column:token_endpoint_auth_method;size:255;not null;default:''"`
	// ClientJWKS is a JWK Set with the public keys of an application, for a
	// [ClientAuthenticator] that verifies signatures. The library's methods do not use
	// it.
	ClientJWKS string `json:"client_jwks,omitempty" gorm:"column:client_jwks;not null;default:''"`
	// ClientJWKSURI is the address of that JWK Set. Only one of both may be set.
	ClientJWKSURI string `json:"client_jwks_uri,omitempty" gorm:"column:client_jwks_uri;size:500;not null;default:''"`
	// PKCE tells which authorization requests must have a code_challenge. It is the
	// assurance of the provider's operator: an owner cannot set it. If empty, it is
	// Config.PKCE. A public application can only have PKCERequired.
	PKCE PKCEPolicy `json:"pkce,omitempty" gorm:"column:pkce"`
	// Algorithm signs the application's ID tokens: RS256, ES256, PS256 or EdDSA. If
	// empty, it is the first of oidc.Config.Algorithms, by default RS256.
	Algorithm string `json:"algorithm,omitempty" gorm:"column:algorithm;size:8;not null;default:''"`
	// IDTokenClaims tells whether ID tokens contain the claims about the user that the
	// granted scopes cover, for a client that never calls user info. Only the operator
	// sets it. If nil, oidc.Config.IDTokenUserClaims decides.
	IDTokenClaims *bool `json:"id_token_claims,omitempty" gorm:"column:id_token_claims"`
	// OmitIssInErrors leaves the parameter iss (RFC 9207) out of authorization error
	// responses, for a client such as mod_auth_openidc, which takes a response with iss
	// and without code for another message. Only the operator sets it. If nil, iss is in
	// every response.
	OmitIssInErrors *bool `json:"omit_iss_in_errors,omitempty" gorm:"column:omit_iss_in_errors"`
	// DefaultMaxAge is the maximum age of the user's sign-in, in seconds, for requests
	// without the parameter max_age (OpenID Connect Dynamic Client Registration 1.0 §2).
	// Only the operator sets it. If nil, any age is accepted.
	DefaultMaxAge *int `json:"default_max_age,omitempty" gorm:"column:default_max_age"`
	// Resources are the APIs that the application may name in a request (RFC 8707), each
	// also in Config.Resources. Only the operator sets them. If empty, it may name all.
	Resources URIs `json:"resources,omitempty" gorm:"column:resources"`
	// DefaultResources are the APIs that a token is for if the request names none, at
	// most 10. Such a token is refused by every other API, user info included. Only the
	// operator sets them. If empty, the token is not restricted to certain APIs.
	DefaultResources URIs `json:"default_resources,omitempty" gorm:"column:default_resources"`
	// SkipAuthorization skips the consent page, unless any program on the user's
	// device could receive the response: a public application must have an https
	// redirect URI. It is meant for applications of the operator.
	SkipAuthorization bool `json:"skip_authorization,omitempty" gorm:"column:skip_authorization;not null;default:false"`
	// RequirePushedAuthorizationRequests refuses authorization requests that were not
	// pushed (RFC 9126 §6). Without an extension that has an endpoint for them, it
	// refuses all.
	RequirePushedAuthorizationRequests bool `json:"require_pushed_authorization_requests,omitempty" gorm:"column:require_pushed_authorization_requests;not null;default:false"`
	// Verified means that the operator vouches for the name. Otherwise the consent
	// page warns that the name is not verified.
	Verified bool `json:"verified,omitempty" gorm:"column:verified;not null;default:false"`
	// A disabled application gets no tokens. Disabling it through a store of this
	// module also revokes all its Authorizations: once the update has returned, no
	// token of it is valid, not even one that was issued concurrently. After
	// enabling it again its users have to sign in again.
	Disabled bool `json:"disabled,omitempty" gorm:"column:disabled;not null;default:false"`
	// RegistrationSource tells how the application was registered. If
	// empty, it is RegisteredManually.
	RegistrationSource RegistrationSource `json:"registration_source,omitempty" gorm:"column:registration_source;size:16;not null;default:''"`
	// CIMDExpiresAt is when a client id metadata document must be fetched again. It
	// is nil for other applications.
	CIMDExpiresAt *time.Time `json:"cimd_expires_at,omitempty" gorm:"column:cimd_expires_at"`
	// CreatedAt is set by the store.
	CreatedAt time.Time `json:"created_at,omitzero" gorm:"column:created_at"`
	// UpdatedAt is set by the store with every change.
	UpdatedAt time.Time `json:"updated_at,omitzero" gorm:"column:updated_at"`
}

// GetID returns the client_id. An override must return the ClientID too, because
// stores find the application by it.
func (a *AbstractApplication) GetID() string { return a.ClientID }

// GetSecret returns the empty string, because only the hash of the secret is stored.
// VerifyPassword compares with it.
func (a *AbstractApplication) GetSecret() string { return "" }

// GetDomain returns the first redirect URI, for go-oauth2's own code. This library
// calls AllowsRedirectURI instead. If there is no redirect URI, it returns a name
// that cannot exist, because go-oauth2 takes an empty domain for any domain.
func (a *AbstractApplication) GetDomain() string {
	if len(a.RedirectURIs) == 0 {
		return "https://no-redirect-uri.invalid"
	}
	return a.RedirectURIs[0]
}

// IsPublic reports whether the application cannot keep a secret. Every application
// that is not Confidential is public.
func (a *AbstractApplication) IsPublic() bool { return a.ClientType != Confidential }

// GetUserID returns the owner. A store lists the applications of an owner by the column
// user_id, so a host that overrides GetUserID must keep that column up to date.
func (a *AbstractApplication) GetUserID() string { return a.UserID }

// SetUserID sets the owner.
func (a *AbstractApplication) SetUserID(owner string) { a.UserID = owner }

// AllowsGrant reports whether grant is one of GrantTypes.
func (a *AbstractApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return slices.Contains(a.GrantTypes, grant)
}

// AllowsResponseType reports whether t is one of ResponseTypes or, if that is empty,
// code.
func (a *AbstractApplication) AllowsResponseType(t ResponseType) bool {
	return a.ResponseTypes.allows(t)
}

// AllowsRedirectURI reports whether uri equals one of RedirectURIs. For a public
// application the port of an http URI with a loopback IP address may differ, because
// a native app does not know it in advance (RFC 8252 §7.3).
func (a *AbstractApplication) AllowsRedirectURI(uri string) bool {
	native := a.ClientType != Confidential
	return slices.ContainsFunc(a.RedirectURIs, func(registered string) bool {
		return redirect.Check(registered) == nil && redirect.Match(registered, uri, native)
	})
}

// RegisteredRedirectURIs returns RedirectURIs.
func (a *AbstractApplication) RegisteredRedirectURIs() URIs { return a.RedirectURIs }

// AllowsScope reports whether scope is one of Scopes.
func (a *AbstractApplication) AllowsScope(scope string) bool {
	return slices.Contains(a.Scopes, scope)
}

// AllowsAuthMethod reports whether method is TokenEndpointAuthMethod or, if that is
// empty, suits the ClientType.
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

// DisplayName returns Name. If that is empty, it returns the client_id.
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

// PKCEPolicy returns PKCE.
func (a *AbstractApplication) PKCEPolicy() PKCEPolicy { return a.PKCE }

// IDTokenAlgorithm returns Algorithm.
func (a *AbstractApplication) IDTokenAlgorithm() string { return a.Algorithm }

// WantsIDTokenClaims returns IDTokenClaims or, if that is nil, byDefault.
func (a *AbstractApplication) WantsIDTokenClaims(byDefault bool) bool {
	if a.IDTokenClaims == nil {
		return byDefault
	}
	return *a.IDTokenClaims
}

// OmitsIssInErrors reports whether OmitIssInErrors is true.
func (a *AbstractApplication) OmitsIssInErrors() bool {
	return a.OmitIssInErrors != nil && *a.OmitIssInErrors
}

// MaxSignInAge returns DefaultMaxAge.
func (a *AbstractApplication) MaxSignInAge() (age time.Duration, limited bool) {
	if a.DefaultMaxAge == nil {
		return 0, false
	}
	return time.Duration(*a.DefaultMaxAge) * time.Second, true
}

// AllowsResource reports whether resource is one of Resources or, if that is empty, true.
func (a *AbstractApplication) AllowsResource(resource string) bool {
	return len(a.Resources) == 0 || slices.Contains(a.Resources, resource)
}

// ResourcesByDefault returns DefaultResources.
func (a *AbstractApplication) ResourcesByDefault() URIs { return a.DefaultResources }

// RequiresPushedRequests returns RequirePushedAuthorizationRequests.
func (a *AbstractApplication) RequiresPushedRequests() bool {
	return a.RequirePushedAuthorizationRequests
}

// AllowsOrigin reports whether origin equals one of AllowedOrigins.
func (a *AbstractApplication) AllowsOrigin(origin string) bool {
	return slices.Contains(a.AllowedOrigins, origin)
}

// AllowsPostLogoutRedirectURI reports whether uri equals one of
// PostLogoutRedirectURIs.
func (a *AbstractApplication) AllowsPostLogoutRedirectURI(uri string) bool {
	return slices.Contains(a.PostLogoutRedirectURIs, uri)
}

// BackChannelLogout returns BackChannelLogoutURI and BackChannelLogoutSessionRequired.
func (a *AbstractApplication) BackChannelLogout() LogoutTarget {
	return LogoutTarget{a.BackChannelLogoutURI, a.BackChannelLogoutSessionRequired}
}

// FrontChannelLogout returns FrontChannelLogoutURI and FrontChannelLogoutSessionRequired.
func (a *AbstractApplication) FrontChannelLogout() LogoutTarget {
	return LogoutTarget{a.FrontChannelLogoutURI, a.FrontChannelLogoutSessionRequired}
}

// abstract is promoted to every struct that embeds AbstractApplication. [Abstract]
// uses it to find the embedded struct.
func (a *AbstractApplication) abstract() *AbstractApplication { return a }

// Abstract returns the AbstractApplication that app embeds, or nil if it embeds none.
func Abstract(app Application) *AbstractApplication {
	if embedder, ok := app.(interface{ abstract() *AbstractApplication }); ok {
		return embedder.abstract()
	}
	return nil
}
