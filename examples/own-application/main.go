// Command own-application adds a provider to a program that already has a table of
// applications with its own key and column names. Its Client embeds no type of the
// library and implements oauthkit.Application. Its Store finds clients in that table
// and uses the library's store for everything else.
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
	file := flag.String("db", "own.db", "SQLite file, created if missing")
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
	fmt.Println("Open this URL to manage your clients:")
	fmt.Println(base + "/o/applications/")
	log.Fatal((&http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

// register creates the client till if it does not exist. It acts for itself, with its
// secret.
func register(ctx context.Context, store *Store) error {
	_, err := store.Application(ctx, "till")
	if !errors.Is(err, oauthkit.ErrNotFound) {
		return err
	}
	client := &Client{Key: "till", Team: "team:shop", Title: "Till"}
	fmt.Println("The secret of the client till, which is shown only once:", client.GenerateSecret())
	return store.CreateApplication(ctx, client, time.Now())
}

// newSite mounts the provider with the pages on which teams manage their clients.
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

// currentUser would read the host's session. This example always returns alice, who has
// just signed in.
func currentUser(*http.Request) (*oauthkit.User, error) {
	return &oauthkit.User{Subject: "alice", Name: "Alice Liddell", AuthTime: time.Now()}, nil
}

// teams would look up the teams of a user. In this example every user belongs to the
// team shop and can also own clients. A user cannot be mistaken for a team, because
// user names contain no colon.
func teams(_ context.Context, user *oauthkit.User) (oauthkit.Owned, error) {
	return oauthkit.Owned{By: []string{user.Subject, "team:shop"}}, nil
}
