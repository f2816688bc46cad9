package main

import "golang.org/x/text/language"

// siteTexts are the texts of the pages in one language.
type siteTexts struct {
	Language string // BCP 47
	SignIn   string
	// of the login page
	Continue                    string
	Unverified                  string
	Username, Password          string
	WrongPassword, Locked, Busy string
	// of the home page
	Home                      string
	SignedIn, SignedOut       string
	Connections, Applications string
	SignOut                   string
}

// siteLanguages has the default first.
var siteLanguages = []*siteTexts{
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
		Home:          "Identity provider",
		SignedIn:      "You are signed in as",
		SignedOut:     "You are not signed in.",
		Connections:   "Connected apps",
		Applications:  "Your applications",
		SignOut:       "Sign out",
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
		Home:          "Identitätsanbieter",
		SignedIn:      "Sie sind angemeldet als",
		SignedOut:     "Sie sind nicht angemeldet.",
		Connections:   "Verbundene Apps",
		Applications:  "Ihre Anwendungen",
		SignOut:       "Abmelden",
	},
}

// siteMatcher has the languages in the same order.
var siteMatcher = language.NewMatcher([]language.Tag{language.English, language.German})

// chooseTexts returns the texts in the language of the application's request,
// which knows its user, or else of the browser.
func chooseTexts(locales []string, acceptLanguage string) *siteTexts {
	const maxLocales, maxAccept = 10, 1000 // anyone can send long lists
	preferred := append([]string(nil), locales[:min(len(locales), maxLocales)]...)
	if len(acceptLanguage) <= maxAccept {
		preferred = append(preferred, acceptLanguage)
	}
	_, index := language.MatchStrings(siteMatcher, preferred...)
	return siteLanguages[index]
}
