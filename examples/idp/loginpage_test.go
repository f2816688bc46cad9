package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// loginVisit is a browser that an application has sent to the login page.
type loginVisit struct {
	*testSite
	cookies *httptest.ResponseRecorder // of the provider
	address string                     // of the login page
}

// visitLogin registers an application and sends a user with its authorization request.
func visitLogin(t *testing.T, name string, verified bool, parameters url.Values) *loginVisit {
	t.Helper()
	s := newTestSite(t, "https://as.test/o")
	app := &storedApplication{AbstractApplication: oauthkit.AbstractApplication{
		ClientID: "web", Name: name, Verified: verified, ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid"},
	}}
	if err := s.database.store.ApplicationTable.Create(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	v := &loginVisit{testSite: s}
	v.begin(parameters)
	return v
}

// begin sends an authorization request.
func (v *loginVisit) begin(parameters url.Values) {
	v.Helper()
	form := url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://rp.test/cb"}, "scope": {"openid"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	for name, values := range parameters {
		form[name] = values
	}
	began := v.get("/o/authorize?"+form.Encode(), v.cookies)
	v.address = began.Header().Get("Location")
	if !strings.HasPrefix(v.address, "/login?") {
		v.Fatalf("got %d and Location %q, want the login page", began.Code, v.address)
	}
	if v.cookies == nil {
		v.cookies = began
	}
}

// open opens the login page.
func (v *loginVisit) open(address, acceptLanguage string) *httptest.ResponseRecorder {
	v.Helper()
	return v.send(httptest.NewRequestWithContext(v.Context(), http.MethodGet, address, nil), acceptLanguage)
}

