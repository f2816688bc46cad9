package oauthkit

import (
	"time"
)

// A capability is an interface that an Application may implement, with a function
// for each of its questions. AbstractApplication implements those of this file
// except LifetimeChooser, SecretHolder in secret.go, PKCEChooser in pkce.go, and
// ResourceChooser in resource.go. Capabilities that concern
// the storing of an application are beside the code that stores it: FormFieldHolder
// in form.go, Validator and AddressValidator in validation.go.

// Described is an [Application] that describes itself to users. Its answers are part of
// their consent: if one changes, users are asked again.
type Described interface {
	// DisplayName returns the name for people.
	DisplayName() string
	// RegisteredRedirectURIs returns the redirect URIs, for display and for noticing
	// a change of them. No request is matched with them. It must list every URI that
	// AllowsRedirectURI allows. Otherwise a change of address goes unnoticed, and
	// the consent and the trust given to the application stay.
	RegisteredRedirectURIs() URIs
}

// DisplayName returns the name of app for people. If app is not [Described], it
// returns the client_id.
func DisplayName(app Application) string {
	if described, ok := app.(Described); ok {
		return described.DisplayName()
	}
	return app.GetID()
}

// RegisteredRedirectURIs returns the redirect URIs of app. If app is not
// [Described], it returns none.
func RegisteredRedirectURIs(app Application) URIs {
	if described, ok := app.(Described); ok {
		return described.RegisteredRedirectURIs()
	}
	return nil
}

// Trusted is an [Application] that the operator of the provider may trust.
type Trusted interface {
	// SkipsConsent reports whether users are not asked for consent.
	SkipsConsent() bool
	// IsVerified reports whether the operator vouches for the name.
	IsVerified() bool
}

// SkipsConsent reports whether users of app are not asked for consent. If app is not
// [Trusted], it returns false.
func SkipsConsent(app Application) bool {
	trusted, ok := app.(Trusted)
	return ok && trusted.SkipsConsent()
}

// IsVerified reports whether the operator vouches for the name of app. If app is not
// [Trusted], it returns false.
func IsVerified(app Application) bool {
	trusted, ok := app.(Trusted)
	return ok && trusted.IsVerified()
}

// Usable is an [Application] that can be disabled.
type Usable interface {
	IsUsable() bool
}

// IsUsable reports whether app is usable. If app is not [Usable], it returns true.
//
// An application that is not usable is treated as if it did not exist. Access tokens
// that it has already are accepted until they expire or are revoked, for example by
// [Authorizations.RevokeApplication].
func IsUsable(app Application) bool {
	usable, ok := app.(Usable)
	return !ok || usable.IsUsable()
}

// LifetimeChooser is an [Application] that chooses the lifetime of its access tokens.
type LifetimeChooser interface {
	AccessTokenLifetime() time.Duration
}

// accessTokenLifetime returns the lifetime that app chooses, in whole seconds. It
// returns fallback if app is not a [LifetimeChooser] or chooses less than a second.
func accessTokenLifetime(app Application, fallback time.Duration) time.Duration {
	if chooser, ok := app.(LifetimeChooser); ok && chooser.AccessTokenLifetime() >= time.Second {
		return min(chooser.AccessTokenLifetime(), maxLifetime).Truncate(time.Second)
	}
	return fallback
}

// ProtocolSettings is an [Application] with protocol settings of its own.
type ProtocolSettings interface {
	// IDTokenAlgorithm returns the algorithm that signs its ID tokens.
	// If empty, it is the first of oidc.Config.Algorithms.
	IDTokenAlgorithm() string
	// RequiresPushedRequests reports whether authorization requests
	// must be pushed (RFC 9126 §6).
	RequiresPushedRequests() bool
}

// IDTokenAlgorithm returns the algorithm that signs ID tokens for app. If app has no
// [ProtocolSettings], it returns the empty string, which means the first of
// oidc.Config.Algorithms: by default RS256, the one algorithm that every OpenID Connect
// client supports.
func IDTokenAlgorithm(app Application) string {
	if settings, ok := app.(ProtocolSettings); ok {
		return settings.IDTokenAlgorithm()
	}
	return ""
}

// requiresPushedRequests reports whether app requires pushed authorization requests.
// If app has no [ProtocolSettings], it returns false.
func requiresPushedRequests(app Application) bool {
	settings, ok := app.(ProtocolSettings)
	return ok && settings.RequiresPushedRequests()
}

// ResponseTypeChooser is an [Application] that chooses the types of its authorization
// responses.
type ResponseTypeChooser interface {
	// AllowsResponseType reports whether the application may request t, whose words are
	// sorted. It is called only for response types that the provider supports.
	// AllowsGrant of the application is called as well.
	AllowsResponseType(t ResponseType) bool
}

// AllowsResponseType reports whether app may request t. If app is not a
// [ResponseTypeChooser], it may only request code, the type whose response contains no
// token.
func AllowsResponseType(app Application, t ResponseType) bool {
	if chooser, ok := app.(ResponseTypeChooser); ok {
		return chooser.AllowsResponseType(t)
	}
	return t == ResponseTypeCode
}

