package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// asking is an extension that asks users for consent to the application web.
type asking struct {
	provider *oauthkit.Provider
	form     oauthhttp.ConsentForm
	readBody bool                 // the endpoint reads the form before
	app      oauthkit.Application // instead of web
	decision *oauthkit.Decision
	err      error
}

const askPath = "/o/ask/1"

func (a *asking) Extend(registry *oauthkit.Registry) error {
	a.provider = registry.Provider()
	registry.Endpoint(oauthkit.Endpoint{Path: "ask/{id}", Methods: []string{http.MethodGet, http.MethodPost}, User: a.ask})
	return nil
}

func (a *asking) ask(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	handler, err := oauthhttp.HandlerFrom(r.Context())
	if err != nil {
		return err
	}
	if a.readBody {
		_ = r.ParseForm()
	}
	app, err := a.provider.Application(r.Context(), "web")
	if err != nil {
		return err
	}
	if a.app != nil {
		app = a.app
	}
	request, err := a.provider.NewConsentRequest(r.Context(), app, oauth2.AuthorizationCode, url.Values{"scope": {"openid read"}, "ui_locales": {"de"}})
	if err != nil {
		return err
	}
	if a.decision, err = handler.AskConsent(w, r, user, request, a.form); a.decision == nil {
		a.err = err
		return err
	}
	_, err = fmt.Fprint(w, "decided")
	return err
}

func newAsking(t *testing.T, config oauthhttp.Config) (*asking, http.Handler) {
	t.Helper()
	a := &asking{form: oauthhttp.ConsentForm{ID: "1", Action: askPath, Intro: "consent.back"}}
	config.LoginURL = "/login"
	return a, newPages(t, config, withExtension(a))
}

// openAsking shows the page and returns the fields of its form, and the browser's cookie.
func openAsking(t *testing.T, handler http.Handler) (page string, form url.Values, cookie string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test"+askPath, nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("got %d: %s; want the consent page", recorder.Code, recorder.Body)
	}
	if policy := recorder.Header().Get("Content-Security-Policy"); !strings.Contains(recorder.Body.String(), "decided") && !strings.HasSuffix(policy, "form-action 'self'") {
		t.Errorf("got the policy %q, want a form of this site only", policy)
	}
	form = url.Values{}
	for _, field := range hiddenInput.FindAllStringSubmatch(recorder.Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	cookie, _, _ = strings.Cut(recorder.Header().Get("Set-Cookie"), ";")
	return recorder.Body.String(), form, cookie
}

func answerAsking(handler http.Handler, form url.Values, site, cookie string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "https://as.test"+askPath, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", site)
	request.Header.Set("Cookie", cookie)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

// TestAskConsent answers the consent page of an extension.
func TestAskConsent(t *testing.T) {
	a, handler := newAsking(t, oauthhttp.Config{UserChoosesScopes: true})
	page, shown, cookie := openAsking(t, handler)
	for _, want := range []string{"Beide Antworten gehen an", `action="/o/ask/1"`, "/login?next=%2Fo%2Fask%2F1", `name="interaction" value="1"`} {
		if !strings.Contains(page, want) {
			t.Errorf("got a page without %q:\n%s", want, page)
		}
	}
	for _, without := range []string{"Gerät", "Antwort geht an", "rp.test"} {
		if strings.Contains(page, without) {
			t.Errorf("got a page with %q, want one that names no recipient:\n%s", without, page)
		}
	}
	for name, test := range map[string]struct {
		change       func(form url.Values)
		site, cookie string
		status       int
		want         *oauthkit.Decision
	}{
		"allowed":                        {func(form url.Values) { form.Set("scope", "read") }, "same-origin", cookie, 200, &oauthkit.Decision{Given: true, Scopes: oauthkit.Scopes{"openid", "read"}}},
		"denied":                         {func(form url.Values) { form.Set("decision", "deny") }, "same-origin", cookie, 200, &oauthkit.Decision{Denied: true}},
		"not answered":                   {func(form url.Values) { form.Del("decision") }, "same-origin", cookie, 200, nil},
		"B-01 no token":                  {func(form url.Values) { form.Del("token") }, "same-origin", cookie, 403, nil},
		"B-01 another token":             {func(form url.Values) { form.Set("token", "x") }, "same-origin", cookie, 403, nil},
		"B-01 denied by another token":   {func(form url.Values) { form.Set("token", "x"); form.Set("decision", "deny") }, "same-origin", cookie, 403, nil},
		"B-02 another site":              {func(url.Values) {}, "cross-site", cookie, 403, nil},
		"B-04 a scope that is not asked": {func(form url.Values) { form.Set("scope", "admin") }, "same-origin", cookie, 400, nil},
		"B-06 another browser":           {func(url.Values) {}, "same-origin", "", 403, nil},
		"an unknown decision":            {func(form url.Values) { form.Set("decision", "maybe") }, "same-origin", cookie, 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"decision": {"allow"}}
			for field, values := range shown {
				form[field] = values
			}
			test.change(form)
			a.decision = nil
			got := answerAsking(handler, form, test.site, test.cookie)
			if got.Code != test.status || fmt.Sprintf("%+v", a.decision) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("got %d with the decision %+v, want %d with %+v", got.Code, a.decision, test.status, test.want)
			}
			if isPage := strings.Contains(got.Body.String(), `action="/o/ask/1"`); isPage != (test.status == 200 && test.want == nil) {
				t.Errorf("got the page: %t:\n%s", isPage, got.Body)
			}
		})
	}
}

