package oauthkit_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// asks sends an authorization request with an approval_prompt; empty: without one.
func (s *consentScene) asks(approvalPrompt string) (*oauthkit.AuthorizeRequest, error) {
	s.Helper()
	form := url.Values{
		"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	if approvalPrompt != "" {
		form.Set("approval_prompt", approvalPrompt)
	}
	return s.provider.NewAuthorizeRequest(s.Context(), form)
}

func TestApprovalPrompt(t *testing.T) {
	tests := []struct {
		name       string
		configured oauthkit.ApprovalPrompt
		sent       string
		askConsent bool // prompt=consent
		trusted    bool
		remembers  bool
	}{
		{name: "nothing said", remembers: true},
		{name: "auto", sent: "auto", remembers: true},
		{name: "force", sent: "force"},
		{name: "force by default", configured: oauthkit.ApprovalForce},
		{name: "auto against the default", configured: oauthkit.ApprovalForce, sent: "auto", remembers: true},
		{name: "prompt=consent beats auto", sent: "auto", askConsent: true},
		{name: "a trusted application is not asked for", sent: "force", trusted: true, remembers: true},
		{name: "nor by default", configured: oauthkit.ApprovalForce, trusted: true, remembers: true},
		{name: "prompt=consent beats trust", trusted: true, askConsent: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
				config.ApprovalPrompt, app.SkipAuthorization = test.configured, test.trusted
			})
			s.allows(s.opens("read"))
			request, err := s.asks(test.sent)
			if err != nil {
				t.Fatal(err)
			}
			request.AskConsent = test.askConsent
			if got := s.remembers(request); got != test.remembers {
				t.Errorf("got remembered %t, want %t", got, test.remembers)
			}
		})
	}
}

// TestPromptConsent wants prompt=consent heard without OpenID Connect too.
func TestPromptConsent(t *testing.T) {
	s := newConsentScene(t, nil)
	s.allows(s.opens("read"))
	for prompt, want := range map[string]bool{"": true, "consent": false, "login consent": false, "consents": true} {
		request, err := s.provider.NewAuthorizeRequest(t.Context(), url.Values{
			"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"}, "prompt": {prompt},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.remembers(request); got != want {
			t.Errorf("prompt=%s: got remembered %t, want %t", prompt, got, want)
		}
	}
}

func TestUnknownApprovalPrompt(t *testing.T) {
	s := newConsentScene(t, nil)
	for _, value := range []string{"nonsense", "AUTO", "auto force", "force "} {
		request, err := s.asks(value)
		if oauthkit.CodeOf(err) != oauthkit.InvalidRequest || request == nil {
			t.Errorf("%q: got %v, %v; want invalid_request for the application", value, request, err)
		}
	}
	config := oauthkit.Config{ApprovalPrompt: "auto"} // the zero value is auto, so that nothing else can be taken for it
	if _, err := oauthkit.New("https://example.com/o", s.store, config); err == nil {
		t.Error("got a provider with an ApprovalPrompt that is not known")
	}
}

func TestSkipConsent(t *testing.T) {
	down := errors.New("the list of trusted applications is down")
	tests := []struct {
		name     string
		skip     func(*oauthkit.AuthorizeRequest, *oauthkit.User) (bool, error)
		change   func(*oauthkit.AuthorizeRequest)
		skips    bool
		wantCode oauthkit.ErrorCode
	}{
		{
			name: "this application for this user", skips: true,
			skip: func(request *oauthkit.AuthorizeRequest, user *oauthkit.User) (bool, error) {
				return request.Application.GetID() == "client" && user.Subject == "alice", nil
			},
		},
		{name: "not this one", skip: func(*oauthkit.AuthorizeRequest, *oauthkit.User) (bool, error) { return false, nil }},
		{
			name: "prompt=consent", skip: func(*oauthkit.AuthorizeRequest, *oauthkit.User) (bool, error) { return true, nil },
			change: func(request *oauthkit.AuthorizeRequest) { request.AskConsent = true },
		},
		{
			name: "the host cannot know", wantCode: oauthkit.TemporarilyUnavailable,
			skip: func(*oauthkit.AuthorizeRequest, *oauthkit.User) (bool, error) { return true, down },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
				config.SkipConsent = func(_ context.Context, request *oauthkit.AuthorizeRequest, user *oauthkit.User) (bool, error) {
					return test.skip(request, user)
				}
			})
			request := s.request("read", callback)
			if test.change != nil {
				test.change(request)
			}
			consent, skips, err := s.provider.RememberedConsent(t.Context(), request, s.user)
			if test.wantCode != "" {
				if oauthkit.CodeOf(err) != test.wantCode || skips {
					t.Errorf("got %t, %v; want %s", skips, err, test.wantCode)
				}
				return
			}
			if err != nil || skips != test.skips || consent != nil {
				t.Errorf("got %v, %t, %v; want no consent and skipped %t", consent, skips, err, test.skips)
			}
		})
	}
}

