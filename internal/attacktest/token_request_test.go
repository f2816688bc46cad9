package attacktest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

const formType = "application/x-www-form-urlencoded"

// TestTokenRequest tests the form of a token request. An ambiguous request
// is refused.
func TestTokenRequest(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "T-01 methods", Test: tokenMethods},
		{Name: "T-02 media types", Test: tokenMediaTypes},
		{Name: "T-03 parameters in the URL", Test: tokenURL},
		{Name: "T-04 repeated parameter", Test: repeatedTokenParameter},
		{Name: "T-05 malformed form", Test: malformedForm},
		{Name: "T-06 grant types", Test: unsupportedGrantTypes},
		{Name: "T-07 size", Test: oversizedForm},
		{Name: "T-08 NUL", Test: func(t *testing.T, s *fixture.Server) { refuseText(t, s, "\x00", "a\x00b", "a\x00") }},
		{Name: "T-09 not UTF-8", Test: func(t *testing.T, s *fixture.Server) {
			refuseText(t, s, "\xff\xfe", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "a\x80")
		}},
		{Name: "T-25 compressed body", Test: func(_ *testing.T, s *fixture.Server) {
			for _, encoding := range []string{"gzip", "deflate", "br", "identity", "x"} {
				request := withBody(s.Service, formType, "grant_type=client_credentials")
				request.Header.Set("Content-Encoding", encoding)
				s.Do(request).ErrorJSON(415, "invalid_request")
			}
		}},
	})
}

// withBody returns a token request of an application with this exact body. If
// contentType is empty, it has no such header.
func withBody(client *fixture.Client, contentType, body string) *http.Request {
	request := client.Request("/o/token", nil)
	request.ContentLength = int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	request.Body, _ = request.GetBody() // never fails
	request.Header.Del("Content-Type")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return request
}

func tokenMethods(t *testing.T, s *fixture.Server) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		request := s.Service.Request("/o/token?grant_type=client_credentials", url.Values{"grant_type": {"client_credentials"}})
		request.Method = method
		answer := s.Do(request) // Do expects Cache-Control: no-store
		if answer.Status != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: got %d, Allow %q, want 405, POST", method, answer.Status, answer.Header.Get("Allow"))
		}
		if method != http.MethodHead {
			answer.ErrorJSON(405, "invalid_request")
		}
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got store calls %v, want none", calls)
	}
}

func tokenMediaTypes(_ *testing.T, s *fixture.Server) {
	const form = "grant_type=client_credentials"
	for contentType, body := range map[string]string{
		"application/json":                `{"grant_type":"client_credentials"}`,
		"multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n",
		"text/plain":                      form,
		"":                                form,
		"nonsense":                        form,
		formType + "x":                    form,
		formType + "; charset=utf-16":     form,
		formType + "; charset=iso-8859-1": form,
		formType + ", application/json":   form,
	} {
		s.Do(withBody(s.Service, contentType, body)).ErrorJSON(415, "invalid_request")
	}
	twice := withBody(s.Service, formType, form)
	twice.Header.Add("Content-Type", "application/json")
	s.Do(twice).ErrorJSON(415, "invalid_request")
	for _, contentType := range []string{formType, formType + ";charset=utf-8", formType + `; charset="UTF-8"`, "Application/X-WWW-Form-URLEncoded"} {
		s.Do(withBody(s.Service, contentType, form)).Tokens()
	}
}

func tokenURL(_ *testing.T, s *fixture.Server) {
	credentials := url.Values{"client_id": {"webp"}, "client_secret": {s.WebPost.Secret}, "grant_type": {"client_credentials"}}
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token?"+credentials.Encode(), nil)).Unauthorized()
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token?client_secret="+s.WebPost.Secret, url.Values{
		"client_id": {"webp"}, "grant_type": {"client_credentials"},
	})).Unauthorized()
	s.Do(s.Service.Request("/o/token?grant_type=client_credentials", nil)).ErrorJSON(400, "invalid_request")
	s.Do(s.Service.Request("/o/token?grant_type=password&scope=nonsense&client_id=web&%zz", url.Values{
		"grant_type": {"client_credentials"},
	})).Tokens()
}

func repeatedTokenParameter(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.WebPost.AuthorizeRequest()).Code()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.WebPost.RedirectURI}, "code_verifier": {fixture.Verifier},
		"client_id": {s.WebPost.ID}, "client_secret": {s.WebPost.Secret}, "scope": {"openid"}, "unknown": {"x"},
	}
	s.Store.ClearCalls()
	for name, values := range form {
		for _, second := range []string{values[0], "another", ""} {
			s.WebPost.Redeem(code, name+"="+values[0], "+"+name+"="+second).ErrorJSON(400, "invalid_request")
		}
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got store calls %v, want none", calls)
	}
	s.WebPost.Send("/o/token", form).Tokens()
}

