// Package oidc adds OpenID Connect to a provider: ID tokens, user info, discovery and
// signing keys.
//
// It is an [oauthkit.Extension] and uses nothing that an extension of the host could
// not use. Section numbers refer to OpenID Connect Core 1.0 unless another document
// is named.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// Config configures the extension. Only Keys is required.
type Config struct {
	// Keys stores the signing keys. It is required; every store of this module
	// implements it. oauthkit.New generates the first keys. Private keys are encrypted
	// with Config.Secret of the provider if that is set.
	Keys oauthkit.KeyStore
	// AcceptClearKeys lists the ids (kid) of unencrypted keys that stay in use although
	// Config.Secret of the provider is set: those stored before the secret was
	// introduced, until they are rotated out. Other unencrypted keys are neither used
	// nor published, since anyone who can write to the database could have added them.
	// If nil, no unencrypted key is accepted. Without a secret every key is used.
	AcceptClearKeys []string
	// Algorithms are the signature algorithms that applications may have, by their JWA
	// names: RS256, ES256, PS256 and EdDSA. Each has a ring of keys of its own. The first
	// one is that of applications that choose none. If nil, they are all four, in this
	// order: every OpenID Connect client supports RS256 (§15.1). Keys of an algorithm
	// that is not listed any more verify until RemoveKey removes them.
	Algorithms []string
	// Signers are keys whose private keys never come into this program or its store, such
	// as those of a KMS or HSM. No key is generated for their algorithms. If nil, all
	// keys are generated and stored. To have no private key in the store at all, list
	// their algorithms, and no others, in Algorithms.
	Signers []Signer
	// Claims returns the claims about a user. It may return more than the request
	// allows: claims whose scope was not granted are dropped. If the user no longer
	// exists, it returns an error that wraps oauthkit.ErrNotFound; any other error
	// makes the request fail. If Claims is nil, user info has only the subject. See
	// [ClaimsFor].
	Claims func(ctx context.Context, request *ClaimsRequest) (Claims, error)
	// IDTokenUserClaims makes ID tokens contain the claims that Claims returns, for
	// clients that never call user info. It is the default for applications that do not
	// choose, as [oauthkit.WantsIDTokenClaims] reports. Claims is then called for each ID
	// token, also for that of a refresh. If false, only user info returns these claims,
	// as in §5.4: an ID token can end up in logs as id_token_hint.
	IDTokenUserClaims bool
	// ClaimNames are the claims about users that Claims and IDTokenClaims can return,
	// such as name and email, or [StandardClaims]. They are published in claims_supported
	// after those of the protocol. If empty, only those of the protocol are.
	ClaimNames []string
	// ClaimsParameter lets clients request single claims with the parameter claims
	// (§5.5), those of ClaimNames. The consent page shows the ones that no scope covers,
	// and is shown for each such request, because consent to them is not remembered. If
	// false, a valid parameter is ignored.
	ClaimsParameter bool
	// IDTokenClaims returns additional claims for ID tokens, which take precedence over
	// those of Claims. It cannot replace claims of the protocol, and claims whose scope
	// was not granted are dropped, as are standard claims of another type than §5.1
	// defines. If nil, nothing is added. See [IDTokenClaimsFor].
	IDTokenClaims func(ctx context.Context, issued *oauthkit.Issued) (map[string]any, error)
	// IDTokenLifetime is how long an ID token is valid, at most 24 hours. If zero, it
	// is one hour. An expired ID token is still accepted as id_token_hint.
	IDTokenLifetime time.Duration
	// RotateKeysAfter is the age, at least one day, at which Upkeep replaces a signing
	// key as RotateKeys does. oauthkit.Run calls Upkeep. If zero, it is 90 days. With
	// [NeverRotate], only RotateKeys rotates keys.
	RotateKeysAfter time.Duration
	// SessionManagement lets applications watch in the browser whether the session goes
	// on (OpenID Connect Session Management 1.0): authorization responses to requests
	// with the scope openid have session_state, and the page check_session can be shown
	// in frames of any site. It sets a cookie that is sent in frames and that scripts of
	// this origin can read, and that holds a hash. The issuer must be https, or http on a
	// loopback address. Browsers that block cookies of third parties report every session
	// as changed.
	SessionManagement bool
	// ACRValues are the authentication context classes that User.ACR can hold. They are
	// published as acr_values_supported. A user whose sign-in has none of those that a
	// request names in acr_values is asked to sign in again, once (RFC 9470 §4). If
	// empty, acr_values reach the login page only, acr_values_supported is omitted, and
	// claims_supported does not have acr.
	ACRValues []string
	// BackChannelLogout configures the logout tokens for applications that registered an
	// address for them. The zero value sends them, if the program calls oauthkit.Run.
	BackChannelLogout BackChannelLogout
}

