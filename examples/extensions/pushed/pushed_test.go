package pushed_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/examples/extensions/pushed"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// site is a provider on which alice is signed in.
type site struct {
	*testing.T
	issuer  string
	secrets map[string]string
	now     time.Time
}

func newSite(t *testing.T) *site {
	s := &site{T: t, secrets: map[string]string{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	store := memstore.New()
	for _, id := range []string{"shop", "other"} {
		app := &oauthkit.AbstractApplication{
			ClientID: id, ClientType: oauthkit.Confidential, RequirePushedAuthorizationRequests: true,
			GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode},
			RedirectURIs: oauthkit.URIs{"https://" + id + ".test/cb"}, Scopes: oauthkit.Scopes{"read", "write"},
		}
		s.secrets[id] = app.GenerateSecret()
		if err := store.CreateApplication(t.Context(), app, s.now); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	s.issuer = server.URL
	provider, err := oauthkit.New(s.issuer, store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read", "write": "write"},
		Extensions: []oauthkit.Extension{&pushed.Requests{}}, Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler, err = oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) request(id string) url.Values {
	return url.Values{
		"client_id": {id}, "redirect_uri": {"https://" + id + ".test/cb"}, "response_type": {"code"}, "scope": {"read"}, "state": {"pushed"},
		"code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("A", 43)},
	}
}

// push pushes the parameters as the application id and returns the status and the
// members of the response.
func (s *site) push(id string, form url.Values) (int, map[string]any) {
	s.Helper()
	request, err := http.NewRequest(http.MethodPost, s.issuer+"/par", strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, s.secrets[id])
	return s.send(request)
}

func (s *site) send(request *http.Request) (int, map[string]any) {
	s.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	members := map[string]any{"location": response.Header.Get("Location")}
	_ = json.NewDecoder(response.Body).Decode(&members) // a page is not JSON
	return response.StatusCode, members
}

// open sends the browser to the authorization endpoint and returns the status and the
// target of a redirect.
func (s *site) open(query url.Values) (int, string) {
	s.Helper()
	request, err := http.NewRequest(http.MethodGet, s.issuer+"/authorize?"+query.Encode(), nil)
	if err != nil {
		s.Fatal(err)
	}
	status, members := s.send(request)
	return status, members["location"].(string)
}

func TestPushedRequest(t *testing.T) {
	s := newSite(t)
	status, pushed := s.push("shop", s.request("shop"))
	if status != http.StatusCreated || pushed["expires_in"] != 60.0 {
		t.Fatalf("got %d %v, want 201", status, pushed)
	}
	uri := pushed["request_uri"].(string)
	// Parameters beside request_uri are ignored: anyone could have added them.
	status, location := s.open(url.Values{
		"client_id": {"shop"}, "request_uri": {uri}, "redirect_uri": {"https://evil.test"}, "state": {"evil"}, "scope": {"write"},
	})
	if status != http.StatusSeeOther || !strings.HasPrefix(location, "/consent?interaction=") {
		t.Errorf("got %d to %s, want the consent page", status, location)
	}
	t.Run("of another application", func(t *testing.T) {
		if status, location := s.open(url.Values{"client_id": {"other"}, "request_uri": {uri}}); status != http.StatusBadRequest {
			t.Errorf("got %d to %s, want an error page", status, location)
		}
	})
	t.Run("expired", func(t *testing.T) {
		s.now = s.now.Add(time.Minute)
		if status, location := s.open(url.Values{"client_id": {"shop"}, "request_uri": {uri}}); status != http.StatusBadRequest {
			t.Errorf("got %d to %s, want an error page", status, location)
		}
	})
}

func TestApplicationMustPush(t *testing.T) {
	s := newSite(t)
	status, location := s.open(s.request("shop"))
	if status != http.StatusSeeOther || !strings.HasPrefix(location, "https://shop.test/cb?error=invalid_request") {
		t.Errorf("got %d to %s, want invalid_request", status, location)
	}
}

func TestPushIsChecked(t *testing.T) {
	s := newSite(t)
	for name, change := range map[string]func(url.Values){
		"redirect_uri":  func(form url.Values) { form.Set("redirect_uri", "https://evil.test/cb") },
		"no challenge":  func(form url.Values) { form.Del("code_challenge") },
		"request_uri":   func(form url.Values) { form.Set("request_uri", "urn:x") },
		"scope":         func(form url.Values) { form.Set("scope", "nonsense") },
		"large":         func(form url.Values) { form.Set("state", strings.Repeat("x", 4096)) },
		"other client":  func(form url.Values) { form.Set("client_id", "other") },
		"response_type": func(form url.Values) { form.Set("response_type", "token") },
	} {
		form := s.request("shop")
		change(form)
		if status, members := s.push("shop", form); status != http.StatusBadRequest || members["error"] == nil {
			t.Errorf("%s: got %d %v, want an error", name, status, members)
		}
	}
	s.secrets["shop"] = "wrong"
	if status, members := s.push("shop", s.request("shop")); status != http.StatusUnauthorized {
		t.Errorf("wrong secret: got %d %v, want invalid_client", status, members)
	}
}
