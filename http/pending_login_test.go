package oauthhttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// loginStore fails to find applications on request.
type loginStore struct {
	*memstore.Store
	fail bool
}

func (s *loginStore) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	if s.fail {
		return nil, errors.New("the store was made to fail")
	}
	return s.Store.Application(ctx, clientID)
}

// loginSite is a host in which no user is signed in unless a request has the header User.
type loginSite struct {
	*testing.T
	handler *oauthhttp.Handler
	store   *loginStore
	now     time.Time
	block   chan struct{} // if not nil, CurrentUser waits for it
}

func newLoginSite(t *testing.T, maxInFlight int) *loginSite {
	t.Helper()
	s := &loginSite{T: t, store: &loginStore{Store: memstore.New()}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	err := s.store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
		ClientID: "web", Name: "Web shop", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid", "read"},
	}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://as.test/o", s.store, oauthkit.Config{
		Grants: grants.Standard(s.store), Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: s.store})},
		Scopes: oauthkit.StaticScopes{"read": "read your messages"}, Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = mustHandler(t, provider, oauthhttp.Config{
		LoginURL: "/login", MaxInFlight: maxInFlight,
		CurrentUser: func(r *http.Request) (*oauthkit.User, error) {
			if s.block != nil {
				<-s.block
			}
			if subject := r.Header.Get("User"); subject != "" {
				return &oauthkit.User{Subject: subject, AuthTime: s.now}, nil
			}
			return nil, nil
		},
	})
	return s
}

// authorize sends an authorization request. It returns the path that leads back to it
// and the cookies of the browser.
func (s *loginSite) authorize(subject, parameters string) (next string, cookies []*http.Cookie) {
	s.Helper()
	request := httptest.NewRequest(http.MethodGet, authorizeAddress()+parameters, nil)
	request.Header.Set("User", subject)
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	location, err := url.Parse(recorder.Header().Get("Location"))
	if err != nil || recorder.Code != http.StatusSeeOther {
		s.Fatalf("got %d, %v, want a redirect", recorder.Code, err)
	}
	if subject == "" {
		return location.Query().Get("next"), recorder.Result().Cookies()
	}
	return location.RequestURI(), recorder.Result().Cookies()
}

// open returns a request for the login page.
func open(next string, cookies []*http.Cookie) *http.Request {
	request := httptest.NewRequest(http.MethodGet, "https://as.test/login?"+url.Values{"next": {next}}.Encode(), nil)
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	return request
}

// submit returns a request with the form of the login page.
func submit(next string, cookies []*http.Cookie) *http.Request {
	form := url.Values{"next": {next}, "password": {"x"}}
	request := httptest.NewRequest(http.MethodPost, "https://as.test/login", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	return request
}

// TestPendingLogin checks the fields of a request, whether it waits for a sign-in or for
// a decision, and whether the login page is shown or its form is submitted.
func TestPendingLogin(t *testing.T) {
	const parameters = "&login_hint=alice%40example.test&acr_values=gold+silver&display=popup&prompt=login+consent&ui_locales=de-CH+fr&max_age=60"
	age := time.Minute
	want := oauthhttp.PendingRequest[oauthkit.Application]{
		Scopes: oauthkit.Scopes{"openid", "read"}, LoginHint: "alice@example.test", ACRValues: []string{"gold", "silver"}, Display: "popup",
		Prompt: []string{"login", "consent"}, UILocales: []string{"de-CH", "fr"}, MaxAge: &age,
	}
	s := newLoginSite(t, 0)
	next, cookies := s.authorize("", parameters)
	stored, storedCookies := s.authorize("alice", "&login_hint=alice%40example.test&prompt=consent")
	for name, test := range map[string]struct {
		request *http.Request
		next    string
	}{
		"sealed, page":  {open(next, cookies), next},
		"sealed, form":  {submit(next, cookies), next},
		"stored, page":  {open(stored, storedCookies), stored},
		"stored, form":  {submit(stored, storedCookies), stored},
		"sealed, again": {open(next, cookies), next},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := oauthhttp.PendingLogin[*oauthkit.AbstractApplication](s.handler, test.request)
			if err != nil || got == nil {
				t.Fatalf("got %v, %v, want a request", got, err)
			}
			want := want
			want.Next = test.next
			if test.next == stored {
				want.ACRValues, want.Display, want.Prompt, want.UILocales, want.MaxAge = []string{}, "", []string{"consent"}, []string{}, nil
			}
			if got.Application.Name != "Web shop" {
				t.Errorf("got the application %q, want Web shop", got.Application.Name)
			}
			all := oauthhttp.PendingRequest[oauthkit.Application]{
				Scopes: got.Scopes, LoginHint: got.LoginHint, ACRValues: got.ACRValues, Display: got.Display,
				Prompt: got.Prompt, UILocales: got.UILocales, MaxAge: got.MaxAge, Next: got.Next,
			}
			if !reflect.DeepEqual(all, want) {
				t.Errorf("got %+v, want %+v", all, want)
			}
		})
	}
}

