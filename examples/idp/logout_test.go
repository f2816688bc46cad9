package main

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// logoutReceiver receives the logout tokens of all applications of a test.
type logoutReceiver struct {
	*testing.T
	*httptest.Server
	received chan url.Values // with the name of the application as client
}

func newLogoutReceiver(t *testing.T) *logoutReceiver {
	t.Helper()
	receiver := &logoutReceiver{T: t, received: make(chan url.Values, 10)}
	receiver.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		r.PostForm.Set("client", strings.TrimPrefix(r.URL.Path, "/"))
		receiver.received <- r.PostForm
	}))
	t.Cleanup(receiver.Close)
	return receiver
}

// application returns the JSON of an application that is told of logouts here.
func (l *logoutReceiver) application(clientID string) string {
	return seedApplicationOf(clientID, `, "verified": true, "skip_authorization": true, "backchannel_logout_uri": "`+l.URL+"/"+clientID+`",
		"backchannel_logout_session_required": true, "post_logout_redirect_uris": ["https://`+clientID+`.test/bye"]`)
}

// expect waits two seconds for a valid logout token of each application.
func (l *logoutReceiver) expect(v *visitor, subject string, sid any, clientIDs ...string) {
	l.Helper()
	l.expectWithin(2*time.Second, v, subject, sid, clientIDs...)
}

func (l *logoutReceiver) expectWithin(limit time.Duration, v *visitor, subject string, sid any, clientIDs ...string) {
	l.Helper()
	deadline := time.After(limit)
	var told []string
	for range clientIDs {
		select {
		case form := <-l.received:
			told = append(told, form.Get("client"))
			l.check(v, form, subject, sid)
		case <-deadline:
			l.Fatalf("got logout tokens for %q within %s, want %q", told, limit, clientIDs)
		}
	}
	if slices.Sort(told); !slices.Equal(told, clientIDs) {
		l.Errorf("got logout tokens for %q, want %q", told, clientIDs)
	}
}

// check verifies a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6).
func (l *logoutReceiver) check(v *visitor, form url.Values, subject string, sid any) {
	l.Helper()
	provider, err := oidc.NewProvider(v.ctx, v.issuer)
	if err != nil {
		l.Fatal(err)
	}
	var metadata struct {
		KeysURL string `json:"jwks_uri"`
	}
	if err := provider.Claims(&metadata); err != nil {
		l.Fatal(err)
	}
	payload, err := oidc.NewRemoteKeySet(v.ctx, metadata.KeysURL).VerifySignature(v.ctx, form.Get("logout_token"))
	if err != nil {
		l.Fatalf("%v in %v", err, form)
	}
	var claims map[string]any
	if err := json.NewDecoder(bytes.NewReader(payload)).Decode(&claims); err != nil {
		l.Fatal(err)
	}
	events, _ := claims["events"].(map[string]any)
	if claims["iss"] != v.issuer || claims["aud"] != form.Get("client") || claims["sub"] != subject || claims["sid"] != sid ||
		events["http://schemas.openid.net/event/backchannel-logout"] == nil || claims["nonce"] != nil || claims["jti"] == nil {
		l.Errorf("got the logout token %v for %s, want sub %s and sid %v", claims, form.Get("client"), subject, sid)
	}
}

