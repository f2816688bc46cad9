// Command x-oauth2 signs users in with golang.org/x/oauth2 and coreos/go-oidc. Without an
// argument it is a web application. With login, whoami, refresh or logout it is a tool
// for the terminal, which keeps its tokens in a file.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// relyingParty is what both programs know of the provider.
type relyingParty struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config
	endings  struct {
		EndSession string `json:"end_session_endpoint"`
		Revocation string `json:"revocation_endpoint"`
	}
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		return err
	}
	rp := &relyingParty{
		provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: os.Getenv("CLIENT_ID")}),
		config: oauth2.Config{
			ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"),
			Endpoint: provider.Endpoint(), RedirectURL: os.Getenv("ORIGIN") + "/callback",
			Scopes: strings.Fields(os.Getenv("SCOPES")),
		},
	}
	if err := provider.Claims(&rp.endings); err != nil {
		return err
	}
	if len(os.Args) == 1 {
		return rp.serve()
	}
	commands := map[string]func(context.Context) error{
		"login": rp.login, "whoami": rp.whoAmI, "refresh": rp.refresh, "logout": rp.logout,
	}
	command, found := commands[os.Args[1]]
	if !found {
		return fmt.Errorf("no command %q", os.Args[1])
	}
	return command(ctx)
}