// TestPendingLogin_None checks that a visitor without a pending request gets none.
func TestPendingLogin_None(t *testing.T) {
	s := newLoginSite(t, 0)
	next, cookies := s.authorize("", "")
	for name, request := range map[string]*http.Request{
		"no next":               httptest.NewRequest(http.MethodGet, "/login", nil),
		"home":                  open("/", cookies),
		"management":            open("/o/applications/", cookies),
		"management, a query":   open("/o/applications/?request="+strings.TrimPrefix(next, "/o/consent?request="), cookies),
		"path of another mount": open("/p"+strings.TrimPrefix(next, "/o"), cookies),
		"another site":          open("//as.test"+next, cookies),
		"consent alone":         open("/o/consent", cookies),
		"no request":            open("/o/consent?", cookies),
		"not form-encoded":      open("/o/consent?request=%zz", cookies),
		"too long":              open(next+"&a="+strings.Repeat("a", 4<<10), cookies),
		"form without next":     submit("", cookies),
	} {
		if got, err := oauthhttp.PendingLogin[oauthkit.Application](s.handler, request); got != nil || err != nil {
			t.Errorf("%s: got %+v, %v, want nothing", name, got, err)
		}
	}
}

type otherApplication struct{ oauthkit.AbstractApplication }

// TestPendingLogin_Errors checks that a failed store and a wrong type are errors, and
// that the request is found again after the store recovers.
func TestPendingLogin_Errors(t *testing.T) {
	s := newLoginSite(t, 0)
	next, cookies := s.authorize("", "&login_hint=alice%40example.test")
	_, err := oauthhttp.PendingLogin[*otherApplication](s.handler, open(next, cookies))
	const want = "oauthhttp: PendingLogin: the application is a *oauthkit.AbstractApplication, want *oauthhttp_test.otherApplication"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	s.store.fail = true
	got, err := oauthhttp.PendingLogin[oauthkit.Application](s.handler, open(next, cookies))
	if got != nil || oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable || strings.Contains(err.Error(), "alice") {
		t.Errorf("got %+v, %v, want an error that the store is not available, without the hint", got, err)
	}
	s.store.fail = false
	if got, err := oauthhttp.PendingLogin[oauthkit.Application](s.handler, open(next, cookies)); got == nil || err != nil {
		t.Errorf("got %+v, %v after the failure, want the request", got, err)
	}
}

// TestPendingLogin_Busy checks that login pages count among the requests in flight, so
// that visitors cannot take every connection to the database.
func TestPendingLogin_Busy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoginSite(t, 1)
		next, cookies := s.authorize("", "")
		s.block = make(chan struct{})
		served := make(chan struct{})
		go func() {
			s.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, authorizeAddress(), nil))
			close(served)
		}()
		synctest.Wait()
		begun := time.Now()
		got, err := oauthhttp.PendingLogin[oauthkit.Application](s.handler, open(next, cookies))
		if got != nil || !errors.Is(err, oauthhttp.ErrBusy) || time.Since(begun) != time.Second {
			t.Errorf("got %+v, %v after %s, want a refusal after a second", got, err, time.Since(begun))
		}
		close(s.block)
		<-served
		for range 3 { // each gives its turn back
			if got, err := oauthhttp.PendingLogin[oauthkit.Application](s.handler, open(next, cookies)); got == nil || err != nil {
				t.Errorf("got %+v, %v, want the request", got, err)
			}
		}
	})
}
