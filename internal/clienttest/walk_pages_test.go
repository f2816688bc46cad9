package clienttest

import (
	"net/http"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"
)

func (w *walk) signIn() {
	w.t.Helper()
	w.open(w.host + "/")
	w.checkHome("home")
	w.open(w.issuer + "/applications/")
	w.checkLogin("login")
	w.write("#username", "alice")
	w.write("#password", "wrong")
	w.enter("button.primary")
	w.checkLogin("login-failed")
	w.write("#password", alicesWords)
	w.enter("button.primary")
	w.look("applications-none", "applications.heading")
	w.open(w.host + "/")
	w.checkHome("home-signed-in")
	w.enter(`a[href$="/applications/"]`)
}

const badRedirect = "http://shop.example/cb#top"

// register registers an application, first with a mistake that the form must explain.
func (w *walk) register() {
	w.t.Helper()
	w.enter(`a[href$="/applications/register/"]`)
	w.look("register", "applications.register.heading")
	w.write("#name", "Web shop")
	w.write("#redirect_uris", badRedirect)
	for _, scope := range w.shop.Scopes {
		w.toggle(`input[name="scopes"][value="` + scope + `"]`)
	}
	w.tabTo("summary")
	w.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(`details[open] #allowed_origins`)))
	w.look("register-settings", "applications.register.heading")
	w.write("#post_logout_redirect_uris", w.shop.RedirectURL)
	w.enter("form button.primary")
	w.look("register-problem", "applications.register.heading")
	if got := w.field("details[open] #post_logout_redirect_uris"); got != w.shop.RedirectURL {
		w.t.Errorf("more settings: got %q, want the input, visible", got)
	}
	w.correct(w.shop.RedirectURL)
	w.look("secret", "applications.new_secret.heading")
	w.shop.ClientID, w.shop.ClientSecret = w.field("#client_id"), w.field("#client_secret")
	w.enter("a.primary")
	w.look("application", "applications.detail.heading")
	if w.field("#client_id") != w.shop.ClientID || w.shows(w.shop.ClientSecret) {
		w.t.Error("got another page, want the application's, with its id and without its secret")
	}
}

// correct replaces the refused redirect URI and submits the form. The summary must
// have the focus and link to the field, which must be marked as invalid and have the
// error as its description.
func (w *walk) correct(redirectURI string) {
	w.t.Helper()
	type problem struct {
		Summary     bool   `json:"summary"`
		Value       string `json:"value"`
		Invalid     string `json:"invalid"`
		Description string `json:"description"`
		Others      int    `json:"others"`
	}
	got := ask(w.page, chromedp.Evaluate[problem](`(field => ({
		summary: document.activeElement.matches('[role="alert"]'), value: field.value, invalid: field.getAttribute("aria-invalid"),
		description: document.getElementById("redirect_uris-problems")?.innerText ?? "",
		others: document.querySelectorAll('[aria-invalid="true"]').length - 1,
	}))(document.querySelector('#redirect_uris[aria-describedby~="redirect_uris-problems"]') ?? document.createElement("p"))`))
	description, want := got.Description, w.text("problem.must not have a fragment (#)")
	got.Description = ""
	if got != (problem{Summary: true, Value: badRedirect, Invalid: "true"}) || !strings.Contains(description, want) {
		w.t.Errorf("got %+v described by %q, want %q only at its field, and the focus on the summary", got, description, want)
	}
	w.tabTo(`[role="alert"] a[href="#redirect_uris"]`)
	w.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitReady(chromedp.CSS(`#redirect_uris:focus`)))
	w.write("#redirect_uris", redirectURI)
	w.enter("form button.primary")
}

// decide goes from the application to the consent page three times: it denies, allows
// fewer scopes than requested, and allows the rest.
func (w *walk) decide() {
	w.t.Helper()
	w.ask()
	w.look("consent", "consent.heading")
	w.enter(`button[value="deny"]`)
	if got := w.answer(); got.Get("error") != "access_denied" || got.Has("code") {
		w.t.Errorf("denied: got %v, want access_denied and no code", got)
	}
	w.chooseNothing()
	verifier := w.ask()
	w.toggle(`input[name="scope"][value="email"]`)
	w.picture("consent-fewer")
	w.enter(`button[value="allow"]`)
	w.exchange(verifier, "openid profile")
	verifier = w.ask()
	w.look("consent-more", "consent.heading")
	if !w.shows(w.text("consent.new")) {
		w.t.Error("allowed less: got the rest unmarked, want it marked as new")
	}
	w.enter(`button[value="allow"]`)
	w.exchange(verifier, "openid profile email")
}

// chooseNothing allows none of the requested scopes and must be asked again.
func (w *walk) chooseNothing() {
	w.t.Helper()
	w.open(w.shop.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("scope", "profile email")))
	w.toggle(`input[name="scope"][value="profile"]`)
	w.toggle(`input[name="scope"][value="email"]`)
	w.enter(`button[value="allow"]`)
	w.look("consent-nothing", "consent.heading")
	if !w.shows(w.text("consent.nothing_chosen")) {
		w.t.Error("allowed nothing: got no note about it, want one")
	}
}