// submit submits the login form with a wrong password.
func (v *loginVisit) submit(form url.Values, acceptLanguage string) *httptest.ResponseRecorder {
	v.Helper()
	form.Set("password", "wrong")
	request := httptest.NewRequestWithContext(v.Context(), http.MethodPost, "/login", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(request, acceptLanguage)
}

func (v *loginVisit) send(request *http.Request, acceptLanguage string) *httptest.ResponseRecorder {
	v.Helper()
	request.Header.Set("Accept-Language", acceptLanguage)
	if v.cookies != nil {
		for _, cookie := range v.cookies.Result().Cookies() {
			request.AddCookie(cookie)
		}
	}
	recorder := httptest.NewRecorder()
	v.handler.ServeHTTP(recorder, request)
	return recorder
}

// next returns the parameter next of the login page.
func (v *loginVisit) next() string {
	address, err := url.Parse(v.address)
	if err != nil {
		v.Fatal(err)
	}
	return address.Query().Get("next")
}

// expectPage compares the status, the language, and parts of the page. A part that
// begins with "!" must be absent.
func (v *loginVisit) expectPage(name string, page *httptest.ResponseRecorder, status int, language string, parts ...string) {
	v.Helper()
	body := page.Body.String()
	if page.Code != status || page.Header().Get("Content-Language") != language {
		v.Errorf("%s: got %d in %q, want %d in %q", name, page.Code, page.Header().Get("Content-Language"), status, language)
	}
	for _, part := range append(parts, `<html lang="`+language+`">`, `name="password"`) {
		unwanted, absent := strings.CutPrefix(part, "!")
		if absent == strings.Contains(body, unwanted) {
			v.Errorf("%s: got the page\n%s\nwant %s", name, body, part)
		}
	}
}

// TestLoginPage shows the application, the hint and the language of the request that
// waits, and keeps them after a wrong password.
func TestLoginPage(t *testing.T) {
	v := visitLogin(t, "Web shop", true, url.Values{"login_hint": {"alice"}})
	english := []string{"<h1>Sign in</h1>", `to continue to <strong><q class="name"><bdi>Web shop</bdi></q></strong></p>`, "!Unverified"}
	german := []string{"<h1>Anmelden</h1>", "und weiter zu <strong>", "Web shop"}
	hinted := `name="username" value="alice"`
	v.expectPage("no language", v.open(v.address, ""), http.StatusOK, "en", append(english, hinted)...)
	v.expectPage("browser", v.open(v.address, "de-CH, en;q=0.5"), http.StatusOK, "de", append(german, hinted)...)
	v.expectPage("unknown language", v.open(v.address, "fr"), http.StatusOK, "en", append(english, hinted)...)

	form := url.Values{"next": {v.next()}, "username": {"bob"}}
	failed := v.submit(form, "de")
	typed := `name="username" value="bob"`
	v.expectPage("failed", failed, http.StatusUnauthorized, "de", append(german, typed, "!"+hinted, "Passwort ist falsch", v.next())...)

	for i, test := range []struct{ locales, accept, want string }{
		{"de", "en", "de"}, {"fr de-AT en", "en", "de"}, {"en de", "de", "en"}, {"xx !", "de", "de"}, {"", "de", "de"}, {"", "", "en"},
	} {
		v.begin(url.Values{"ui_locales": {test.locales}})
		name := test.locales + " before " + test.accept
		v.expectPage(name, v.open(v.address, test.accept), http.StatusOK, test.want, `name="username" value=""`)
		username := fmt.Sprintf("user%d", i) // each has their own budget of wrong passwords
		form := url.Values{"next": {v.next()}, "username": {username}}
		v.expectPage(name+", failed", v.submit(form, test.accept), http.StatusUnauthorized, test.want, `value="`+username+`"`, "Web shop")
	}
}

// TestLoginPage_Ordinary shows a login page without an application to visitors that
// none has sent, and to another browser.
func TestLoginPage_Ordinary(t *testing.T) {
	v := visitLogin(t, "Web shop", true, url.Values{"login_hint": {"alice"}})
	nothing := []string{"!Web shop", "!alice", "!continue"}
	address := v.address
	v.expectPage("no next", v.open("/login", ""), http.StatusOK, "en", nothing...)

	management := v.open("/o/applications/?ui_locales=de", "en").Header().Get("Location")
	v.expectPage("management", v.open(management, "en"), http.StatusOK, "de", append(nothing, `name="ui_locales" value="de"`)...)
	form := url.Values{"next": {"/o/applications/"}, "ui_locales": {"de"}}
	v.expectPage("management, failed", v.submit(form, "en"), http.StatusUnauthorized, "de", nothing...)

	v.cookies = nil
	v.expectPage("another browser", v.open(address, ""), http.StatusOK, "en", nothing...)
}

// TestA31_LoginPageMarkup checks that the name and the hint of an application are only
// text, and that a name without verification is marked.
func TestA31_LoginPageMarkup(t *testing.T) {
	const script, escaped = `"><img src=x onerror=1>`, `&#34;&gt;&lt;img src=x onerror=1&gt;`
	v := visitLogin(t, script, false, url.Values{"login_hint": {script}, "acr_values": {script}})
	v.expectPage("page", v.open(v.address, ""), http.StatusOK, "en",
		"!<img", "<bdi>"+escaped+"</bdi>", `name="username" value="`+escaped+`"`, `<span class="badge warning">Unverified</span>`)
	form := url.Values{"next": {v.next()}, "username": {script}, "ui_locales": {script}}
	v.expectPage("failed", v.submit(form, ""), http.StatusUnauthorized, "en", "!<img", `value="`+escaped+`"`)
}

// TestLoginPage_StoreFails expects 503, since the page cannot tell whether a request
// waits, and no hint in the log.
func TestLoginPage_StoreFails(t *testing.T) {
	v := visitLogin(t, "Web shop", true, url.Values{"login_hint": {"somebody-at-home"}})
	if err := v.database.db.Exec("ALTER TABLE oauth_applications RENAME TO elsewhere").Error; err != nil {
		t.Fatal(err)
	}
	page := v.open(v.address, "")
	if page.Code != http.StatusServiceUnavailable || page.Header().Get("Retry-After") == "" {
		t.Errorf("got %d with Retry-After %q, want 503", page.Code, page.Header().Get("Retry-After"))
	}
	if !strings.Contains(v.log.String(), "page failed") || strings.Contains(v.log.String(), "somebody-at-home") {
		t.Errorf("got the log\n%s\nwant the failure without the hint", &v.log)
	}
}
