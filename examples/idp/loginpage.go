package main

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// loginPage is the data of the login page.
type loginPage struct {
	Texts *loginTexts
	// Application is the name of the application that the user continues to. It is
	// empty if none waits. Verified reports whether the operator verified the name.
	Application string
	Verified    bool
	// Username is what the user typed, or the hint of the application.
	Username string
	Fail     string
	// Next and UILocales are kept in the form.
	Next, UILocales string
}

// newLoginPage returns the login page in the user's language, for the application that
// waits for the sign-in.
func (p *pages) newLoginPage(r *http.Request) (*loginPage, error) {
	pending, err := oauthhttp.PendingLogin[*storedApplication](p.provider, r)
	if err != nil {
		return nil, err
	}
	content := &loginPage{Next: oauthhttp.ReturnPath(r)}
	locales := strings.Fields(r.FormValue("ui_locales")) // of a page of the provider
	if pending != nil {
		content.Application, content.Verified = oauthkit.DisplayName(pending.Application), oauthkit.IsVerified(pending.Application)
		content.Username, locales = pending.LoginHint, pending.UILocales
	}
	content.UILocales = strings.Join(locales, " ")
	content.Texts = chooseLoginTexts(locales, r.Header.Get("Accept-Language"))
	return content, nil
}

func (p *pages) renderLogin(w http.ResponseWriter, status int, content *loginPage) {
	p.render(w, status, "login.html", page{Language: content.Texts.Language, Title: content.Texts.SignIn, Login: content})
}

// loginTexts are the texts of the login page in one language.
type loginTexts struct {
	Language                    string // BCP 47
	SignIn, Continue            string
	Unverified                  string
	Username, Password          string
	WrongPassword, Locked, Busy string
}

// loginLanguages has the default first.
var loginLanguages = []*loginTexts{
	{
		Language:      "en",
		SignIn:        "Sign in",
		Continue:      "to continue to",
		Unverified:    "Unverified",
		Username:      "Username",
		Password:      "Password",
		WrongPassword: "Incorrect username or password.",
		Locked:        "Too many failed attempts. Wait a moment, then try again.",
		Busy:          "Too many sign-ins at the moment. Try again shortly.",
	},
	{
		Language:      "de",
		SignIn:        "Anmelden",
		Continue:      "und weiter zu",
		Unverified:    "Nicht geprüft",
		Username:      "Benutzername",
		Password:      "Passwort",
		WrongPassword: "Benutzername oder Passwort ist falsch.",
		Locked:        "Zu viele Fehlversuche. Warten Sie einen Moment und versuchen Sie es noch einmal.",
		Busy:          "Zurzeit melden sich zu viele an. Versuchen Sie es gleich noch einmal.",
	},
}

// loginMatcher has the languages in the same order.
var loginMatcher = language.NewMatcher([]language.Tag{language.English, language.German})

// chooseLoginTexts returns the texts in the language of the application's request,
// which knows its user, or else of the browser.
func chooseLoginTexts(locales []string, acceptLanguage string) *loginTexts {
	const maxLocales, maxAccept = 10, 1000 // anyone can send long lists
	preferred := append([]string(nil), locales[:min(len(locales), maxLocales)]...)
	if len(acceptLanguage) <= maxAccept {
		preferred = append(preferred, acceptLanguage)
	}
	_, index := language.MatchStrings(loginMatcher, preferred...)
	return loginLanguages[index]
}
