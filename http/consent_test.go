package oauthhttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// choosing serves an application of which Alice may approve single scopes.
func choosing(m *managed) {
	m.add("printer", nil)
	m.handler = m.handlerWith(func(config *oauthhttp.Config) { config.UserChoosesScopes = true })
}

// TestNothingChosen approves no scope. The form is shown again in the request's
// language, with a message at the boxes, and the request can still be approved.
func TestNothingChosen(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		m := newManaged(t)
		m.language = language
		choosing(m)
		send := func(form url.Values) *httptest.ResponseRecorder {
			recorder := httptest.NewRecorder()
			m.handler.ServeHTTP(recorder, m.sent(http.MethodPost, "/o/consent", form))
			return recorder
		}
		again := send(m.decision(m.asked(), "allow", ""))
		page, texts := again.Body.String(), readTexts(t, language)
		if again.Code != http.StatusUnprocessableEntity {
			t.Fatalf("%s: got %d: %s; want 422", language, again.Code, page)
		}
		for _, want := range []string{
			`<fieldset aria-describedby="nothing-chosen">`, ` role="alert" id="nothing-chosen" tabindex="-1" autofocus>` + texts["consent.nothing_chosen"] + "<",
			"<title>" + texts["consent.nothing_chosen.title"] + "</title>", `<input type="checkbox" name="scope" value="read" aria-invalid="true">`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: got a page without %s:\n%s", language, want, page)
			}
		}
		form := url.Values{"interaction": {valueOf(page, "interaction")}, "token": {valueOf(page, "token")}, "decision": {"allow"}, "scope": {"read"}}
		if answer := send(form); !strings.HasPrefix(answer.Header().Get("Location"), "https://printer.test/cb?code=") {
			t.Errorf("%s: got %d to %q, want a code", language, answer.Code, answer.Header().Get("Location"))
		}
	}
}

// TestRevocable checks that the consent page mentions the page of connected apps
// only if it is served.
func TestRevocable(t *testing.T) {
	tests := []struct {
		name   string
		change func(*oauthhttp.Config)
		want   bool
	}{
		{name: "a page", change: func(*oauthhttp.Config) {}, want: true},
		{name: "no page", change: func(config *oauthhttp.Config) { config.Authorizations = nil }},
		{name: "not served", change: func(config *oauthhttp.Config) { config.Groups = []oauthhttp.Group{oauthhttp.GroupBase} }},
	}
	for _, test := range tests {
		m := newManaged(t)
		m.add("printer", nil)
		m.handler = m.handlerWith(test.change)
		page := m.do(http.StatusOK, http.MethodGet, m.asked(), "", "").Body.String()
		if got := strings.Contains(page, readTexts(t, "en")["consent.withdraw"]); got != test.want {
			t.Errorf("%s: got it mentioned %t, want %t", test.name, got, test.want)
		}
	}
}
