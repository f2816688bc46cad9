// Command resource-server is an API in a process of its own. It asks the provider about each token (RFC 7662), with the
// credentials of an application that is allowed the scope "introspection".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// introspection is what the provider says about a token (RFC 7662 §2.2).
type introspection struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope"`
	ClientID string `json:"client_id"`
	Subject  string `json:"sub"`
}

// resourceServer protects its API with tokens of one provider.
type resourceServer struct {
	client               *http.Client
	endpoint, id, secret string
}

func main() {
	addr := flag.String("addr", "localhost:9090", "address to listen on")
	endpoint := flag.String("introspect", "http://localhost:8080/o/introspect", "the provider's introspection endpoint")
	id := flag.String("client-id", "api", "client_id of this API at the provider")
	flag.Parse()
	secret := os.Getenv("CLIENT_SECRET")
	if secret == "" {
		log.Fatal("resource-server: set CLIENT_SECRET to the secret of the application named by -client-id")
	}
	server := newResourceServer(*endpoint, *id, secret)
	log.Printf("GET http://%s/notes with an access token that has the scope \"read\"", *addr)
	log.Fatal((&http.Server{Addr: *addr, Handler: server, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

func newResourceServer(endpoint, id, secret string) http.Handler {
	s := &resourceServer{client: &http.Client{Timeout: 5 * time.Second}, endpoint: endpoint, id: id, secret: secret}
	mux := http.NewServeMux()
	mux.Handle("GET /notes", s.require("read", func(w http.ResponseWriter, token *introspection) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"owner": token.Subject, "notes": []string{"Buy tea", "Mind the gap"}})
	}))
	return mux
}

// require calls next for requests with an active token that has the scope, and challenges all others (RFC 6750 §3).
func (s *resourceServer) require(scope string, next func(http.ResponseWriter, *introspection)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			challenge(w, http.StatusUnauthorized, "Bearer")
			return
		}
		found, err := s.introspect(r.Context(), token)
		switch {
		case err != nil:
			log.Print("resource-server: ", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the token could not be checked just now", http.StatusServiceUnavailable)
		case !found.Active:
			challenge(w, http.StatusUnauthorized, `Bearer error="invalid_token"`)
		case !slices.Contains(strings.Fields(found.Scope), scope):
			challenge(w, http.StatusForbidden, `Bearer error="insufficient_scope", scope="`+scope+`"`)
		default:
			next(w, found)
		}
	})
}

func challenge(w http.ResponseWriter, status int, header string) {
	w.Header().Set("WWW-Authenticate", header)
	http.Error(w, http.StatusText(status), status)
}

// introspect returns an error, not "inactive", when the provider cannot answer.
func (s *resourceServer) introspect(ctx context.Context, token string) (*introspection, error) {
	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(s.id), url.QueryEscape(s.secret)) // RFC 6749 §2.3.1
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	found := &introspection{}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the provider answered %s", response.Status)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, response.Body, 64<<10)).Decode(found); err != nil {
		return nil, errors.Join(errors.New("the provider's answer is not JSON"), err)
	}
	return found, nil
}
