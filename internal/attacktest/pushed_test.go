package attacktest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// pushedRequests keeps pushed requests by request_uri, and checks neither their
// application nor their expiry: the library has to check what it can.
type pushedRequests struct {
	provider *oauthkit.Provider
	forms    map[string]url.Values
	switches bool // to the application of the pushed request
}

func (p *pushedRequests) Extend(registry *oauthkit.Registry) error {
	p.provider = registry.Provider()
	registry.ResolveAuthorize(func(ctx context.Context, source *oauthkit.AuthorizeSource) (err error) {
		if form := p.forms[source.Form.Get("request_uri")]; form != nil {
			source.Form, source.Provenance.Pushed = form, true
		}
		if p.switches {
			source.Application, err = p.provider.Application(ctx, source.Form.Get("client_id"))
		}
		return err
	})
	registry.Endpoint(oauthkit.Endpoint{
		Path: "par", Methods: []string{http.MethodPost},
		Application: func(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
			form.Set("client_id", app.GetID())
			request, err := p.provider.ResumeAuthorizeRequest(r.Context(), form, oauthkit.Provenance{Pushed: true})
			if err != nil {
				return err
			}
			p.forms["urn:"+app.GetID()] = request.Form
			w.WriteHeader(http.StatusCreated)
			return nil
		},
	})
	return nil
}

func pushing(config *oauthkit.Config, _ storetest.Store) {
	config.Extensions = append(config.Extensions, &pushedRequests{forms: map[string]url.Values{}})
}

func switching(config *oauthkit.Config, _ storetest.Store) {
	config.Extensions = append(config.Extensions, &pushedRequests{forms: map[string]url.Values{}, switches: true})
}

// requirePushing makes web an application that must push.
func requirePushing(s *fixture.Server) {
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.RequirePushedAuthorizationRequests = true })
}

// TestPushedRequests tests what the library does for an extension with pushed requests
// (RFC 9126).
func TestPushedRequests(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "PA-02 parameters of another client", Configure: pushing, Test: pushedByAnother},
		{Name: "PA-02 parameters and application of another client", Configure: switching, Test: pushedByAnother},
		{Name: "PA-03 checked when it is pushed", Configure: pushing, Test: func(t *testing.T, s *fixture.Server) {
			requirePushing(s)
			for _, change := range []string{
				"code_challenge", "code_challenge_method=plain", "redirect_uri=https://evil.test/cb", "scope=nonsense", "response_type=token",
				"response_mode=jwt", "request=x", "request_uri=https://evil.test",
			} {
				push(t, s.Web, http.StatusBadRequest, change)
			}
		}},
		{Name: "PA-08 parameters beside request_uri", Configure: pushing, Test: func(t *testing.T, s *fixture.Server) {
			requirePushing(s)
			push(t, s.Web, http.StatusCreated, "state=pushed")
			request := s.Web.AuthorizeRequest("request_uri=urn:web", "state=evil", "redirect_uri=https://evil.test/cb", "scope=openid profile")
			alice := s.Browser("alice")
			page := alice.Open(request).Consent()
			if strings.Contains(page.Body, "evil") || strings.Contains(page.Body, "rest of your profile") {
				t.Errorf("got %s, want the pushed scopes", page.Body)
			}
			if location := alice.Decide(page, "allow").Location(); !strings.HasPrefix(location, "https://rp.test/cb?code=") || !strings.Contains(location, "state=pushed") {
				t.Errorf("got %s, want a code with the pushed state", location)
			}
		}},
		{Name: "PA-09 an application that must push", Configure: pushing, Test: mustPush},
		{Name: "PA-16 without an endpoint to push to", Test: func(_ *testing.T, s *fixture.Server) {
			requirePushing(s)
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest()).Refused("invalid_request")
		}},
	})
}

func pushedByAnother(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("evil", func(app *oauthkit.AbstractApplication) {
		app.RedirectURIs = append(app.RedirectURIs, "https://rp.test/cb")
	})
	for _, redirectURI := range []string{"https://evil.test/cb", "https://rp.test/cb"} {
		push(t, s.Evil, http.StatusCreated, "redirect_uri="+redirectURI)
		s.Browser("alice").Authorize(url.Values{"client_id": {"web"}, "request_uri": {"urn:evil"}}).ErrorPage(http.StatusBadRequest)
	}
	push(t, s.Web, http.StatusCreated)
	s.Browser("alice").Authorize(url.Values{"client_id": {"evil"}, "request_uri": {"urn:web"}}).ErrorPage(http.StatusBadRequest)
}

// push pushes the application's authorization request and expects a status.
func push(t *testing.T, client *fixture.Client, status int, overrides ...string) {
	t.Helper()
	if answer := client.Send("/o/par", client.AuthorizeRequest(overrides...)); answer.Status != status {
		t.Errorf("%v: got %d %s, want %d", overrides, answer.Status, answer.Body, status)
	}
}

// mustPush follows a pushed request through the login page and the consent page: it
// stays pushed while it waits, and one that was not pushed does not become so.
func mustPush(t *testing.T, s *fixture.Server) {
	unpushed := s.Browser("bob").Open(s.Web.AuthorizeRequest()).Consent()
	nobody := s.Browser("")
	waiting := nobody.Authorize(s.Web.AuthorizeRequest())
	requirePushing(s)
	bob := s.Browser("bob")
	bob.Authorize(s.Web.AuthorizeRequest()).Refused("invalid_request")
	s.Browser("bob").Get(unpushed.Location()) // of another browser; changes nothing
	nobody.SignIn("bob")
	if answer := nobody.ReturnFromLogin(waiting); !strings.Contains(answer.Location(), "error=invalid_request") {
		t.Errorf("got %d to %s, want invalid_request for a request that was not pushed", answer.Status, answer.Location())
	}
	push(t, s.Web, http.StatusCreated)
	anyone := s.Browser("")
	pushed := anyone.Authorize(url.Values{"client_id": {"web"}, "request_uri": {"urn:web"}})
	anyone.SignIn("alice")
	page := anyone.Follow(anyone.ReturnFromLogin(pushed)).Consent()
	if location := anyone.Decide(page, "allow").Location(); !strings.HasPrefix(location, "https://rp.test/cb?code=") {
		t.Errorf("got %s, want a code", location)
	}
}