func malformedForm(_ *testing.T, s *fixture.Server) {
	const good = "grant_type=client_credentials"
	for _, body := range []string{"grant_type=client_credentials;client_id=svc", good + ";a=b", good + "&a=%zz", "%zz&" + good, good + "&a=%", good + "&a=%0", "%=x&" + good} {
		s.Do(withBody(s.Service, formType, body)).ErrorJSON(400, "invalid_request")
	}
	for _, body := range []string{good + "&", "&&" + good, good + "&a", good + "&=x", good + "&a==b"} {
		s.Do(withBody(s.Service, formType, body)).Tokens() // unusual but unambiguous
	}
}

func unsupportedGrantTypes(_ *testing.T, s *fixture.Server) {
	for _, grantType := range []string{
		"password", "implicit", "foo", "Authorization_Code", "authorization_code ", "CLIENT_CREDENTIALS", "authorization_code,client_credentials", "code",
		"urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba",
	} {
		s.Web.ClientCredentials("grant_type="+grantType, "username=alice", "password=x").ErrorJSON(400, "unsupported_grant_type")
	}
	s.Web.ClientCredentials("grant_type").ErrorJSON(400, "invalid_request")
	s.Web.ClientCredentials("grant_type=").ErrorJSON(400, "invalid_request")
	s.Web.ClientCredentials().ErrorJSON(400, "unauthorized_client")
	s.Service.Redeem("oac_x").ErrorJSON(400, "unauthorized_client")
	s.Service.Refresh("ort_x").ErrorJSON(400, "unauthorized_client")
}

// oversizedForm tests each limit and a value just above it.
func oversizedForm(_ *testing.T, s *fixture.Server) {
	form := "grant_type=client_credentials"
	value := form + "&value=" + strings.Repeat("x", 8<<10)
	body, parameters := form, form
	for i := range 8 {
		body += fmt.Sprintf("&p%d=%s", i, strings.Repeat("x", 8000))
	}
	body += "&rest=" + strings.Repeat("x", 64<<10-len(body+"&rest="))
	for i := range 999 {
		parameters += fmt.Sprintf("&p%d=x", i)
	}
	s.Do(withBody(s.Service, formType, value)).Tokens()
	s.Do(withBody(s.Service, formType, value+"x")).ErrorJSON(400, "invalid_request")
	s.Do(withBody(s.Service, formType, parameters)).Tokens()
	s.Do(withBody(s.Service, formType, parameters+"&more=x")).ErrorJSON(400, "invalid_request")
	s.Do(withBody(s.Service, formType, body)).Tokens()
	s.Do(withBody(s.Service, formType, body+"x")).ErrorJSON(413, "invalid_request")
	s.Do(withBody(s.Service, formType, strings.Repeat("x", 1<<20))).ErrorJSON(413, "invalid_request")
}

// refuseText sends values that no database stores as text in each parameter that
// would reach one.
func refuseText(t *testing.T, s *fixture.Server, values ...string) {
	requests := map[string]func(override string) *fixture.Answer{
		"code":          func(o string) *fixture.Answer { return s.Web.Redeem("", o) },
		"code_verifier": func(o string) *fixture.Answer { return s.Web.Redeem("oac_x", o) },
		"redirect_uri":  func(o string) *fixture.Answer { return s.Web.Redeem("oac_x", o) },
		"refresh_token": func(o string) *fixture.Answer { return s.Web.Refresh("", o) },
		"scope":         func(o string) *fixture.Answer { return s.Service.ClientCredentials(o) },
		"grant_type":    func(o string) *fixture.Answer { return s.Service.ClientCredentials(o) },
		"device_code": func(o string) *fixture.Answer {
			return s.Web.ClientCredentials("grant_type=urn:ietf:params:oauth:grant-type:device_code", o)
		},
		"client_id":     func(o string) *fixture.Answer { return s.WebPost.ClientCredentials(o) },
		"client_secret": func(o string) *fixture.Answer { return s.WebPost.ClientCredentials(o) },
		"token":         func(o string) *fixture.Answer { return s.RS.Introspect("", o) },
	}
	for name, request := range requests {
		for _, value := range values {
			request(name+"="+value).ErrorJSON(400, "invalid_request")
		}
	}
	for _, value := range values {
		s.Web.Revoke(value).ErrorJSON(400, "invalid_request")
		for _, credentials := range [][2]string{{value, "x"}, {"web", value}, {"web" + value, s.Web.Secret}, {"web", s.Web.Secret + value}} {
			request := s.Web.Request("/o/token", url.Values{"grant_type": {"client_credentials"}})
			request.SetBasicAuth(url.QueryEscape(credentials[0]), url.QueryEscape(credentials[1]))
			s.Do(request).Unauthorized()
			request.SetBasicAuth(credentials[0], credentials[1]) // not form-encoded
			request.Body, _ = request.GetBody()                  // never fails
			s.Do(request).Unauthorized()
		}
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got store calls %v, want none", calls)
	}
}
