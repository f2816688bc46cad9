// Command own-application is a provider for a program that had applications before: a table, a key and names of its own. Its
// Client embeds nothing and answers what the library asks, and its Store finds clients there and leaves the rest to the library.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen on")
	file := flag.String("db", "own.db", "SQLite file; it is created")
	flag.Parse()
	base := "http://" + *addr
	db, err := sqlite.OpenDB(*file)
	if err != nil {
		log.Fatal(err)
	}
	store, err := newStore(context.Background(), db)
	if err != nil {
		log.Fatal(err)
	}
	if err := register(context.Background(), store); err != nil {
		log.Fatal(err)
	}
	handler, err := newSite(base, store)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open this to see your clients:")
	fmt.Println(base + "/o/applications/")
	log.Fatal((&http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

// register adds a client in the way that this program always had, once. It acts for itself, with its secret.
func register(ctx context.Context, store *Store) error {
	_, err := store.Application(ctx, "till")
	if !errors.Is(err, oauthkit.ErrNotFound) {
		return err
	}
	client := &Client{Key: "till", Team: "team:shop", Title: "Till"}
	fmt.Println("The secret of the client till, shown once:", client.GenerateSecret())
	return store.CreateApplication(ctx, client, time.Now())
}

// newSite mounts the provider, with the pages on which teams manage their clients.
func newSite(base string, store *Store) (http.Handler, error) {
	provider, err := oauthkit.New(base+"/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Scopes:     oauthkit.StaticScopes{"orders": "see your orders"},
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
	})
	if err != nil {
		return nil, err
	}
	if err := provider.CheckAtStart(context.Background()); err != nil {
		return nil, err
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{Owned: teams, SecretOverlap: time.Hour})
	if err != nil {
		return nil, err
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		LoginURL:       "/login",
		CurrentUser:    currentUser,
		Applications:   applications,
		Authorizations: oauthkit.NewAuthorizations(provider, store),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/o/", handler)
	mux.Handle("/.well-known/", handler)
	return mux, nil
}

// currentUser is where the host's own sessions would be. Everyone is alice here, and has just signed in.
func currentUser(*http.Request) (*oauthkit.User, error) {
	return &oauthkit.User{Subject: "alice", Name: "Alice Liddell", AuthTime: time.Now()}, nil
}

// teams is where the host would look up the teams of a user. All are in the shop's, and register clients of their own. No user can
// have the name of a team, because that of a user has no colon.
func teams(_ context.Context, user *oauthkit.User) (oauthkit.Owned, error) {
	return oauthkit.Owned{By: []string{user.Subject, "team:shop"}}, nil
}
