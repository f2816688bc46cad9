package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// tokenFile has the tokens between two commands. A real tool uses the keychain.
const tokenFile = "tokens.json"

// saved is the content of tokenFile.
type saved struct {
	Tokens  *oauth2.Token `json:"tokens"`
	IDToken string        `json:"id_token"`
}

// login prints a URL for the user's browser and waits for the response at a port that the
// system chooses (RFC 8252 §7.3). It prints the user's claims.
func (rp *relyingParty) login(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	rp.config.RedirectURL = "http://" + listener.Addr().String() + "/callback"
	a, address := rp.begin()
	ended := make(chan error, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" {
			http.NotFound(w, r)
			return
		}
		tokens, _, err := rp.finish(r, a)
		if err == nil {
			fmt.Fprint(w, "Signed in. You can close this window.")
			err = rp.save(tokens)
		} else {
			fmt.Fprint(w, err)
		}
		ended <- err
	})
	go func() { _ = server.Serve(listener) }()
	fmt.Println(address)
	select {
	case err = <-ended:
	case <-time.After(time.Minute):
		err = errors.New("no response within a minute")
	}
	if shutdown := server.Shutdown(ctx); err == nil {
		err = shutdown
	}
	if err != nil {
		return err
	}
	return rp.whoAmI(ctx)
}

func (rp *relyingParty) whoAmI(ctx context.Context) error {
	s, err := load()
	if err != nil {
		return err
	}
	info, err := rp.provider.UserInfo(ctx, rp.config.TokenSource(ctx, s.Tokens))
	if err != nil {
		return err
	}
	claims := map[string]any{}
	if err := info.Claims(&claims); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(claims)
}

// refresh replaces the tokens and prints the user's claims.
func (rp *relyingParty) refresh(ctx context.Context) error {
	s, err := load()
	if err != nil {
		return err
	}
	s.Tokens.Expiry = time.Now().Add(-time.Minute)
	renewed, err := rp.config.TokenSource(ctx, s.Tokens).Token()
	if err != nil {
		return err
	}
	if renewed.AccessToken == s.Tokens.AccessToken {
		return errors.New("the access token is the same")
	}
	if err := rp.save(renewed); err != nil {
		return err
	}
	return rp.whoAmI(ctx)
}

// logout revokes the refresh token, removes the file, and prints the URL that ends the
// session in the browser.
func (rp *relyingParty) logout(ctx context.Context) error {
	s, err := load()
	if err != nil {
		return err
	}
	form := url.Values{"token": {s.Tokens.RefreshToken}, "client_id": {rp.config.ClientID}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, rp.endings.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("revocation: %s", response.Status)
	}
	if err := os.Remove(tokenFile); err != nil {
		return err
	}
	_, err = fmt.Println(rp.endings.EndSession + "?" + url.Values{"id_token_hint": {s.IDToken}}.Encode())
	return err
}

// save keeps the ID token of the sign-in if the response to a refresh has none.
func (rp *relyingParty) save(tokens *oauth2.Token) error {
	raw, _ := tokens.Extra("id_token").(string)
	if before, err := load(); raw == "" && err == nil {
		raw = before.IDToken
	}
	document, err := json.Marshal(saved{tokens, raw})
	if err != nil {
		return err
	}
	return os.WriteFile(tokenFile, document, 0o600)
}

func load() (*saved, error) {
	document, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	s := &saved{}
	return s, json.Unmarshal(document, s)
}
