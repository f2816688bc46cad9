package oauthhttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

func TestDemanded(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	minute, zero := time.Minute, time.Duration(0)
	began := now.Add(-10 * time.Second)
	at := func(signedIn time.Time) *oauthkit.User { return &oauthkit.User{Subject: "alice", AuthTime: signedIn} }
	selected := func(user *oauthkit.User, at time.Time) *oauthkit.User {
		user.SelectedAt = at
		return user
	}
	class := func(user *oauthkit.User, acr string) *oauthkit.User {
		user.ACR = acr
		return user
	}
	const yes, no, refused, unmet = "login", "", "login_required", "unmet_authentication_requirements"
	gold := func(silent bool) oauthkit.AuthorizeRequest {
		return oauthkit.AuthorizeRequest{RequiredACR: []string{"gold", "silver"}, PreferredACR: []string{"gold"}, Silent: silent}
	}
	preferred := func(silent bool) oauthkit.AuthorizeRequest {
		return oauthkit.AuthorizeRequest{PreferredACR: []string{"gold", "silver"}, Silent: silent}
	}
	account, both, signUp := oauthkit.AuthorizeRequest{AskAccount: true}, oauthkit.AuthorizeRequest{AskAccount: true, AskSignIn: true}, oauthkit.AuthorizeRequest{AskSignUp: true}
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
		"A-23 login, pending, selected since":      {request: oauthkit.AuthorizeRequest{AskSignIn: true}, user: selected(at(began), now), since: began, want: yes},
		"A-23 select_account":                      {request: account, user: selected(at(now), now), want: "select_account"},
		"A-23 select_account, no user":             {request: account, want: "select_account"},
		"A-23 select_account, times unknown":       {request: account, user: at(time.Time{}), want: refused},
		"A-23 select_account, pending":             {request: account, user: selected(at(began), began), since: began, want: "select_account"},
		"A-23 select_account, selected":            {request: account, user: selected(at(time.Time{}), now), since: began, want: no},
		"A-23 select_account, signed in":           {request: account, user: at(now), since: began, want: no},
		"A-23 login select_account":                {request: both, user: at(began), since: began, want: "select_account"},
		"A-23 login select_account, selected":      {request: both, user: selected(at(began), now), since: began, want: yes},
		"A-23 login select_account, signed in":     {request: both, user: at(now), since: began, want: no},
		"create":                                   {request: signUp, user: at(now), want: "create"},
		"create, no user":                          {request: signUp, want: "create"},
		"create, signed in":                        {request: signUp, user: at(now), since: began, want: no},
		"A-24 young enough":                        {request: oauthkit.AuthorizeRequest{MaxAge: &minute}, user: at(now.Add(-minute)), want: no},
		"A-24 too old":                             {request: oauthkit.AuthorizeRequest{MaxAge: &minute}, user: at(now.Add(-minute - time.Second)), want: yes},
		"A-24 too old, pending, selected since":    {request: oauthkit.AuthorizeRequest{MaxAge: &minute, AskAccount: true}, user: selected(at(now.Add(-time.Hour)), now), since: began, want: yes},
		"A-24 zero":                                {request: oauthkit.AuthorizeRequest{MaxAge: &zero}, user: at(now), want: yes},
		"A-24 zero, pending, signed in since":      {request: oauthkit.AuthorizeRequest{MaxAge: &zero}, user: at(now), since: began, want: no},
		"A-30 acr":                                 {request: gold(false), user: class(at(now), "silver"), want: no},
		"A-30 other acr":                           {request: gold(false), user: class(at(now), "bronze"), want: yes},
		"A-30 other acr, silent":                   {request: gold(true), user: class(at(now), "bronze"), want: refused},
		"A-30 other acr, time unknown":             {request: gold(false), user: class(at(time.Time{}), ""), want: unmet},
		"A-30 other acr, pending, not signed in":   {request: gold(false), user: class(at(began), ""), since: began, want: yes},
		"A-30 other acr, pending, signed in since": {request: gold(false), user: class(at(now), "bronze"), since: began, want: unmet},
		"A-30 acr, pending, signed in since":       {request: gold(false), user: class(at(now), "gold"), since: began, want: no},
		"A-31 preferred acr":                       {request: preferred(false), user: class(at(now), "silver"), want: no},
		"A-31 other acr":                           {request: preferred(false), user: class(at(now), "bronze"), want: yes},
		"A-31 other acr, silent":                   {request: preferred(true), user: class(at(now), "bronze"), want: no},
		"A-31 other acr, time unknown":             {request: preferred(false), user: class(at(time.Time{}), "bronze"), want: no},
		"A-31 other acr, pending, not signed in":   {request: preferred(false), user: class(at(began), "bronze"), since: began, want: no},
		"A-31 other acr, pending, signed in since": {request: preferred(false), user: class(at(now), "bronze"), since: began, want: no},
		"A-24 too old, silent":                     {request: oauthkit.AuthorizeRequest{MaxAge: &zero, Silent: true}, user: at(now), want: refused},
	}
	handler := &Handler{config: Config{SignUpURL: "/sign-up"}}
	for name, test := range tests {
		test.request.Now = now
		must, err := handler.demanded(&test.request, test.user, test.since)
		got := string(must)
		if err != nil {
			got = string(oauthkit.CodeOf(err))
		}
		if got != test.want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, test.want)
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
