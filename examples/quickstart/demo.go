package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// demo is a client application. It knows only the issuer of the provider, and could run
// on another machine.
type demo struct {
	base, secret string

	mu       sync.Mutex
	sessions map[string]demoSession
}

// demoSession is the session of one browser. It holds the state of a sign-in until the
// callback, and then the tokens.
type demoSession struct {
	id                     string // value of the cookie
	state, nonce, verifier string
	tokens                 *oauth2.Token
	idToken                string
	idClaims               map[string]any
	refreshes              int
}

func newDemo(base, secret string) http.Handler {
	d := &demo{base: base, secret: secret, sessions: map[string]demoSession{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/{$}", d.home)
	mux.HandleFunc("GET /demo/login", d.login)
	mux.HandleFunc("GET /demo/callback", d.callback)
	mux.HandleFunc("POST /demo/refresh", d.refresh)
	mux.HandleFunc("POST /demo/logout", d.logout)
	return http.NewCrossOriginProtection().Handler(mux)
}

// provider discovers the provider (OpenID Connect Discovery §4).
func (d *demo) provider(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	provider, err := oidc.NewProvider(ctx, d.base+"/o")
	if err != nil {
		return nil, nil, err
	}
	return provider, &oauth2.Config{
		ClientID: "demo", ClientSecret: d.secret, Endpoint: provider.Endpoint(),
		RedirectURL: d.base + "/demo/callback", Scopes: []string{oidc.ScopeOpenID, "profile", "email", "read"},
	}, nil
}

// session returns a copy of the browser's session, or nil. Use save to store changes.
func (d *demo) session(r *http.Request) *demoSession {
	cookie, err := r.Cookie("demo")
	if err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.sessions[cookie.Value]
	if !ok {
		return nil
	}
	return &found
}

func (d *demo) save(session *demoSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions[session.id] = *session
}

func (d *demo) login(w http.ResponseWriter, r *http.Request) {
	_, config, err := d.provider(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	session := &demoSession{id: rand.Text(), state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	d.save(session)
	http.SetCookie(w, &http.Cookie{Name: "demo", Value: session.id, Path: "/demo/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	target := config.AuthCodeURL(session.state, oidc.Nonce(session.nonce), oauth2.S256ChallengeOption(session.verifier))
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// callback receives the authorization response, redeems the code and verifies the ID
// token.
func (d *demo) callback(w http.ResponseWriter, r *http.Request) {
	session := d.session(r)
	query := r.URL.Query()
	switch {
	case session == nil || session.state == "" || query.Get("state") != session.state:
		fail(w, errors.New("state does not match a sign-in of this browser"))
	case query.Get("iss") != d.base+"/o": // RFC 9207
		fail(w, errors.New("iss is another issuer"))
	case query.Get("error") != "":
		render(w, http.StatusOK, "denied.html", map[string]any{"Title": "Not signed in", "Error": query.Get("error")})
	default:
		if err := d.exchange(r.Context(), session, query.Get("code")); err != nil {
			fail(w, err)
			return
		}
		http.Redirect(w, r, "/demo/", http.StatusSeeOther)
	}
}

func (d *demo) exchange(ctx context.Context, session *demoSession, code string) error {
	provider, config, err := d.provider(ctx)
	if err != nil {
		return err
	}
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(session.verifier))
	if err != nil {
		return err
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if idToken.Nonce != session.nonce {
		return errors.New("the ID token has another nonce")
	}
	if err := idToken.VerifyAccessToken(tokens.AccessToken); err != nil {
		return err
	}
	session.state, session.tokens, session.idToken = "", tokens, raw
	if err := idToken.Claims(&session.idClaims); err != nil {
		return err
	}
	d.save(session)
	return nil
}

// refresh replaces the tokens before they expire, as a client does while the user is
// away.
func (d *demo) refresh(w http.ResponseWriter, r *http.Request) {
	session := d.session(r)
	if session == nil || session.tokens == nil {
		http.Redirect(w, r, "/demo/", http.StatusSeeOther)
		return
	}
	_, config, err := d.provider(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	old := *session.tokens
	old.Expiry = time.Now().Add(-time.Minute)
	tokens, err := config.TokenSource(r.Context(), &old).Token()
	if err != nil {
		fail(w, err)
		return
	}
	session.tokens, session.refreshes = tokens, session.refreshes+1
	d.save(session)
	http.Redirect(w, r, "/demo/", http.StatusSeeOther)
}

// logout ends the session of the browser here and asks the provider to do the same
// (OpenID Connect RP-Initiated Logout 1.0 §2).
func (d *demo) logout(w http.ResponseWriter, r *http.Request) {
	session := d.session(r)
	if session == nil || session.tokens == nil {
		http.Redirect(w, r, "/demo/", http.StatusSeeOther)
		return
	}
	provider, _, err := d.provider(r.Context())
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err == nil {
		err = provider.Claims(&metadata)
	}
	if err != nil {
		fail(w, err)
		return
	}
	d.mu.Lock()
	delete(d.sessions, session.id)
	d.mu.Unlock()
	request := url.Values{"id_token_hint": {session.idToken}, "post_logout_redirect_uri": {d.base + "/demo/"}}
	http.Redirect(w, r, metadata.EndSession+"?"+request.Encode(), http.StatusSeeOther)
}

// home shows the tokens and the API's response.
func (d *demo) home(w http.ResponseWriter, r *http.Request) {
	session := d.session(r)
	if session == nil || session.tokens == nil {
		render(w, http.StatusOK, "start.html", map[string]any{"Title": "Quickstart demo", "User": demoUser, "Password": demoPassword})
		return
	}
	provider, config, err := d.provider(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	userInfo := map[string]any{}
	info, err := provider.UserInfo(r.Context(), oauth2.StaticTokenSource(session.tokens))
	if err == nil {
		err = info.Claims(&userInfo)
	}
	if err != nil {
		fail(w, err)
		return
	}
	status, body, err := get(r.Context(), config.Client(r.Context(), session.tokens), d.base+"/api/greeting")
	if err != nil {
		fail(w, err)
		return
	}
	render(w, http.StatusOK, "signedin.html", map[string]any{
		"Title": "You are signed in", "IDClaims": session.idClaims, "UserInfo": userInfo,
		"Status": status, "Body": body, "Refreshes": session.refreshes,
		"Expires": session.tokens.Expiry.Format(time.TimeOnly), "Subject": session.idClaims["sub"],
	})
}

// get calls the API with the access token.
func get(ctx context.Context, client *http.Client, url string) (status, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	document, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && !json.Valid(document) {
		err = fmt.Errorf("the API returned %s and a body that is not JSON", response.Status)
	}
	return response.Status, string(document), err
}
