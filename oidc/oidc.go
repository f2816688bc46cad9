// Package oidc makes a provider an OpenID Connect provider: ID tokens, user info, discovery, and the keys that sign.
//
// It is an [oauthkit.Extension] and does nothing that an extension of the host's own could not do. Sections are those of
// OpenID Connect Core 1.0 unless another document is named.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Config is what a host decides about OpenID Connect.
type Config struct {
	// Keys keeps the signing keys. Required; every store of this module is one. The first keys are made by oauthkit.New, and
	// the private parts are encrypted with Config.Secret of the provider if there is one.
	Keys oauthkit.KeyStore
	// AcceptClearKeys lists the ids (kid) of stored signing keys that are used although they are not
	// encrypted, while Config.Secret of the provider is set: those from before the Secret was introduced,
	// until they are rotated away. Others are neither used nor published, since a writer to the database
	// could have added them. Nil: none. Without a Secret every key is used.
	AcceptClearKeys []string
	// Claims says what is known about a user. It may return more than the request allows: what belongs to a scope that was
	// not granted is left out. An error wrapping oauthkit.ErrNotFound says that there is no such user any more; any other
	// error is answered as a failure, never as a user without claims. Nil: nothing but the subject. See [ClaimsFor].
	Claims func(ctx context.Context, request *ClaimsRequest) (Claims, error)
	// IDTokenClaims adds claims to ID tokens. Those of the protocol cannot be replaced, and what belongs to a scope that was
	// not granted is left out. Nil: none. See [IDTokenClaimsFor].
	IDTokenClaims func(ctx context.Context, response *oauthkit.TokenResponse) (map[string]any, error)
	// IDTokenLifetime is how long an ID token is valid, at most 24 hours. An expired one still serves as id_token_hint. Zero:
	// one hour.
	IDTokenLifetime time.Duration
	// RotateKeysAfter is the age at which Upkeep, which oauthkit.Run calls, replaces a signing key as
	// RotateKeys does: at least one day. Zero: keys are rotated only by RotateKeys.
	RotateKeysAfter time.Duration
	// ACRValues are the authentication context classes that User.ACR can hold, for clients to know. Empty: not announced.
	ACRValues []string
}

// maxIDTokenLifetime is far below keyRetention, so that no signature outlives its key.
const maxIDTokenLifetime = 24 * time.Hour

// Extension is OpenID Connect for one provider. It is safe for concurrent use.
type Extension struct {
	config   Config
	provider *oauthkit.Provider
	keys     *keyring
}

// New returns the extension, to be listed in Config.Extensions of one provider. What is wrong with config is reported by
// oauthkit.New.
func New(config Config) *Extension {
	if config.IDTokenLifetime == 0 {
		config.IDTokenLifetime = time.Hour
	}
	return &Extension{config: config}
}

// startTimeout bounds what Extend does with the database, making the first keys included.
const startTimeout = 30 * time.Second

// Extend implements [oauthkit.Extension]. It reads the signing keys and makes the first ones, so that a secret that does
// not open them stops the program at its start and not at the first sign-in.
func (e *Extension) Extend(registry *oauthkit.Registry) error {
	switch {
	case e.provider != nil:
		return errors.New("oidc: the extension belongs to another provider already; call New for each")
	case e.config.Keys == nil:
		return errors.New("oidc: Config.Keys is nil")
	case e.config.IDTokenLifetime < 0 || e.config.IDTokenLifetime > maxIDTokenLifetime:
		return fmt.Errorf("oidc: Config.IDTokenLifetime must be more than zero and at most %s", maxIDTokenLifetime)
	case e.config.RotateKeysAfter != 0 && e.config.RotateKeysAfter < minKeyAge:
		return fmt.Errorf("oidc: Config.RotateKeysAfter must be at least %s", minKeyAge)
	}
	e.provider = registry.Provider()
	e.keys = &keyring{
		store:  e.config.Keys,
		secret: registry.Secret(),
		accept: e.config.AcceptClearKeys,
		now:    e.provider.Now,
		logger: e.provider.Logger(),
		record: e.provider.Record,
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := e.keys.start(ctx); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	e.announce(registry)
	registry.AuthorizeParameters("prompt", "max_age", "id_token_hint", "claims", "nonce")
	registry.ValidateAuthorize(e.validateAuthorize)
	registry.DecorateToken(e.addIDToken)
	registry.Endpoint(oauthkit.Endpoint{
		Path:     ".well-known/jwks.json",
		Methods:  []string{http.MethodGet},
		Metadata: "jwks_uri",
		Anyone:   e.serveKeys,
	})
	registry.Endpoint(oauthkit.Endpoint{
		Path:     "userinfo",
		Methods:  []string{http.MethodGet, http.MethodPost},
		Metadata: "userinfo_endpoint",
		Scope:    scopeOpenID,
		Bearer:   e.serveUserInfo,
	})
	return nil
}
