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

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/http/observe/oauthslog"
	"github.com/oauthkit/oauthkit/oidc"
)

// newProvider makes the provider that serves, with OpenID Connect. It makes the first signing keys where there are none.
func newProvider(issuer string, database *database, keys oauthkit.KeyStore, scopes oauthkit.StaticScopes, logger *slog.Logger) (*oauthkit.Provider, *oidc.Extension, error) {
	config := oauthkit.Config{
		Grants:              grants.Standard(database.store),
		Scopes:              scopes,
		UserIsActive:        database.userExists,
		Observe:             oauthslog.New(logger),
		Logger:              logger,
		AllowInsecureIssuer: strings.HasPrefix(issuer, "http:"), // it was asked for on the command line
	}
	if _, err := oauthkit.New(issuer, database.store, config); err != nil { // it has nothing to do with what follows
		return nil, nil, fmt.Errorf("with -issuer and -seed as they are: %w", err)
	}
	openID := oidc.New(oidc.Config{Keys: keys, Claims: database.claims})
	config.Extensions = []oauthkit.Extension{openID}
	config.Secret = os.Getenv("IDP_SECRET") // seals the signing keys in the database
	provider, err := oauthkit.New(issuer, database.store, config)
	if err != nil {
		return nil, nil, fmt.Errorf("making the provider, with IDP_SECRET as its Config.Secret: %w", err)
	}
	return provider, openID, nil
}

// operatorIssuer is the issuer where nothing is issued.
const operatorIssuer = "http://localhost/o"

// newOperator makes a provider for commands that manage what is in the database. It touches no signing key, so it has the scopes of
// OpenID Connect, beside those of the seed file, without the extension.
func newOperator(database *database, scopes oauthkit.StaticScopes) (*oauthkit.Provider, error) {
	all := oauthkit.StaticScopes{"openid": "", "profile": "", "email": "", "address": "", "phone": "", "offline_access": ""}
	maps.Copy(all, scopes)
	return oauthkit.New(operatorIssuer, database.store, oauthkit.Config{
		Grants:  grants.Standard(database.store),
		Scopes:  all,
		Observe: oauthslog.New(commandLogger()),
	})
}

// commandLogger logs what a command changes, as serving does, beside what it prints.
func commandLogger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// secretOverlap is how long the secret of an application stays good after its owner has asked for a new one.
const secretOverlap = 24 * time.Hour

// newHandler puts the provider and the pages of this program together.
func newHandler(ctx context.Context, issuer string, database *database, seed *seed, logger *slog.Logger) (http.Handler, error) {
	provider, _, err := newProvider(issuer, database, database.store, seed.Scopes, logger)
	if err != nil {
		return nil, err
	}
	if err := provider.CheckAtStart(ctx); err != nil {
		return nil, err
	}
	scopes, err := provider.ScopeTexts(ctx)
	if err != nil {
		return nil, err
	}
	mayChoose := oauthkit.ApplicationsConfig{Scopes: slices.Sorted(maps.Keys(scopes)), SecretOverlap: secretOverlap}
	pages := &pages{
		database: database,
		secure:   strings.HasPrefix(issuer, "https:"),
		prefix:   provider.Prefix(),
		origin:   http.NewCrossOriginProtection(),
		logger:   logger,
	}
	handler := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser:    pages.currentUser,
		LoginURL:       "/login",
		HomeURL:        "/",
		SignOut:        pages.signOut,
		Applications:   oauthkit.NewApplications(provider, database.store, mayChoose),
		Authorizations: oauthkit.NewAuthorizations(provider, database.store),

		UserChoosesScopes: seed.UserChoosesScopes,
	})
	mux := http.NewServeMux()
	mux.Handle("/.well-known/", handler)
	mux.Handle(provider.Prefix()+"/", handler)
	mux.HandleFunc("GET /login", pages.showLogin)
	mux.HandleFunc("POST /login", pages.login)
	mux.HandleFunc("GET /{$}", pages.home)
	return mux, nil
}

// claims is what this provider says about a user: what the seed file says.
func (d *database) claims(ctx context.Context, request *oidc.ClaimsRequest) (oidc.Claims, error) {
	found, err := d.user(ctx, request.Subject)
	if err != nil {
		return oidc.Claims{}, err
	}
	var claims oidc.Claims
	return claims, json.Unmarshal([]byte(found.Claims), &claims)
}

// userExists ends access for users who were removed.
func (d *database) userExists(ctx context.Context, subject string) (bool, error) {
	_, err := d.user(ctx, subject)
	if errors.Is(err, errNoUser) {
		return false, nil
	}
	return err == nil, err
}