// TestSkipConsentNeedsIdentity is RFC 8252 §8.6 for the host's function: whoever listens on a loopback address is not asked about.
func TestSkipConsentNeedsIdentity(t *testing.T) {
	const loopback = "http://127.0.0.1/callback"
	asked := 0
	s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
		app.ClientType, app.RedirectURIs = oauthkit.Public, oauthkit.URIs{callback, loopback}
		config.SkipConsent = func(context.Context, *oauthkit.AuthorizeRequest, *oauthkit.User) (bool, error) {
			asked++
			return true, nil
		}
	})
	if s.remembers(s.request("read", loopback)) || asked != 0 {
		t.Errorf("got trusted at a loopback address, after asking the host %d times", asked)
	}
	if !s.remembers(s.request("read", callback)) || asked != 1 {
		t.Errorf("got not trusted at its own address, after asking the host %d times", asked)
	}
}

// TestConsentIsForWhatWasShown changes an application after its user has approved it. What is approved next does not bring back
// what was approved under the other name.
func TestConsentIsForWhatWasShown(t *testing.T) {
	tests := []struct {
		name   string
		change func(app *oauthkit.AbstractApplication)
		asks   bool
	}{
		{"another name", func(app *oauthkit.AbstractApplication) { app.Name = "Bank" }, true},
		{"another redirect URI", func(app *oauthkit.AbstractApplication) {
			app.RedirectURIs = append(app.RedirectURIs, "https://evil.example/")
		}, true},
		{"another secret", func(app *oauthkit.AbstractApplication) { app.ImportSecret("another") }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, nil)
			s.allows(s.opens("read write"))
			app, err := s.store.Application(t.Context(), "client")
			if err != nil {
				t.Fatal(err)
			}
			test.change(oauthkit.Abstract(app))
			if err := s.store.UpdateApplication(t.Context(), app); err != nil {
				t.Fatal(err)
			}
			if asks := !s.remembers(s.request("read", callback)); asks != test.asks {
				t.Errorf("got asked %t, want %t", asks, test.asks)
			}
			s.allows(s.opens("read"))
			if !s.remembers(s.request("read", callback)) || s.remembers(s.request("write", callback)) == test.asks {
				t.Error("got remembered something else than what was approved of the application as it is now")
			}
		})
	}
}

// TestFewerScopes has the user approve a part of what is asked for: no more than that is granted or remembered.
func TestFewerScopes(t *testing.T) {
	s := newConsentScene(t, nil)
	request, decision := s.opens("read write")
	decision.Scopes = oauthkit.Scopes{"read", "basic"}
	decision.Given = true
	if response, err := s.provider.Approve(t.Context(), request, s.user, decision); oauthkit.CodeOf(err) != oauthkit.InvalidScope {
		t.Errorf("got %v, %v for a scope that was not asked for, want invalid_scope", response, err)
	}
	decision.Scopes = oauthkit.Scopes{"read"}
	if consent := s.allows(request, decision); consent.Scopes.String() != "read" {
		t.Errorf("got %q remembered, want read", consent.Scopes)
	}
	if !s.remembers(s.request("read", callback)) || s.remembers(s.request("read write", callback)) {
		t.Error("got the scope remembered that was refused, or not the one that was approved")
	}
}
