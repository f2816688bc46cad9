package memstore_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// TestApproveIsOfOneUser approves with a decision that is not about the request, or for
// no user: an Authorization without a Subject would be the application's own.
func TestApproveIsOfOneUser(t *testing.T) {
	s := newConsentScene(t, nil)
	s.allows(s.opens("read"))
	request := &s.request("read", callback).ConsentRequest
	consent, _, err := s.provider.RememberedConsent(t.Context(), request, s.user)
	if err != nil || consent == nil {
		t.Fatalf("got %v, %v; want a consent", consent, err)
	}
	ofAnother := *consent
	ofAnother.ClientID = "other"
	for name, test := range map[string]struct {
		user     *oauthkit.User
		decision oauthkit.Decision
	}{
		"no user":                    {nil, oauthkit.Decision{Given: true}},
		"no user who denies":         {nil, oauthkit.Decision{Denied: true}},
		"no subject":                 {&oauthkit.User{Name: "x"}, oauthkit.Decision{Given: true}},
		"consent of another user":    {&oauthkit.User{Subject: "bob"}, oauthkit.Decision{Consent: consent}},
		"widening of another user":   {&oauthkit.User{Subject: "bob"}, oauthkit.Decision{Consent: consent, Given: true}},
		"consent of another request": {s.user, oauthkit.Decision{Consent: &ofAnother, Given: true}},
	} {
		err := s.provider.Approve(t.Context(), request, test.user, test.decision, func(*oauthkit.Approval) error { return errors.New("it was approved") })
		if err == nil || !strings.Contains(err.Error(), "oauthkit: Approve: ") {
			t.Errorf("%s: got %v, want an error of Approve", name, err)
		}
	}
}

// TestConsentRequestKeepsNoSecret makes a request from a form with which the application
// authenticated. Extensions keep the result while the user decides.
func TestConsentRequestKeepsNoSecret(t *testing.T) {
	s := newConsentScene(t, nil)
	app, err := s.provider.Application(t.Context(), "client")
	if err != nil {
		t.Fatal(err)
	}
	sent := url.Values{"client_id": {"client"}, "client_secret": {"secret"}, "client_assertion": {"x"}, "scope": {"read"}, "ui_locales": {"de"}}
	request, err := s.provider.NewConsentRequest(t.Context(), app, oauth2.AuthorizationCode, sent)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"client_id": {"client"}, "scope": {"read"}, "ui_locales": {"de"}}
	if got := request.Form.Encode(); got != want.Encode() || !sent.Has("client_secret") {
		t.Errorf("got %s of %v, want %s and an unchanged form", got, sent, want.Encode())
	}
}

// failingPart adds the word part to response_type, which fails with err.
type failingPart struct{ err error }

func (f *failingPart) Extend(registry *oauthkit.Registry) error {
	registry.Responder(f)
	return nil
}

func (f *failingPart) ResponseType() oauthkit.ResponseType { return "part" }

func (f *failingPart) ValidateAuthorize(*oauthkit.AuthorizeRequest) error { return nil }

func (f *failingPart) Respond(context.Context, *oauthkit.AuthorizeRequest, *oauthkit.AuthorizeAnswer) error {
	return f.err
}

// TestResponderFails lets a responder fail with errors that a store returns for answers,
// such as that the user has decided already. They say nothing about the approval.
func TestResponderFails(t *testing.T) {
	part := &failingPart{}
	s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
		config.Extensions, config.ResponseTypes = []oauthkit.Extension{part}, []oauthkit.ResponseType{"part"}
		app.ResponseTypes = oauthkit.ResponseTypes{"part"}
	})
	request, err := s.provider.NewAuthorizeRequest(t.Context(), url.Values{
		"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"part"}, "scope": {"read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for failure, want := range map[error]oauthkit.ErrorCode{
		oauthkit.ErrNotFound: oauthkit.TemporarilyUnavailable,
		oauthkit.ErrReplayed: oauthkit.TemporarilyUnavailable,
		oauthkit.ErrRevoked:  oauthkit.TemporarilyUnavailable,
		oauthkit.ErrEnded:    oauthkit.TemporarilyUnavailable,
		oauthkit.Errorf(oauthkit.InvalidScope, "no part for this scope"): oauthkit.InvalidScope,
	} {
		part.err = failure
		_, err := s.provider.Respond(t.Context(), request, s.user, oauthkit.Decision{Given: true})
		if oauthkit.CodeOf(err) != want || want == oauthkit.TemporarilyUnavailable && errors.Is(err, failure) {
			t.Errorf("got %v for %v, want %s", err, failure, want)
		}
	}
}
