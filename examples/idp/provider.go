package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
)

// newProvider makes the provider that serves, with OpenID Connect. It makes the first signing keys where there are none.
func newProvider(issuer string, database *database, scopes oauthkit.StaticScopes, logger *slog.Logger) (*oauthkit.Provider, *oidc.Extension, error) {
	openID := oidc.New(oidc.Config{Keys: database.store, Claims: database.claims})
	provider, err := oauthkit.New(issuer, database.store, oauthkit.Config{
		Grants:              grants.Standard(database.store),
		Extensions:          []oauthkit.Extension{openID},
		Scopes:              scopes,
		Secret:              os.Getenv("IDP_SECRET"), // seals the signing keys in the database
		UserIsActive:        database.userExists,
		Observe:             audit(logger),
		Logger:              logger,
		AllowInsecureIssuer: strings.HasPrefix(issuer, "http:"), // it was asked for on the command line
	})
	if err != nil {
		return nil, nil, fmt.Errorf("making the provider, with IDP_SECRET as its Config.Secret: %w", err)
	}
	return provider, openID, nil
}

// operatorIssuer is the issuer where nothing is issued.
const operatorIssuer = "http://localhost/o"

// newOperator makes a provider for commands that manage what is in the database. It touches no signing key.
func newOperator(database *database) (*oauthkit.Provider, error) {
	return oauthkit.New(operatorIssuer, database.store, oauthkit.Config{Grants: grants.Standard(database.store)})
}

// secretOverlap is how long the secret of an application stays good after its owner has asked for a new one.
const secretOverlap = 24 * time.Hour

// newHandler puts the provider and the pages of this program together.
func newHandler(ctx context.Context, issuer string, database *database, scopes oauthkit.StaticScopes, logger *slog.Logger) (http.Handler, error) {
	provider, _, err := newProvider(issuer, database, scopes, logger)
	if err != nil {
		return nil, err
	}
	if err := provider.CheckAtStart(ctx); err != nil {
		return nil, err
	}
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
		Applications:   oauthkit.NewApplications(provider, database.store, oauthkit.ApplicationsConfig{SecretOverlap: secretOverlap}),
		Authorizations: oauthkit.NewAuthorizations(provider, database.store),
	})
	mux := http.NewServeMux()
	mux.Handle("/.well-known/", handler)
	mux.Handle(provider.Prefix()+"/", handler)
	mux.HandleFunc("GET /login", pages.showLogin)
	mux.HandleFunc("POST /login", pages.login)
	mux.HandleFunc("GET /logout", pages.showLogout)
	mux.HandleFunc("POST /logout", pages.logout)
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

// audit logs every event.
func audit(logger *slog.Logger) func(context.Context, oauthkit.Event) {
	return func(ctx context.Context, event oauthkit.Event) {
		logger.InfoContext(ctx, "audit", "event", strings.TrimPrefix(fmt.Sprintf("%T", event), "oauthkit."), "detail", event)
	}
}
