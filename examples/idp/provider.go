package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/http/observe/oauthslog"
	"github.com/oauthkit/oauthkit/oidc"
)

// settings are what a command says about the provider.
type settings struct {
	issuer            string
	seed              *seed
	keys              oauthkit.KeyStore
	loopbackFetch     bool // allow requests to this machine
	sessionManagement bool
	logger            *slog.Logger
}

// newProvider returns the provider with OpenID Connect. It generates the first signing
// keys.
func newProvider(database *database, s settings) (*oauthkit.Provider, *oidc.Extension, error) {
	config := oauthkit.Config{
		Grants:              grants.Standard(database.store),
		Scopes:              oauthkit.StaticScopes(s.seed.Scopes).WithClientCredentialsDefault(),
		Resources:           s.seed.Resources,
		PKCE:                s.seed.PKCE,
		UserIsActive:        database.userExists,
		Fetch:               oauthkit.FetchConfig{AllowLoopback: s.loopbackFetch},
		Observe:             oauthslog.New(s.logger),
		Logger:              s.logger,
		AllowInsecureIssuer: strings.HasPrefix(s.issuer, "http:"), // chosen on the command line
	}
	if _, err := oauthkit.New(s.issuer, database.store, config); err != nil { // errors that IDP_SECRET cannot cause
		return nil, nil, fmt.Errorf("invalid -issuer or -seed: %w", err)
	}
	openID := oidc.New(oidc.Config{
		Keys: s.keys, AcceptClearKeys: strings.Fields(os.Getenv("IDP_ACCEPT_CLEAR_KEYS")),
		Claims: database.claims, ClaimNames: oidc.StandardClaims(), ClaimsParameter: true,
		IDTokenUserClaims: s.seed.IDTokenClaims, ACRValues: s.seed.ACRValues, SessionManagement: s.sessionManagement,
	})
	config.Extensions = []oauthkit.Extension{openID}
	config.Secret = os.Getenv("IDP_SECRET") // encrypts the signing keys in the database
	config.AcceptSecrets = strings.Fields(os.Getenv("IDP_ACCEPT_SECRETS"))
	provider, err := oauthkit.New(s.issuer, database.store, config)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the provider with IDP_SECRET as Config.Secret: %w", err)
	}
	return provider, openID, nil
}

// operatorIssuer is the issuer for commands, which issue nothing.
const operatorIssuer = "http://localhost/o"

// newOperator returns a provider for commands that manage the database. It does not use
// the signing keys, so it defines the scopes of OpenID Connect without the extension.
func newOperator(database *database, scopes oauthkit.StaticScopes) (*oauthkit.Provider, error) {
	all := oauthkit.StaticScopes{"openid": "", "profile": "", "email": "", "address": "", "phone": "", "offline_access": ""}
	maps.Copy(all, scopes)
	return oauthkit.New(operatorIssuer, database.store, oauthkit.Config{
		Grants:     grants.Standard(database.store),
		Scopes:     all,
		Extensions: []oauthkit.Extension{savedNotices{}},
		Observe:    oauthslog.New(commandLogger()),
	})
}

// commandLogger logs the changes of a command to standard error, like serve.
func commandLogger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// secretOverlap is how long the previous secret of an application stays valid after its
// owner rotates it.
const secretOverlap = 24 * time.Hour

// site is the provider and the pages of this program.
type site struct {
	database *database
	provider *oauthkit.Provider
	openID   *oidc.Extension
	pages    *pages
	health   *health
	handler  http.Handler
	logger   *slog.Logger
}

// newSite applies the seed file and builds the site. It fails if the provider cannot
// work.
func newSite(ctx context.Context, o *options, database *database, seed *seed, logger *slog.Logger) (*site, error) {
	provider, openID, err := newProvider(database, settings{
		issuer: o.issuer, seed: seed, keys: database.store, logger: logger,
		loopbackFetch: o.loopbackFetch, sessionManagement: o.sessionManagement && strings.HasPrefix(o.issuer, "https:"),
	})
	if err != nil {
		return nil, err
	}
	if err := seed.checkApplications(ctx, provider); err != nil {
		return nil, err
	}
	if err := seed.apply(ctx, database); err != nil {
		return nil, err
	}
	authorizations := oauthkit.NewAuthorizations(provider, database.store)
	if err := seed.endSessions(ctx, database, authorizations); err != nil {
		return nil, err
	}
	if err := provider.CheckAtStart(ctx); err != nil {
		return nil, err
	}
	signIns, err := newSignIns(database, logger)
	if err != nil {
		return nil, err
	}
	s := &site{database: database, provider: provider, openID: openID, health: &health{provider: provider, logger: logger}, logger: logger}
	s.pages = &pages{
		database:       database,
		signIns:        signIns,
		authorizations: authorizations,
		acrValues:      seed.ACRValues,
		secure:         strings.HasPrefix(o.issuer, "https:"),
		prefix:         provider.Prefix(),
		origin:         http.NewCrossOriginProtection(),
		logger:         logger,
		homes:          semaphore.NewWeighted(maxHomes),
	}
	endpoints, err := s.endpoints(ctx, seed.UserChoosesScopes)
	if err != nil {
		return nil, err
	}
	s.pages.provider = endpoints
	s.handler = strictTransport(o.issuer, o.proxies.identify(s.routes(endpoints)))
	return s, nil
}

// endpoints returns the provider's handler with its management pages.
func (s *site) endpoints(ctx context.Context, userChoosesScopes bool) (*oauthhttp.Handler, error) {
	scopes, err := s.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, err
	}
	config := oauthkit.ApplicationsConfig{Scopes: slices.Sorted(maps.Keys(scopes)), SecretOverlap: secretOverlap}
	applications, err := oauthkit.NewApplications(s.provider, s.database.store, config)
	if err != nil {
		return nil, err
	}
	return oauthhttp.NewHandler(s.provider, oauthhttp.Config{
		CurrentUser:    s.pages.currentUser,
		LoginURL:       "/login",
		HomeURL:        "/",
		SignOut:        s.pages.signOut,
		Applications:   applications,
		Authorizations: s.pages.authorizations,

		UserChoosesScopes: userChoosesScopes,
	})
}

func (s *site) routes(endpoints http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/.well-known/", endpoints)
	mux.Handle(s.provider.Prefix()+"/", endpoints)
	mux.HandleFunc("GET /login", s.pages.showLogin)
	mux.HandleFunc("POST /login", s.pages.login)
	mux.HandleFunc("GET /{$}", s.pages.home)
	mux.HandleFunc("GET /livez", s.health.live)
	mux.HandleFunc("GET /readyz", s.health.ready)
	return mux
}

// claims returns the claims that the seed file has for a user.
func (d *database) claims(ctx context.Context, request *oidc.ClaimsRequest) (oidc.Claims, error) {
	found, err := d.user(ctx, request.Subject)
	if err != nil {
		return oidc.Claims{}, err
	}
	var claims oidc.Claims
	return claims, json.Unmarshal([]byte(found.Claims), &claims)
}

// userExists is oauthkit.Config.UserIsActive. A deleted user loses all access.
func (d *database) userExists(ctx context.Context, subject string) (bool, error) {
	_, err := d.user(ctx, subject)
	if errors.Is(err, errNoUser) {
		return false, nil
	}
	return err == nil, err
}
