// Command resource-server is an API in a process of its own. It asks the provider about each token (RFC 7662), with the
// credentials of an application that is allowed the scope "introspection", and remembers the answer for some seconds. In a seed
// file of examples/idp such an application is
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
	cache := flag.Duration("cache", 10*time.Second, "for how long an answer of the provider may be used again; 0: each request asks")
	resource := flag.String("resource", "", "URL that names this API at the provider; only tokens for it by that name are accepted then")
	issuer := flag.String("issuer", "http://localhost:8080/o", "the provider, for the metadata of an API that has a -resource")
	flag.Parse()
	secret := os.Getenv("CLIENT_SECRET")
	if secret == "" {
		log.Fatal("resource-server: set CLIENT_SECRET to the secret of the application named by -client-id")
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
	log.Printf("GET http://%s/notes with an access token that has the scope \"read\"", *addr)
	log.Fatal((&http.Server{Addr: *addr, Handler: server, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

// newResourceServer lets whoever has a token with the scope read see notes, and one with write add some.
func newResourceServer(api oauthapi.API) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/notes", api.RequireReadWrite("read", "write")(http.HandlerFunc(notes)))
	if api.MetadataURL() != "" {
		mux.Handle(api.Metadata())
	}
	return mux
}

func notes(w http.ResponseWriter, r *http.Request) {
	owner, _ := oauthapi.SubjectFromContext(r.Context()) // empty: the application itself
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"owner": owner, "notes": []string{"Buy tea", "Mind the gap"}})
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated) // a real API would keep it
	default:
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}