// maxIDTokenLifetime is the largest Config.IDTokenLifetime. A key must be published for
// longer after its last signature.
const maxIDTokenLifetime = 24 * time.Hour

// Extension is the OpenID Connect extension of one provider. It is safe for concurrent
// use.
type Extension struct {
	config   Config
	provider *oauthkit.Provider
	keys     *keyring
	sessions *sessionManagement // nil without Config.SessionManagement
}

// New returns an extension for Config.Extensions of one provider. oauthkit.New reports
// errors of config.
func New(config Config) *Extension {
	if config.IDTokenLifetime == 0 {
		config.IDTokenLifetime = time.Hour
	}
	if config.RotateKeysAfter == 0 {
		config.RotateKeysAfter = defaultKeyAge
	}
	return &Extension{config: config}
}

// startTimeout limits the database work of Extend, which includes generating the first
// keys.
const startTimeout = 30 * time.Second

// Extend implements [oauthkit.Extension]. It reads the signing keys and generates the
// first ones, so that a secret that cannot decrypt them stops the program at its start
// and not at the first sign-in.
func (e *Extension) Extend(registry *oauthkit.Registry) error {
	switch {
	case e.provider != nil:
		return errors.New("oidc: the extension is already part of a provider; call oidc.New for each provider")
	case e.config.Keys == nil:
		return errors.New("oidc: Config.Keys is nil")
	case e.config.IDTokenLifetime < 0 || e.config.IDTokenLifetime > maxIDTokenLifetime:
		return fmt.Errorf("oidc: Config.IDTokenLifetime must be positive and at most %s", maxIDTokenLifetime)
	case e.config.BackChannelLogout.Disable && e.config.BackChannelLogout.Deliver != nil:
		return errors.New("oidc: Config.BackChannelLogout has both Disable and Deliver")
	case e.config.RotateKeysAfter != NeverRotate && e.config.RotateKeysAfter < minKeyAge:
		return fmt.Errorf("oidc: Config.RotateKeysAfter must be at least %s, or NeverRotate", minKeyAge)
	}
	algorithms, err := e.config.algorithms()
	if err != nil {
		return err
	}
	signers, err := e.config.signers(algorithms)
	if err != nil {
		return err
	}
	if err := e.config.checkClaimNames(); err != nil {
		return err
	}
	e.provider = registry.Provider()
	e.keys = &keyring{
		store:      e.config.Keys,
		algorithms: algorithms,
		signers:    signers,
		accept:     slices.Clone(e.config.AcceptClearKeys),
		now:        e.provider.Now,
		logger:     e.provider.Logger(),
		record:     e.provider.Record,
	}
	if registry.Secret() != "" {
		e.keys.secrets = append(secret.Ring{registry.Secret()}, registry.AcceptSecrets()...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := e.keys.start(ctx); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	e.announce(registry)
	e.addBackChannelLogout(registry)
	registry.AuthorizeParameters("prompt", "max_age", "id_token_hint", "claims", "nonce", "login_hint", "acr_values", "display")
	registry.ValidateAuthorize(e.validateAuthorize)
	registry.DecorateToken(e.addIDToken)
	registry.ValidateSignOut(e.validateSignOut)
	registry.Endpoint(oauthkit.Endpoint{
		Path:        ".well-known/jwks.json",
		Methods:     []string{http.MethodGet},
		Group:       group,
		CrossOrigin: oauthkit.CrossOriginAny,
		InMemory:    true,
		Metadata:    "jwks_uri",
		Anyone:      e.serveKeys,
	})
	registry.Endpoint(oauthkit.Endpoint{
		Path:        userInfoPath,
		Methods:     []string{http.MethodGet, http.MethodPost},
		Group:       group,
		CrossOrigin: oauthkit.CrossOriginAny,
		Metadata:    "userinfo_endpoint",
		Scope:       scopeOpenID,
		Bearer:      e.serveUserInfo,
	})
	if e.config.SessionManagement {
		return e.manageSessions(registry)
	}
	return nil
}