// ask opens the authorization request of the application and returns its code
// verifier.
func (w *walk) ask() (verifier string) {
	w.t.Helper()
	verifier = oauth2.GenerateVerifier()
	w.open(w.shop.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	return verifier
}

func (w *walk) exchange(verifier, scopes string) {
	w.t.Helper()
	token, err := w.shop.Exchange(w.ctx, w.answer().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		w.t.Fatal(err)
	}
	if got := token.Extra("scope"); got != scopes {
		w.t.Errorf("got a token for %q, want %q", got, scopes)
	}
	w.tokens = append(w.tokens, token)
}

// validTokens returns the number of the application's valid tokens.
func (w *walk) validTokens() (count int) {
	w.t.Helper()
	for _, token := range w.tokens {
		response, err := oauth2.NewClient(w.ctx, oauth2.StaticTokenSource(token)).Get(w.issuer + "/userinfo")
		if err != nil {
			w.t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			count++
		}
	}
	return count
}

// disconnect revokes one sign-in of the application and then all of them.
func (w *walk) disconnect() {
	w.t.Helper()
	w.open(w.host + "/")
	w.enter(`a[href$="/authorized_tokens/"]`)
	w.look("connections", "connections.heading")
	for _, text := range []string{"Web shop", w.text("scope.profile"), w.text("scope.email")} {
		if !w.shows(text) {
			w.t.Errorf("connected apps: got a page without %q, want it", text)
		}
	}
	w.enter("a.slim")
	w.look("connections-end", "connections.end.heading")
	w.enter("form button.danger")
	w.look("connections-one", "connections.heading")
	if got := w.validTokens(); got != 1 {
		w.t.Errorf("one sign-in revoked: got %d valid tokens, want 1", got)
	}
	w.enter(`a.danger[href$="/delete/"]`)
	w.look("connections-remove", "connections.delete.heading")
	w.enter("form button.danger")
	w.look("connections-none", "connections.heading")
	if got := w.validTokens(); got != 0 || w.shows("Web shop") {
		w.t.Errorf("access revoked: got %d valid tokens, want none, and no application on the page", got)
	}
}

// edit renames the application, first with a mistake.
func (w *walk) edit() {
	w.t.Helper()
	w.enter(`a[href$="/applications/"]`)
	w.look("applications", "applications.heading")
	w.enter(".items a")
	w.look("application", "applications.detail.heading")
	w.enter(`a[href$="/update/"]`)
	w.look("update", "applications.update.heading")
	w.write("#name", "Book shop")
	w.write("#redirect_uris", badRedirect)
	w.enter("form button.primary")
	w.look("update-problem", "applications.update.heading")
	w.correct(w.shop.RedirectURL)
	w.look("application-edited", "applications.detail.heading")
	if !w.shows("Book shop") || w.shows(badRedirect) {
		w.t.Error("edited: got another page, want the new name without the refused URI")
	}
}

// rotate rotates the application's secret, which must be shown once.
func (w *walk) rotate() {
	w.t.Helper()
	w.enter(`a[href$="/secret/"]`)
	w.look("rotate", "applications.secret.heading")
	w.enter("form button.primary")
	w.look("secret-new", "applications.new_secret.heading")
	secret := w.field("#client_secret")
	if secret == "" || secret == w.shop.ClientSecret {
		w.t.Error("got the old secret, want a new one")
	}
	before, _, _ := strings.Cut(w.text("applications.previous_secret"), "%s")
	w.enter("a.primary")
	w.look("application-rotated", "applications.detail.heading")
	if !w.shows(before) || w.shows(secret) {
		w.t.Error("rotated: got another page, want the expiry of the old secret, without the new one")
	}
}

// remove deletes the application after cancelling once.
func (w *walk) remove() {
	w.t.Helper()
	w.enter(`a[href$="/delete/"]`)
	w.look("delete", "applications.delete.heading")
	w.enter("form a.button")
	w.look("application-rotated", "applications.detail.heading")
	w.enter(`a[href$="/delete/"]`)
	w.enter("form button.danger")
	w.look("applications-none", "applications.heading")
	if w.shows("Book shop") {
		w.t.Error("deleted: got the application, want it gone")
	}
}

// fail opens an authorization request of the deleted application.
func (w *walk) fail() {
	w.t.Helper()
	w.ask()
	w.look("error", "error.request.heading")
	if !w.shows("application_unknown") || !w.shows(w.text("error.reason.application_unknown")) {
		w.t.Error("unknown application: got another page, want the error code and advice")
	}
	w.enter(`.account a`)
	w.checkHome("home-signed-in")
}

func (w *walk) signOut() {
	w.t.Helper()
	w.enter(`a[href$="/applications/"]`)
	if !w.shows(w.text("account.signed_in") + " alice") {
		w.t.Error("applications: got a page without the user's name, want it")
	}
	w.enter(`a[href$="/logout"]`)
	w.look("signout", "signout.heading")
	w.enter("form button.primary")
	w.look("signed-out", "signout.done.heading")
	w.do(chromedp.Reload())
	w.look("signed-out", "signout.done.heading")
	w.do(chromedp.NavigateBack())
	if w.shows("alice") {
		w.t.Error("signed out and back: got a page with the user's name, want none")
	}
	w.open(w.issuer + "/authorized_tokens/")
	w.checkLogin("login")
}
