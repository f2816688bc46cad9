package oauthkit_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// TestConsentForOneAPI is no consent for another one, nor for all of them.
func TestConsentForOneAPI(t *testing.T) {
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
		config.Resources = []string{"https://a.test", "https://payments.test"}
	})
	requestFor := func(resources ...string) *oauthkit.AuthorizeRequest {
		form := url.Values{
			"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"}, "resource": resources,
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}
		request, err := s.provider.NewAuthorizeRequest(t.Context(), form)
		if err != nil {
			t.Fatal(err)
		}
		return request
	}
	_, decision := s.opens("read")
	s.allows(requestFor("https://a.test"), decision)
	for name, request := range map[string]struct {
		resources []string
		want      bool
	}{
		"the same": {[]string{"https://a.test"}, true}, "another": {[]string{"https://payments.test"}, false},
		"both": {[]string{"https://a.test", "https://payments.test"}, false}, "all": {nil, false},
	} {
		if got := s.remembers(requestFor(request.resources...)); got != request.want {
			t.Errorf("%s: got remembered %t, want %t", name, got, request.want)
		}
	}
}

// TestConsentKeepsItsEnd is about what a page did not show: approving something else does not make it last longer.
func TestConsentKeepsItsEnd(t *testing.T) {
	const day = 24 * time.Hour
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.ConsentLifetime = 90 * day })
	s.allows(s.opens("read"))
	s.now = s.now.Add(89 * day)
	s.allows(s.opens("basic"))
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten before its end")
	}
	s.now = s.now.Add(2 * day)
	if s.remembers(s.request("read", callback)) {
		t.Error("got what was last shown 91 days ago remembered")
	}
	s.allows(s.opens("read basic"))
	s.now = s.now.Add(89 * day)
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten, want 90 days from when all of it was shown")
	}
}
