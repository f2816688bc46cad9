package main

import (
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// loginPage is the data of the login page.
type loginPage struct {
	Texts *siteTexts
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
	content.Texts = chooseTexts(locales, r.Header.Get("Accept-Language"))
	return content, nil
}

func (p *pages) renderLogin(w http.ResponseWriter, status int, content *loginPage) {
	p.render(w, status, "login.html", page{Language: content.Texts.Language, Title: content.Texts.SignIn, Login: content})
}
