// Command resource-server is an API in a separate process. It asks the provider about
// each token (RFC 7662) and caches the responses for some seconds. For these requests
// it needs the credentials of an application with the scope "introspection". In a seed
// file of examples/idp that is
//
//	{"client_id": "api", "client_secret": "...", "name": "Notes API", "client_type": "confidential", "scopes": ["introspection"]}
package main

import (
	"encoding/json"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

func main() {
	addr := flag.String("addr", "localhost:9090", "address to listen on")
	endpoint := flag.String("introspect", "http://localhost:8080/o/introspect", "the provider's introspection endpoint")
	id := flag.String("client-id", "api", "client_id of this API at the provider")
	cache := flag.Duration("cache", 10*time.Second, "how long a response of the provider is cached; 0 disables the cache")
	resource := flag.String("resource", "", "URL of this API as a resource; if set, only tokens for this resource are accepted")
	issuer := flag.String("issuer", "http://localhost:8080/o", "issuer for the resource metadata; used with -resource")
	flag.Parse()
	secret := os.Getenv("CLIENT_SECRET")
	if secret == "" {
		log.Fatal("resource-server: CLIENT_SECRET must hold the secret of the application in -client-id")
	}
	introspector, err := oauthapi.NewIntrospector(oauthapi.IntrospectorConfig{
		Endpoint: *endpoint, ClientID: *id, ClientSecret: secret, CacheTime: *cache,
	})
	if err != nil {
		log.Fatal("resource-server: ", err)
	}
	server := newResourceServer(oauthapi.API{
		Tokens:               introspector,
		Resource:             *resource,
		AuthorizationServers: []string{*issuer},
		Scopes:               []string{"read", "write"},
		Name:                 "Notes",
		Logger:               slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	log.Printf("listening; GET http://%s/notes needs an access token with the scope \"read\"", *addr)
	log.Fatal((&http.Server{Addr: *addr, Handler: server, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

// newResourceServer returns the API. Reading notes needs the scope read, adding one
// needs the scope write.
func newResourceServer(api oauthapi.API) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/notes", api.RequireReadWrite("read", "write")(http.HandlerFunc(notes)))
	if api.MetadataURL() != "" {
		mux.Handle(api.Metadata())
	}
	return mux
}

func notes(w http.ResponseWriter, r *http.Request) {
	owner, _ := oauthapi.SubjectFromContext(r.Context()) // empty if the application acts for itself
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"owner": owner, "notes": []string{"Buy tea", "Mind the gap"}})
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated) // a real API would store it
	default:
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}
