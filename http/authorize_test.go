package oauthhttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

func TestMustSignIn(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	minute, zero := time.Minute, time.Duration(0)
	began := now.Add(-10 * time.Second)
	at := func(signedIn time.Time) *oauthkit.User { return &oauthkit.User{Subject: "alice", AuthTime: signedIn} }
	const yes, no, refused = "sign in", "proceed", "refused"
	gold := func(silent bool) oauthkit.AuthorizeRequest {
		return oauthkit.AuthorizeRequest{RequiredACR: []string{"gold", "silver"}, Silent: silent}
	}
	class := func(user *oauthkit.User, acr string) *oauthkit.User {
		user.ACR = acr
		return user
	}
	tests := map[string]struct {
		request oauthkit.AuthorizeRequest
		user    *oauthkit.User
		since   time.Time
		want    string
	}{
		"no user":                                  {user: nil, want: yes},
		"no user, silent":                          {request: oauthkit.AuthorizeRequest{Silent: true}, want: refused},
		"a user":                                   {user: at(now.Add(-time.Hour)), want: no},
		"a user, time unknown":                     {user: at(time.Time{}), want: no},
		"another user is requested":                {request: oauthkit.AuthorizeRequest{Subject: "bob"}, user: at(now), want: refused},
		"A-23 login":                               {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(now.Add(-time.Second)), want: yes},
		"A-23 login, a moment ago":                 {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(now), want: yes},
		"A-23 login, clock ahead":                  {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(now.Add(time.Minute)), want: yes},
		"A-23 login, time unknown":                 {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(time.Time{}), want: refused},
		"A-23 login, pending, not signed in":       {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(began), since: began, want: yes},
		"A-23 login, pending, signed in since":     {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: at(began.Add(time.Second)), since: began, want: no},
		"A-24 young enough":                        {request: oauthkit.AuthorizeRequest{MaxAge: &minute}, user: at(now.Add(-minute)), want: no},
		"A-24 too old":                             {request: oauthkit.AuthorizeRequest{MaxAge: &minute}, user: at(now.Add(-minute - time.Second)), want: yes},
		"A-24 zero":                                {request: oauthkit.AuthorizeRequest{MaxAge: &zero}, user: at(now), want: yes},
		"A-24 zero, pending, signed in since":      {request: oauthkit.AuthorizeRequest{MaxAge: &zero}, user: at(now), since: began, want: no},
		"A-30 acr":                                 {request: gold(false), user: class(at(now), "silver"), want: no},
		"A-30 other acr":                           {request: gold(false), user: class(at(now), "bronze"), want: yes},
		"A-30 other acr, silent":                   {request: gold(true), user: class(at(now), "bronze"), want: refused},
		"A-30 other acr, time unknown":             {request: gold(false), user: class(at(time.Time{}), ""), want: refused},
		"A-30 other acr, pending, not signed in":   {request: gold(false), user: class(at(began), ""), since: began, want: yes},
		"A-30 other acr, pending, signed in since": {request: gold(false), user: class(at(now), "bronze"), since: began, want: refused},
		"A-30 acr, pending, signed in since":       {request: gold(false), user: class(at(now), "gold"), since: began, want: no},
		"A-24 too old, silent":                     {request: oauthkit.AuthorizeRequest{MaxAge: &zero, Silent: true}, user: at(now), want: refused},
	}
	for name, test := range tests {
		test.request.Now = now
		must, err := mustSignIn(&test.request, test.user, test.since)
		got := no
		if must {
			got = yes
		}
		if err != nil {
			got = refused
		}
		if got != test.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, test.want)
		}
		if err != nil && oauthkit.CodeOf(err) != oauthkit.LoginRequired {
			t.Errorf("%s: got %v, want login_required", name, err)
		}
	}
}

func TestReadAuthorizeForm(t *testing.T) {
	tests := map[string]struct {
		method, query, body string
		want                string // encoded, or "refused"
	}{
		"GET":                            {http.MethodGet, "a=1&b=2", "", "a=1&b=2"},
		"POST":                           {http.MethodPost, "", "a=1", "a=1"},
		"A-01 POST with a copy":          {http.MethodPost, "a=1", "a=2", "a=1&a=2"},
		"A-35 semicolon":                 {http.MethodGet, "a=1;b=2", "", "refused"},
		"A-35 bad escape":                {http.MethodGet, "a=%zz", "", "refused"},
		"A-35 too many":                  {http.MethodGet, strings.Repeat("a&", maxParameters) + "b", "", "refused"},
		"RFC 6749 §3.1, without a value": {http.MethodGet, "a=1&request=&b", "", "a=1"},
	}
	for name, test := range tests {
		request := httptest.NewRequest(test.method, "/o/authorize?"+test.query, strings.NewReader(test.body))
		request.Header.Set("Content-Type", formType)
		form, err := readAuthorizeForm(httptest.NewRecorder(), request)
		got := form.Encode()
		if err != nil {
			got = "refused"
		}
		if got != test.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, test.want)
		}
	}
}

func TestFormTargets(t *testing.T) {
	for redirectURI, want := range map[string]string{
		"https://rp.test/cb":   "https: http:",
		"http://[::1]:8000/cb": "https: http:",
		"com.example.cli:/cb":  "https: http: com.example.cli:",
	} {
		if got := formTargets(redirectURI); got != want {
			t.Errorf("%s: got %s, want %s", redirectURI, got, want)
		}
	}
}
