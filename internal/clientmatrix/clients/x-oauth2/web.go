package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// attempt is a sign-in that waits for the response of the provider. A web application
// keeps it in the user's session.
type attempt struct{ state, nonce, verifier string }

// begin returns a new attempt and the URL to redirect to.
func (rp *relyingParty) begin() (attempt, string) {
	a := attempt{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	return a, rp.config.AuthCodeURL(a.state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier))
}

// finish returns the tokens and the verified ID token of a response.
func (rp *relyingParty) finish(r *http.Request, a attempt) (*oauth2.Token, *oidc.IDToken, error) {
	response := r.URL.Query()
	if response.Get("state") != a.state {
		return nil, nil, errors.New("wrong state")
	}
	if code := response.Get("error"); code != "" {
		return nil, nil, fmt.Errorf("%s: %s", code, response.Get("error_description"))
	}
	tokens, err := rp.config.Exchange(r.Context(), response.Get("code"), oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, nil, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := rp.verifier.Verify(r.Context(), raw)
	if err != nil {
		return nil, nil, err
	}
	if idToken.Nonce != a.nonce {
		return nil, nil, errors.New("wrong nonce")
	}
	return tokens, idToken, nil
}

// session is the state of the web application, which has one user at a time.
type session struct {
	*relyingParty
	attempt attempt
	tokens  *oauth2.Token
	idToken string
}

// serve runs the web application.
func (rp *relyingParty) serve() error {
	s := &session{relyingParty: rp}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		var address string
		s.attempt, address = rp.begin()
		http.Redirect(w, r, address, http.StatusFound)
	})
	mux.HandleFunc("/callback", handle(s.callback))
	mux.HandleFunc("/userinfo", handle(s.userInfo))
	mux.HandleFunc("/refresh", handle(s.refresh))
	mux.HandleFunc("/logout", s.logout)
	mux.HandleFunc("/", handle(func(*http.Request) (any, error) { return "home", nil }))
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if os.Getenv("CERTIFICATE") == "" {
		return server.ListenAndServe()
	}
	return server.ListenAndServeTLS(os.Getenv("CERTIFICATE"), os.Getenv("KEY"))
}

// handle shows the result of a page as JSON.
func handle(page func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := page(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(result)
	}
}

func (s *session) callback(r *http.Request) (any, error) {
	tokens, idToken, err := s.finish(r, s.attempt)
	if err != nil {
		return nil, err
	}
	s.tokens, s.idToken = tokens, tokens.Extra("id_token").(string)
	claims := map[string]any{}
	return claims, idToken.Claims(&claims)
}

func (s *session) userInfo(r *http.Request) (any, error) {
	info, err := s.provider.UserInfo(r.Context(), s.config.TokenSource(r.Context(), s.tokens))
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return claims, info.Claims(&claims)
}

// refresh refreshes as TokenSource does when the access token has expired.
func (s *session) refresh(r *http.Request) (any, error) {
	expired := *s.tokens
	expired.Expiry = time.Now().Add(-time.Minute)
	renewed, err := s.config.TokenSource(r.Context(), &expired).Token()
	if err != nil {
		return nil, err
	}
	if renewed.AccessToken == s.tokens.AccessToken {
		return nil, errors.New("the access token is the same")
	}
	s.tokens = renewed
	return "refreshed", nil
}

func (s *session) logout(w http.ResponseWriter, r *http.Request) {
	parameters := url.Values{"id_token_hint": {s.idToken}, "post_logout_redirect_uri": {os.Getenv("ORIGIN") + "/"}}
	s.tokens, s.idToken = nil, ""
	http.Redirect(w, r, s.endings.EndSession+"?"+parameters.Encode(), http.StatusFound)
}
