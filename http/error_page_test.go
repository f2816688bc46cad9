package oauthhttp_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// mark is sent with every request and must not be on an error page.
const mark = "<b>marked</b>"

// wayToErrorPage is a request that leads to an error page.
type wayToErrorPage struct {
	reason  oauthkit.Reason
	status  int
	heading string // the key of its text
	// request returns the request of the browser of m, in which alice is signed in.
	request func(m *managed) *http.Request
}

// waysToErrorPages returns all requests except those that need another provider:
// failures, and a site without a login page.
func waysToErrorPages() map[string]wayToErrorPage {
	const request, denied, expired = "error.request.heading", "error.denied.heading", "error.form.heading"
	get := func(path string) func(*managed) *http.Request {
		return func(m *managed) *http.Request { return m.sent(http.MethodGet, path, nil) }
	}
	post := func(path string, form url.Values) func(*managed) *http.Request {
		return func(m *managed) *http.Request { return m.sent(http.MethodPost, path, form) }
	}
	large := url.Values{"a": {strings.Repeat("x", 70<<10)}}
	return map[string]wayToErrorPage{
		"no client_id":             {oauthkit.ReasonApplicationUnknown, 400, request, get("/o/authorize?scope=" + url.QueryEscape(mark))},
		"an unknown client_id":     {oauthkit.ReasonApplicationUnknown, 400, request, get("/o/authorize?client_id=" + url.QueryEscape(mark))},
		"no redirect_uri":          {oauthkit.ReasonRedirectURIMismatch, 400, request, get("/o/authorize?client_id=printer")},
		"an unknown redirect_uri":  {oauthkit.ReasonRedirectURIMismatch, 400, request, get("/o/authorize?client_id=printer&redirect_uri=https://evil.test/" + url.QueryEscape(mark))},
		"no form":                  {oauthkit.ReasonMalformedRequest, 400, request, get("/o/authorize?a=%zz" + url.QueryEscape(mark))},
		"a list after no id":       {oauthkit.ReasonMalformedRequest, 400, request, get("/o/applications?after=%00" + url.QueryEscape(mark))},
		"a repeated field":         {oauthkit.ReasonMalformedRequest, 400, request, post("/o/consent", url.Values{"token": {mark, mark}})},
		"a large body":             {oauthkit.ReasonTooLarge, 413, request, post("/o/consent", large)},
		"many redirect URIs":       {oauthkit.ReasonTooLarge, 400, request, formOf("/o/applications/register", url.Values{"redirect_uris": {strings.Repeat(mark+" ", 101)}})},
		"no interaction":           {oauthkit.ReasonRequestExpired, 404, denied, get("/o/consent?interaction=" + url.QueryEscape(mark))},
		"another browser":          {oauthkit.ReasonOtherBrowser, 403, denied, func(m *managed) *http.Request { return withoutCookie(get(m.asked())(m)) }},
		"a decision without token": {oauthkit.ReasonFormExpired, 403, expired, func(m *managed) *http.Request { return post("/o/consent", m.decision(m.asked(), "allow", mark))(m) }},
		"no decision":              {oauthkit.ReasonNothingChosen, 400, request, func(m *managed) *http.Request { return post("/o/consent", m.decision(m.asked(), mark, ""))(m) }},
		"a second decision": {oauthkit.ReasonRequestAnswered, 409, denied, func(m *managed) *http.Request {
			form := m.decision(m.asked(), "deny", "")
			m.handler.ServeHTTP(httptest.NewRecorder(), post("/o/consent", form)(m))
			return post("/o/consent", form)(m)
		}},
		"another site's form":         {oauthkit.ReasonCrossSite, 403, denied, func(m *managed) *http.Request { return fromElsewhere(post("/o/consent", nil)(m)) }},
		"a form without token":        {oauthkit.ReasonFormExpired, 403, expired, post("/o/applications/register", url.Values{"name": {mark}})},
		"a user who may not register": {oauthkit.ReasonMayNotRegister, 403, denied, asCarol(get("/o/applications/register"))},
		"too many applications":       {oauthkit.ReasonTooManyApplications, 403, denied, afterMany(formOf("/o/applications/register", url.Values{"redirect_uris": {"https://rp.test/marked"}}))},
		"a secret of a public one":    {oauthkit.ReasonNotFound, 404, denied, get("/o/applications/app/secret")},
		"another user's application":  {oauthkit.ReasonNotFound, 404, denied, asCarol(get("/o/applications/printer/delete"))},
		"no such application":         {oauthkit.ReasonNotFound, 404, denied, get("/o/applications/" + url.PathEscape(mark))},
		"an unknown connection":       {oauthkit.ReasonNotFound, 404, denied, get("/o/authorized_tokens/printer/delete")},
		"no page":                     {oauthkit.ReasonNotFound, 404, denied, get("/o/" + url.PathEscape(mark))},
		"another method":              {oauthkit.ReasonMethodNotAllowed, 405, request, func(m *managed) *http.Request { return m.sent(http.MethodPut, "/o/consent", nil) }},
	}
}

