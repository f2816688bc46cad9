package oauthkit

import (
	"time"
)

// This file holds what only some applications need. Each is an interface of one or two methods and the functions that ask for
// it. AbstractApplication has all of them but LifetimeSetter. What concerns storing an application is beside the code that stores it:
// FormFielder in application_form.go, Validator in validation.go, RedirectURIValidator and OriginValidator in application_rules.go;
// AbstractApplication has none of these.

// DisplayNamer is an [Application] with a name for people.
type DisplayNamer interface {
	DisplayName() string
}

// DisplayName returns the name of app for people: its DisplayName if it is a [DisplayNamer], otherwise its client_id.
func DisplayName(app Application) string {
	if namer, ok := app.(DisplayNamer); ok {
		return namer.DisplayName()
	}
	return app.GetID()
}

// ConsentSkipper is an [Application] that may be trusted so much that its users are not asked.
type ConsentSkipper interface {
	SkipsConsent() bool
}

// SkipsConsent reports what app says if it is a [ConsentSkipper], otherwise false.
func SkipsConsent(app Application) bool {
	skipper, ok := app.(ConsentSkipper)
	return ok && skipper.SkipsConsent()
}

// Verified is an [Application] whose name the provider's operator may vouch for.
type Verified interface {
	IsVerified() bool
}

// IsVerified reports what app says if it is [Verified], otherwise false.
func IsVerified(app Application) bool {
	verified, ok := app.(Verified)
	return ok && verified.IsVerified()
}

// Usable is an [Application] that can be switched off.
type Usable interface {
	IsUsable() bool
}

// IsUsable reports what app says if it is [Usable], otherwise true. An application that is not usable is answered
// as if it did not exist. What was issued to it before is another matter: an API takes its access tokens until they expire or
// are revoked, as [Authorizations.RevokeApplication] does.
func IsUsable(app Application) bool {
	usable, ok := app.(Usable)
	return !ok || usable.IsUsable()
}

// LifetimeSetter is an [Application] with access tokens of another lifetime than the provider's.
type LifetimeSetter interface {
	AccessTokenLifetime() time.Duration
}

// accessTokenLifetime returns what app says, in whole seconds, if it is a [LifetimeSetter] and says one or more, otherwise fallback.
func accessTokenLifetime(app Application, fallback time.Duration) time.Duration {
	if setter, ok := app.(LifetimeSetter); ok && setter.AccessTokenLifetime() >= time.Second {
		return min(setter.AccessTokenLifetime(), maxLifetime).Truncate(time.Second)
	}
	return fallback
}

// OwnerSetter is an [Application] that users may register for themselves. Its GetUserID must then return the owner.
type OwnerSetter interface {
	SetUserID(owner string)
}

// setOwner tells app whose it is, if it is an [OwnerSetter].
func setOwner(app Application, owner string) {
	if setter, ok := app.(OwnerSetter); ok {
		setter.SetUserID(owner)
	}
}

// RedirectURILister is an [Application] that can tell its redirect URIs. They are shown, and a change of them ends what users have
// approved and what the operator has said of the application; no request is matched with them. Whoever overrides AllowsRedirectURI
// must list here what it allows, or else nobody notices that an address has changed.
type RedirectURILister interface {
	RegisteredRedirectURIs() URIs
}

// RegisteredRedirectURIs returns what app says if it is a [RedirectURILister], otherwise none.
func RegisteredRedirectURIs(app Application) URIs {
	if lister, ok := app.(RedirectURILister); ok {
		return lister.RegisteredRedirectURIs()
	}
	return nil
}

// IDTokenSigner is an [Application] that chooses the algorithm of its ID tokens.
type IDTokenSigner interface {
	IDTokenAlgorithm() string
}

// IDTokenAlgorithm returns what app says if it is an [IDTokenSigner], otherwise the empty string. Empty means RS256, the
// one algorithm that every OpenID Connect client understands.
func IDTokenAlgorithm(app Application) string {
	if signer, ok := app.(IDTokenSigner); ok {
		return signer.IDTokenAlgorithm()
	}
	return ""
}

// OriginAllower is an [Application] with scripts in browsers that call the token endpoint.
type OriginAllower interface {
	AllowsOrigin(origin string) bool
}

// AllowsOrigin reports what app says if it is an [OriginAllower], otherwise false.
func AllowsOrigin(app Application, origin string) bool {
	allower, ok := app.(OriginAllower)
	return ok && allower.AllowsOrigin(origin)
}

// LogoutTarget is an [Application] to which a browser may return after a logout that it asked for. There is no endpoint for
// such a logout yet.
type LogoutTarget interface {
	AllowsPostLogoutRedirectURI(uri string) bool
}

// AllowsPostLogoutRedirectURI reports what app says if it is a [LogoutTarget], otherwise false.
func AllowsPostLogoutRedirectURI(app Application, uri string) bool {
	target, ok := app.(LogoutTarget)
	return ok && target.AllowsPostLogoutRedirectURI(uri)
}

// PushedRequestRequirer is an [Application] that may insist on pushed authorization requests (RFC 9126 §6).
type PushedRequestRequirer interface {
	RequiresPushedRequests() bool
}

// requiresPushedRequests reports what app says if it is a [PushedRequestRequirer], otherwise false.
func requiresPushedRequests(app Application) bool {
	requirer, ok := app.(PushedRequestRequirer)
	return ok && requirer.RequiresPushedRequests()
}
