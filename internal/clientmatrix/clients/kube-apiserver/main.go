// Command kube-apiserver authenticates requests with the OpenID Connect authenticator of
// kube-apiserver, and responds with the name of the user.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	authority, err := dynamiccertificates.NewDynamicCAContentFromFile("oidc-authenticator", os.Getenv("CA"))
	if err != nil {
		return err
	}
	noPrefix := ""
	authenticator, err := oidc.New(ctx, oidc.Options{
		// As kube-apiserver makes it from --oidc-issuer-url, --oidc-client-id and
		// --oidc-username-claim=email.
		JWTAuthenticator: apiserver.JWTAuthenticator{
			Issuer: apiserver.Issuer{URL: os.Getenv("ISSUER"), Audiences: []string{os.Getenv("CLIENT_ID")}},
			ClaimMappings: apiserver.ClaimMappings{
				Username: apiserver.PrefixedClaimOrExpression{Claim: "email", Prefix: &noPrefix},
			},
		},
		CAContentProvider:    authority,
		SupportedSigningAlgs: []string{"RS256"},
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:      "127.0.0.1:" + os.Getenv("PORT"),
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			response, ok, err := authenticator.AuthenticateToken(r.Context(), token)
			if err != nil || !ok {
				http.Error(w, fmt.Sprintf("Unauthorized: %v", err), http.StatusUnauthorized)
				return
			}
			fmt.Fprintln(w, response.User.GetName())
		}),
	}
	return server.ListenAndServeTLS(os.Getenv("CERTIFICATE"), os.Getenv("KEY"))
}