// endSession sends the browser to the end session endpoint (OpenID Connect RP-Initiated
// Logout 1.0 §2), and returns what the application gets and the pages that the user saw.
func (v *visitor) endSession(parameters url.Values) (back url.Values, pages []string) {
	v.Helper()
	provider, err := oidc.NewProvider(v.ctx, v.issuer)
	if err != nil {
		v.Fatal(err)
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil || metadata.EndSession == "" {
		v.Fatalf("got the end session endpoint %q, %v", metadata.EndSession, err)
	}
	return v.open(metadata.EndSession + "?" + parameters.Encode())
}

// works reports whether the access token and the refresh token of an application are
// valid.
func (v *visitor) works(clientID string, tokens *oauth2.Token) (access, refresh bool) {
	v.Helper()
	provider, err := oidc.NewProvider(v.ctx, v.issuer)
	if err != nil {
		v.Fatal(err)
	}
	_, err = provider.UserInfo(v.ctx, oauth2.StaticTokenSource(tokens))
	config := &oauth2.Config{ClientID: clientID, ClientSecret: secretOf(clientID), Endpoint: provider.Endpoint()}
	renewed, refreshErr := config.TokenSource(v.ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
	return err == nil, refreshErr == nil && renewed.AccessToken != ""
}

// TestL_LogoutWalk signs alice in at three applications and signs her out at one. The
// browser returns to that application, each application gets a logout token at once,
// tokens are invalid except those with offline_access, and the next request asks for the
// password.
func TestL_LogoutWalk(t *testing.T) {
	receiver := newLogoutReceiver(t)
	seed := writeSeed(t, "", receiver.application("shop"), receiver.application("mail"), receiver.application("news"))
	r := newRunning(t)
	r.useTLS()
	r.serve(filepath.Join(t.TempDir(), "idp.db"), "-seed", seed, "-drain", "0s", "-allow-loopback-fetch")
	defer r.end()
	alice := r.newVisitor("alice", alicesPassword)
	online := url.Values{"scope": {"openid", "profile"}}
	shop, claims, _ := alice.signIn("shop", online)
	news, _, _ := alice.signIn("news", online)
	mail, mailClaims, _ := alice.signIn("mail", nil)
	sid := claims["sid"]
	if sid == nil || mailClaims["sid"] != sid {
		t.Fatalf("got the sessions %v and %v, want one", sid, mailClaims["sid"])
	}
	hint, _ := shop.Extra("id_token").(string)
	back, pages := alice.endSession(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://shop.test/bye"}, "state": {"s"}})
	if back.Get("state") != "s" || len(pages) != 0 {
		t.Errorf("got %v after the pages %q, want the state without a page", back, pages)
	}
	receiver.expect(alice, "alice", sid, "mail", "news", "shop")
	for _, tc := range []struct {
		clientID string
		tokens   *oauth2.Token
		valid    bool
	}{{"shop", shop, false}, {"news", news, false}, {"mail", mail, true}} {
		if access, refresh := alice.works(tc.clientID, tc.tokens); access != tc.valid || refresh != tc.valid {
			t.Errorf("%s: got the access token valid: %v, the refresh token valid: %v, want both %v", tc.clientID, access, refresh, tc.valid)
		}
	}
	if _, again, pages := alice.signIn("shop", online); pages != 1 || again["sid"] == sid || again["sid"] == nil {
		t.Errorf("got %d pages and the session %v after the logout, want the login page and a new session", pages, again["sid"])
	}
}

// TestL_LogoutQuestion checks that a request without a hint shows the question first, and
// that the answer ends the session.
func TestL_LogoutQuestion(t *testing.T) {
	receiver := newLogoutReceiver(t)
	r := startServing(t, filepath.Join(t.TempDir(), "idp.db"), "-seed", writeSeed(t, "", receiver.application("shop")), "-drain", "0s", "-allow-loopback-fetch")
	defer r.end()
	alice := r.newVisitor("alice", alicesPassword)
	_, claims, _ := alice.signIn("shop", nil)
	back, pages := alice.endSession(url.Values{"client_id": {"shop"}, "post_logout_redirect_uri": {"https://shop.test/bye"}, "state": {"s"}})
	if back.Get("state") != "s" || len(pages) != 1 || !slices.Contains(strings.Fields(pages[0]), "logout") {
		t.Errorf("got %v after the pages %q, want the question with the field logout", back, pages)
	}
	receiver.expect(alice, "alice", claims["sid"], "shop")
}

// TestL_FrontChannel checks that the page after a logout has a frame for each application
// that wants one, and that an https issuer lets applications watch the session.
func TestL_FrontChannel(t *testing.T) {
	r := newRunning(t)
	r.useTLS()
	r.serve(filepath.Join(t.TempDir(), "idp.db"), "-drain", "0s", "-seed", writeSeed(t, "",
		seedApplicationOf("shop", `, "frontchannel_logout_uri": "https://shop.test/front", "frontchannel_logout_session_required": true`),
		seedApplicationOf("mail", "")))
	defer r.end()
	alice := r.newVisitor("alice", alicesPassword)
	alice.signIn("mail", nil)
	tokens, claims, _ := alice.signIn("shop", nil)
	provider, err := oidc.NewProvider(alice.ctx, alice.issuer)
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string]any
	if err := provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"frontchannel_logout_supported", "frontchannel_logout_session_supported", "backchannel_logout_supported", "backchannel_logout_session_supported"} {
		if metadata[name] != true {
			t.Errorf("got %s %v, want true", name, metadata[name])
		}
	}
	if metadata["check_session_iframe"] == nil {
		t.Error("got no check_session_iframe")
	}
	hint, _ := tokens.Extra("id_token").(string)
	response, err := alice.client.Get(metadata["end_session_endpoint"].(string) + "?" + url.Values{"id_token_hint": {hint}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	frames := regexp.MustCompile(`<iframe[^>]* src="([^"]*)"`).FindAllStringSubmatch(string(body), -1)
	if len(frames) != 1 {
		t.Fatalf("got the frames %q in\n%s\nwant that of shop", frames, body)
	}
	frame, err := url.Parse(html.UnescapeString(frames[0][1]))
	if err != nil || frame.Host != "shop.test" || frame.Path != "/front" || frame.Query().Get("iss") != alice.issuer || frame.Query().Get("sid") != claims["sid"] {
		t.Errorf("got the frame %s, %v, want /front of shop with iss and sid %v", frame, err, claims["sid"])
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src https://shop.test") {
		t.Errorf("got the policy %q, want frames of shop", policy)
	}
}

// TestL_OtherEndsOfSessions checks that a session ends for its applications too if
// another user signs in over it, and if the password of its user changes.
func TestL_OtherEndsOfSessions(t *testing.T) {
	receiver := newLogoutReceiver(t)
	at := filepath.Join(t.TempDir(), "idp.db")
	r := startServing(t, at, "-seed", writeSeed(t, "", receiver.application("shop")), "-drain", "0s", "-allow-loopback-fetch")
	browser := r.newVisitor("alice", alicesPassword)
	tokens, claims, _ := browser.signIn("shop", url.Values{"scope": {"openid"}})
	browser.username, browser.password = "bob", "builder"
	_, bobs, _ := browser.signIn("shop", url.Values{"scope": {"openid"}, "prompt": {"login"}})
	if bobs["sub"] != "bob" || bobs["sid"] == claims["sid"] {
		t.Errorf("got %v for bob, want another session than %v", bobs, claims["sid"])
	}
	receiver.expect(browser, "alice", claims["sid"], "shop")
	if access, refresh := browser.works("shop", tokens); access || refresh {
		t.Error("got a token of alice valid, want none")
	}
	r.end()

	changed := writeSeed(t, "", receiver.application("shop"))
	document, err := os.ReadFile(changed)
	if err == nil {
		err = os.WriteFile(changed, bytes.ReplaceAll(document, []byte(`"builder"`), []byte(`"can-we-fix-it"`)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.serve(at, "-seed", changed, "-drain", "0s", "-allow-loopback-fetch")
	defer r.end()
	receiver.expect(browser, "bob", bobs["sid"], "shop")
}

// TestL_RevokeCommand checks that the applications of a user are told when a command
// revokes their access.
func TestL_RevokeCommand(t *testing.T) {
	receiver := newLogoutReceiver(t)
	seed := writeSeed(t, "", seedApplicationOf("shop", `, "backchannel_logout_uri": "`+receiver.URL+`/shop", "backchannel_logout_session_required": true`))
	at := filepath.Join(t.TempDir(), "idp.db")
	r := startServing(t, at, "-seed", seed, "-drain", "0s", "-allow-loopback-fetch")
	alice := r.newVisitor("alice", alicesPassword)
	tokens, claims, _ := alice.signIn("shop", nil)
	if err := run(t.Context(), []string{"revoke", "-db", at, "-user", "alice"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if access, refresh := alice.works("shop", tokens); access || refresh {
		t.Error("got a token valid after the command, want none")
	}
	r.end()
	r.serve(at, "-seed", seed, "-drain", "0s", "-allow-loopback-fetch") // delivers what is due at its start
	defer r.end()
	receiver.expectWithin(10*time.Second, alice, "alice", claims["sid"], "shop")
}
