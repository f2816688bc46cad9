package clienttest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// webConfig returns the configuration of the application web.
func webConfig(idp *process) *oauth2.Config {
	return &oauth2.Config{
		ClientID: "web", ClientSecret: webSecret, RedirectURL: callback, Scopes: []string{oidc.ScopeOpenID, "read"},
		Endpoint: oauth2.Endpoint{AuthURL: idp.issuer() + "/authorize", TokenURL: idp.issuer() + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
}

// TestTwoInstances starts two providers concurrently on one empty database. Both
// create the tables, the keys and the seed data. Then a user signs in at one and all
// other requests go to the other.
func TestTwoInstances(t *testing.T) {
	database, seed := oauthtest.Postgres(t), seedFile(t)
	issuer := "http://127.0.0.1:1/o" // of both, as if there were a load balancer
	args := []string{"-db", database, "-seed", seed, "-issuer", issuer}
	var both [2]*process
	for i := range both {
		both[i] = launch(t, "idp", args...)
	}
	for _, instance := range both {
		instance.wait(t)
	}
	first, second := webConfig(both[0]), webConfig(both[1])
	verifier := oauth2.GenerateVerifier()
	back, _, err := newPerson(t).answer(first.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), "allow")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := second.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	keys := oidc.NewRemoteKeySet(t.Context(), both[0].issuer()+"/.well-known/jwks.json")
	raw, _ := tokens.Extra("id_token").(string)
	if _, err := oidc.NewVerifier(issuer, keys, &oidc.Config{ClientID: "web"}).Verify(t.Context(), raw); err != nil {
		t.Errorf("verifying an ID token of one instance with the keys of the other: %v", err)
	}
	if _, err := first.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("got tokens for the same code at the other instance, want an error")
	}
	if document := introspect(t, both[1], tokens.AccessToken); document["active"] != false {
		t.Errorf("got %v after the code was used twice, want an inactive token", document)
	}
}

// TestKilled kills the provider while clients refresh and starts it again. Every
// client must be able to continue with its last token. A refresh without a response
// is retried and gets the lost response.
func TestKilled(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			database, seed := open(t), seedFile(t)
			idp := start(t, "idp", "-db", database, "-seed", seed, "-log-level", "error")
			chains := make([]*chain, 6)
			for i := range chains {
				chains[i] = &chain{token: signIn(t, webConfig(idp), newPerson(t)).RefreshToken}
			}
			var refreshes atomic.Int64
			var clients sync.WaitGroup
			for _, c := range chains {
				clients.Go(func() {
					for c.refresh(t.Context(), idp) == nil {
						if refreshes.Add(1) == 40 {
							_ = idp.command.Process.Kill()
						}
					}
				})
			}
			clients.Wait()
			_ = idp.command.Wait()
			again := start(t, "idp", "-db", database, "-seed", seed)
			for i, c := range chains {
				if err := c.refresh(t.Context(), again); err != nil {
					t.Errorf("client %d after %d refreshes: %v", i, c.refreshes, err)
				}
			}
		})
	}
}

// chain is a client that refreshes with its last token.
type chain struct {
	token     string
	refreshes int
}

func (c *chain) refresh(ctx context.Context, idp *process) error {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.token}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, idp.issuer()+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("web", webSecret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, answer.Error)
	}
	if answer.RefreshToken == "" || answer.RefreshToken == c.token {
		return errors.New("no new refresh token")
	}
	c.token, c.refreshes = answer.RefreshToken, c.refreshes+1
	return nil
}

// TestIDPFinishesRequests shows that the provider completes a pending request
// after SIGTERM.
func TestIDPFinishesRequests(t *testing.T) {
	idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"), "-seed", seedFile(t))
	connection, err := net.Dial("tcp", strings.TrimPrefix(idp.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	body := "grant_type=client_credentials&scope=read&client_id=web&client_secret=" + webSecret
	fmt.Fprintf(connection, "POST /o/token HTTP/1.1\r\nHost: as.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	reader := bufio.NewReader(connection)
	// The provider is reading the request.
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v; want the provider to wait for the body", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- idp.stop() }()
	idp.waitUntilRefused(t)
	if _, err := connection.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %s, want the request answered", response.Status)
	}
	if err := <-stopped; err != nil {
		t.Errorf("got %v, want exit status 0", err)
	}
}

// waitUntilRefused waits until the provider accepts no new connections.
func (p *process) waitUntilRefused(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		connection, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://"))
		if err != nil {
			return
		}
		connection.Close()
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("got a connection after SIGTERM, want it refused")
		}
	}
}