// IDTokenClaimsChooser is an [Application] that chooses whether its ID tokens contain
// claims about the user.
type IDTokenClaimsChooser interface {
	// WantsIDTokenClaims reports whether ID tokens contain the claims about the user that
	// the granted scopes cover (OpenID Connect Core 1.0 §5.4). byDefault is the setting
	// of the provider.
	WantsIDTokenClaims(byDefault bool) bool
}

// WantsIDTokenClaims reports whether ID tokens for app contain the claims about the
// user. If app is not an [IDTokenClaimsChooser], it returns byDefault.
func WantsIDTokenClaims(app Application, byDefault bool) bool {
	if chooser, ok := app.(IDTokenClaimsChooser); ok {
		return chooser.WantsIDTokenClaims(byDefault)
	}
	return byDefault
}

// ErrorIssOmitter is an [Application] whose client cannot read an authorization error
// response with the parameter iss.
type ErrorIssOmitter interface {
	// OmitsIssInErrors reports whether error responses have no iss. Successful responses
	// have it in any case, since it protects codes (RFC 9207 §1).
	OmitsIssInErrors() bool
}

// omitsIssInErrors reports whether error responses for app have no iss. If app is not an
// [ErrorIssOmitter], it returns false.
func omitsIssInErrors(app Application) bool {
	omitter, ok := app.(ErrorIssOmitter)
	return ok && omitter.OmitsIssInErrors()
}

// MaxAgeChooser is an [Application] that limits the age of the sign-ins of its users.
type MaxAgeChooser interface {
	// MaxSignInAge returns the maximum age of the sign-in for authorization requests
	// without the parameter max_age, and false if any age is accepted. Zero demands a
	// sign-in for each request.
	MaxSignInAge() (age time.Duration, limited bool)
}

// defaultMaxAge returns the maximum age of a sign-in for app. If app is not a
// [MaxAgeChooser], it returns nil, which means any age.
func defaultMaxAge(app Application) *time.Duration {
	if chooser, ok := app.(MaxAgeChooser); ok {
		if age, limited := chooser.MaxSignInAge(); limited {
			return &age
		}
	}
	return nil
}

// OwnerSetter is an [Application] that users may register. Its GetUserID must return
// the owner that was set.
type OwnerSetter interface {
	SetUserID(owner string)
}

// setOwner sets the owner of app if it is an [OwnerSetter].
func setOwner(app Application, owner string) {
	if setter, ok := app.(OwnerSetter); ok {
		setter.SetUserID(owner)
	}
}

// BrowserClient is an [Application] that runs in browsers or sends them back to itself.
type BrowserClient interface {
	// AllowsOrigin reports whether scripts of origin may call the token endpoint.
	AllowsOrigin(origin string) bool
	// AllowsPostLogoutRedirectURI reports whether a browser may be sent to uri after a
	// logout that the application started (OpenID Connect RP-Initiated Logout 1.0 §3).
	AllowsPostLogoutRedirectURI(uri string) bool
}

// LogoutClient is an [Application] that wants to be told when a session ends.
type LogoutClient interface {
	// BackChannelLogout returns the target of requests of the provider (OpenID Connect
	// Back-Channel Logout 1.0 §2.2).
	BackChannelLogout() LogoutTarget
	// FrontChannelLogout returns the target of frames in the user's browser (OpenID
	// Connect Front-Channel Logout 1.0 §2).
	FrontChannelLogout() LogoutTarget
}

// LogoutTarget is an address of an application that is told of logouts.
type LogoutTarget struct {
	// URI is the address. If empty, there is none.
	URI string
	// SessionRequired means that the application needs the sid of the session, and cannot
	// use a message about all sessions of a user.
	SessionRequired bool
}

// BackChannelLogout returns the target of the provider's requests. If app is not a
// [LogoutClient], it is empty.
func BackChannelLogout(app Application) LogoutTarget {
	if client, ok := app.(LogoutClient); ok {
		return client.BackChannelLogout()
	}
	return LogoutTarget{}
}

// FrontChannelLogout returns the target of frames in the user's browser. If app is not a
// [LogoutClient], it is empty.
func FrontChannelLogout(app Application) LogoutTarget {
	if client, ok := app.(LogoutClient); ok {
		return client.FrontChannelLogout()
	}
	return LogoutTarget{}
}

// AllowsOrigin reports whether scripts of origin may call the token endpoint for
// app. If app is not a [BrowserClient], it returns false.
func AllowsOrigin(app Application, origin string) bool {
	client, ok := app.(BrowserClient)
	return ok && client.AllowsOrigin(origin)
}

// AllowsPostLogoutRedirectURI reports whether a browser may be sent to uri after a
// logout that app started. If app is not a [BrowserClient], it returns false.
func AllowsPostLogoutRedirectURI(app Application, uri string) bool {
	client, ok := app.(BrowserClient)
	return ok && client.AllowsPostLogoutRedirectURI(uri)
}
