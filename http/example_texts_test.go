package oauthhttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// shopApplication has a field with an English label and an English rule.
type shopApplication struct {
	oauthkit.AbstractApplication
	Support string
}

func (a *shopApplication) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: "support", Label: "Support address", Value: a.Support}}
}

func (a *shopApplication) SetFormField(_, value string) error {
	a.Support = value
	if !strings.Contains(value, "@") {
		return errors.New("must be an e-mail address")
	}
	return nil
}

// The pages of a host in German. The host translates its own field and its problems
// by keys that contain the field's name and the English message.
func ExampleTexts() {
	store := memstore.New()
	store.NewModel = func() oauthkit.Application { return &shopApplication{} }
	provider, err := oauthkit.New("https://gallery.example/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser:  alice,
		Applications: applications,
		Texts: map[string]oauthhttp.Texts{"de": {
			"applications.field.fields.support": "Adresse für Hilfe",
			"problem.must be an e-mail address": "muss eine E-Mail-Adresse sein",
		}},
	})
	if err != nil {
		panic(err)
	}

	for _, line := range problemsIn("de", handler, url.Values{"client_type": {"public"}, "redirect_uris": {"https://shop.example/#x"}}) {
		fmt.Println(line)
	}
	// Output:
	// Redirect-URIs: "https://shop.example/#x": darf kein Fragment haben (#)
	// Adresse für Hilfe: muss eine E-Mail-Adresse sein
}

// problemsIn registers an application in a browser with this language and returns the
// summary of the problems.
func problemsIn(language string, handler http.Handler, form url.Values) []string {
	opened := httptest.NewRecorder()
	handler.ServeHTTP(opened, httptest.NewRequest(http.MethodGet, "/o/applications/register/", nil))
	form.Set("token", valueOf(opened.Body.String(), "token"))
	request := httptest.NewRequest(http.MethodPost, "/o/applications/register/", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept-Language", language)
	for _, cookie := range opened.Result().Cookies() {
		request.AddCookie(cookie)
	}
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, request)
	var lines []string
	for _, found := range regexp.MustCompile(`<a href="#.*?"><bdi>(.*?)</bdi>: <bdi>(.*?)</bdi>`).FindAllStringSubmatch(page.Body.String(), -1) {
		lines = append(lines, strings.ReplaceAll(found[1]+": "+found[2], "&#34;", `"`))
	}
	return lines
}