// TestB03_AskConsentShowsSomethingElse answers a page of another request, or one that
// showed something else.
func TestB03_AskConsentShowsSomethingElse(t *testing.T) {
	for name, change := range map[string]func(form *oauthhttp.ConsentForm){
		"another request":     func(form *oauthhttp.ConsentForm) { form.ID = "2" },
		"another page":        func(form *oauthhttp.ConsentForm) { form.Action = "/o/ask/2" },
		"another text":        func(form *oauthhttp.ConsentForm) { form.Intro = "" },
		"another word in it":  func(form *oauthhttp.ConsentForm) { form.IntroArgs = []any{"x"} },
		"a library's request": func(form *oauthhttp.ConsentForm) { form.ID, form.Action = "", "1" },
	} {
		a, handler := newAsking(t, oauthhttp.Config{})
		_, form, cookie := openAsking(t, handler)
		form.Set("decision", "allow")
		change(&a.form)
		if got := answerAsking(handler, form, "same-origin", cookie); got.Code < 400 || a.decision != nil {
			t.Errorf("%s: got %d with the decision %+v, want a refusal", name, got.Code, a.decision)
		}
	}
}

// TestAskConsentAgain answers without a scope, and lets the endpoint read the body.
func TestAskConsentAgain(t *testing.T) {
	a, handler := newAsking(t, oauthhttp.Config{UserChoosesScopes: true})
	a.form.AcceptRemembered = true
	a.readBody = true
	_, form, cookie := openAsking(t, handler)
	form.Set("decision", "allow")
	if got := answerAsking(handler, form, "same-origin", cookie); got.Code != http.StatusOK || a.decision != nil {
		t.Errorf("got %d with the decision %+v, want the page, since the endpoint has read the form", got.Code, a.decision)
	}
	a.readBody = false
	if got := answerAsking(handler, form, "same-origin", cookie); got.Code != http.StatusOK || a.decision == nil {
		t.Errorf("got %d with the decision %+v, want one: openid is always allowed", got.Code, a.decision)
	}
	if err := a.provider.Approve(t.Context(), &oauthkit.ConsentRequest{Application: &oauthkit.AbstractApplication{ClientID: "web"}},
		&oauthkit.User{Subject: "alice"}, oauthkit.Decision{Denied: true}, func(*oauthkit.Approval) error {
			t.Error("a denied request was approved")
			return nil
		}); oauthkit.CodeOf(err) != oauthkit.AccessDenied {
		t.Errorf("got %v for a denial, want access_denied", err)
	}
	for _, form := range []oauthhttp.ConsentForm{{Action: askPath}, {ID: "1"}, {ID: "1", Action: "https://evil.test/o/ask"}, {ID: "1", Action: "//evil.test"}} {
		a.form, a.err = form, nil
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test"+askPath, nil))
		if recorder.Code != http.StatusInternalServerError || a.err == nil {
			t.Errorf("%+v: got %d, %v; want an error", form, recorder.Code, a.err)
		}
	}
}

// TestAskConsentTrusted asks users about an application that the operator trusts, unless
// the extension accepts that.
func TestAskConsentTrusted(t *testing.T) {
	a, handler := newAsking(t, oauthhttp.Config{})
	a.app = &oauthkit.AbstractApplication{
		ClientID: "trusted", ClientType: oauthkit.Confidential, SkipAuthorization: true,
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid", "read"},
	}
	if openAsking(t, handler); a.decision != nil {
		t.Errorf("got the decision %+v, want the page", a.decision)
	}
	a.form.AcceptRemembered = true
	if openAsking(t, handler); a.decision == nil || a.decision.Given {
		t.Errorf("got the decision %+v, want one without a question", a.decision)
	}
}