// TestErrorPages sends each request in both languages.
func TestErrorPages(t *testing.T) {
	for name, way := range waysToErrorPages() {
		for _, language := range []string{"en", "de"} {
			t.Run(name+" "+language, func(t *testing.T) {
				m := newManaged(t)
				m.language = language
				m.add("printer", nil)
				m.add("app", public)
				recorder := httptest.NewRecorder()
				m.handler.ServeHTTP(recorder, way.request(m))
				checkErrorPage(t, recorder, language, way)
			})
		}
	}
}

func checkErrorPage(t *testing.T, recorder *httptest.ResponseRecorder, language string, want wayToErrorPage) {
	t.Helper()
	page, texts := html.UnescapeString(recorder.Body.String()), readTexts(t, language)
	if recorder.Code != want.status {
		t.Errorf("got %d, want %d", recorder.Code, want.status)
	}
	for _, shown := range []string{
		`<html lang="` + language + `">`, "<h1>" + texts[want.heading] + "</h1>", "<p>" + texts[reasonText+string(want.reason)] + "</p>",
		"<dd><code>" + string(want.reason) + "</code></dd>", "<dt>" + texts["error.reference"] + "</dt><dd><code>",
	} {
		if !strings.Contains(page, shown) {
			t.Errorf("got a page without %s:\n%s", shown, page)
		}
	}
	if strings.Contains(page, "marked") {
		t.Errorf("got a part of the request on the page:\n%s", page)
	}
}

// public makes an application public.
func public(app *logoApplication) { app.ClientType = oauthkit.Public }

// sent returns a request as alice's browser sends it from the provider's own pages.
func (m *managed) sent(method, path string, form url.Values) *http.Request {
	m.Helper()
	request := httptest.NewRequestWithContext(m.Context(), method, "https://as.test"+path, strings.NewReader(form.Encode()))
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Cookie": m.cookie, "Accept-Language": m.language,
		"Sec-Fetch-Site": "same-origin", "Referer": "https://as.test/" + url.PathEscape(mark), "X-Request-Id": mark,
	} {
		request.Header.Set(name, value)
	}
	return request
}

// asked returns the path of the consent page for a request of the application
// printer.
func (m *managed) asked() string {
	m.Helper()
	return m.do(http.StatusSeeOther, http.MethodGet, "/o/authorize?client_id=printer&redirect_uri=https://printer.test/cb&response_type=code&scope=read"+
		"&code_challenge_method=S256&code_challenge="+challenge, "", "").Header().Get("Location")
}

// decision returns the form of a consent page with a decision. If otherToken is not
// empty, it replaces the token.
func (m *managed) decision(path, decision, otherToken string) url.Values {
	m.Helper()
	page := m.do(http.StatusOK, http.MethodGet, path, "", "").Body.String()
	form := url.Values{"interaction": {valueOf(page, "interaction")}, "token": {valueOf(page, "token")}, "decision": {decision}}
	if otherToken != "" {
		form.Set("token", otherToken)
	}
	return form
}

// formOf sends a form of the provider's with the token of its page.
func formOf(path string, form url.Values) func(*managed) *http.Request {
	return func(m *managed) *http.Request {
		form = url.Values{"token": {valueOf(m.get(path), "token")}, "redirect_uris": form["redirect_uris"], "client_type": {"confidential"}, "fields.agree": {"true"}}
		return m.sent(http.MethodPost, path, form)
	}
}

// afterMany registers as many applications of alice as an owner may have.
func afterMany(request func(*managed) *http.Request) func(*managed) *http.Request {
	return func(m *managed) *http.Request {
		for i := range 98 { // printer and app exist
			m.add(fmt.Sprint("many-", i), nil)
		}
		return request(m)
	}
}

func withoutCookie(request *http.Request) *http.Request {
	request.Header.Del("Cookie")
	return request
}

func fromElsewhere(request *http.Request) *http.Request {
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	request.Header.Set("Origin", "https://"+mark)
	return request
}

// asCarol signs in carol, who may not register applications.
func asCarol(request func(*managed) *http.Request) func(*managed) *http.Request {
	return func(m *managed) *http.Request {
		m.user = &oauthkit.User{Subject: "carol"}
		return request(m)
	}
}

// TestDetailElsewhere checks that the developer gets the same detail if the host has
// mounted the endpoint at another address, and only from that endpoint.
func TestDetailElsewhere(t *testing.T) {
	m := newManaged(t)
	handler := m.handlerWith(func(*oauthhttp.Config) {})
	for path, want := range map[string]bool{"authorize": true, "consent": false} {
		recorder := httptest.NewRecorder()
		handler.Endpoint(path).ServeHTTP(recorder, m.sent(http.MethodGet, "/sign-in/?client_id=nobody", nil))
		if got := strings.Contains(recorder.Body.String(), readTexts(t, "en")["error.detail"]); got != want {
			t.Errorf("%s: got %s, with a detail: %t, want %t", path, recorder.Body, got, want)
		}
	}
}
