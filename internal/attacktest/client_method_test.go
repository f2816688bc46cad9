package attacktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestClientMethods tests a provider with a client authentication method of the host,
// like tls_client_auth (RFC 8705 §2.1): the proof is no part of the request alone.
func TestClientMethods(t *testing.T) {
	cases := []fixture.Case{
		{Name: "T-13 certificate beside another proof", Test: certificateBesideProof},
		{Name: "T-15 certificate of an application for another method", Test: unregisteredCertificate},
		{Name: "T-18 registered for a certificate, but sends none", Test: missingCertificate},
		{Name: "T-20 unknown application and wrong certificate look the same", Test: certificateOracle},
		{Name: "T-16 the proof cannot be checked", ExpectPanic: true, Test: uncheckedCertificate},
	}
	for i := range cases {
		cases[i].Configure = func(config *oauthkit.Config, _ storetest.Store) {
			config.ClientAuthenticators = []oauthkit.ClientAuthenticator{
				oauthkit.ClientSecretBasic(), oauthkit.ClientSecretPost(), oauthkit.ClientNone(), namedCertificates{},
			}
		}
	}
	fixture.Run(t, cases)
}

// certificateHeader stands for the certificate of the TLS connection.
const certificateHeader = "X-Certificate"

// namedCertificates is the method. A certificate is the client_id that it proves. The
// certificate "gone" cannot be checked, and "panic" panics.
type namedCertificates struct{}

func (namedCertificates) Method() string { return "tls_client_auth" }

func (namedCertificates) Carrier() oauthkit.ProofCarrier { return oauthkit.ProofCarrier{} }

func (namedCertificates) Claim(r *http.Request, form url.Values) (claim oauthkit.ClientClaim, used bool, err error) {
	certificate := r.Header.Get(certificateHeader)
	return oauthkit.ClientClaim{ClientID: form.Get("client_id"), Proof: certificate}, certificate != "", nil
}

func (namedCertificates) Verify(_ context.Context, app oauthkit.Application, claim oauthkit.ClientClaim, _ time.Time) error {
	switch claim.Proof {
	case app.GetID():
		return nil
	case "gone":
		return context.DeadlineExceeded
	case "panic":
		panic("mistake in the host")
	default:
		return oauthkit.Errorf(oauthkit.InvalidClient, "the certificate is of another client")
	}
}

// certified registers an application for the method and returns its client_id.
func certified(t *testing.T, s *fixture.Server) string {
	t.Helper()
	client, err := s.Register(&oauthkit.AbstractApplication{
		ClientID: "certified", ClientType: oauthkit.Confidential, TokenEndpointAuthMethod: namedCertificates{}.Method(),
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"api:read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client.ID
}

// certifiedRequest is a client credentials request over a connection with a
// certificate, which may be empty.
func certifiedRequest(certificate string, form url.Values) *http.Request {
	form.Set("grant_type", "client_credentials")
	request := fixture.NewRequest(http.MethodPost, "/o/token", form)
	if certificate != "" {
		request.Header.Set(certificateHeader, certificate)
	}
	return request
}

func certificateBesideProof(t *testing.T, s *fixture.Server) {
	id := certified(t, s)
	s.Do(certifiedRequest(id, url.Values{"client_id": {id}})).Tokens()
	s.Do(certifiedRequest(id, url.Values{"client_id": {id}, "client_secret": {"x"}})).Unauthorized()
	s.Do(certifiedRequest(id, url.Values{"client_id": {id}, "client_assertion": {"x"}})).Unauthorized()
	for _, authorization := range []string{basic(id, "x"), "Bearer x", ""} {
		request := certifiedRequest(id, url.Values{"client_id": {id}})
		request.Header["Authorization"] = []string{authorization}
		s.Do(request).Unauthorized()
	}
	request := certifiedRequest(id, url.Values{"client_id": {id}})
	request.Header.Set("Authorization", basic(s.Service.ID, s.Service.Secret))
	s.Do(request).ErrorJSON(400, "invalid_request")
	// The certificate may come along only to bind the token (RFC 8705 §3).
	request = certifiedRequest(id, url.Values{})
	request.Header.Set("Authorization", basic(s.Service.ID, s.Service.Secret))
	s.Do(request).Tokens()
}

func unregisteredCertificate(_ *testing.T, s *fixture.Server) {
	for _, client := range []*fixture.Client{s.Service, s.WebPost} {
		s.Do(certifiedRequest(client.ID, url.Values{"client_id": {client.ID}})).Unauthorized()
		request := certifiedRequest(client.ID, url.Values{})
		request.Header.Set("Authorization", basic(client.ID, "wrong"))
		s.Do(request).Unauthorized()
	}
	// A public application authenticates by none.
	s.Do(certifiedRequest(s.SPA.ID, url.Values{"client_id": {s.SPA.ID}})).ErrorJSON(400, "unauthorized_client")
}

func missingCertificate(t *testing.T, s *fixture.Server) {
	id := certified(t, s)
	s.Do(certifiedRequest("", url.Values{"client_id": {id}})).Unauthorized()
	s.Do(certifiedRequest("", url.Values{"client_id": {id}, "client_secret": {""}})).Unauthorized()
	s.Do(certifiedRequest(id, url.Values{})).Unauthorized()
}

func certificateOracle(t *testing.T, s *fixture.Server) {
	id := certified(t, s)
	s.Store.ClearCalls()
	wrong := s.Do(certifiedRequest("other", url.Values{"client_id": {id}}))
	unknown := s.Do(certifiedRequest("other", url.Values{"client_id": {"nobody"}}))
	wrong.Unauthorized()
	unknown.Unauthorized()
	if wrong.Body != unknown.Body {
		t.Errorf("got %s for a wrong certificate and %s for an unknown application, want no difference", wrong.Body, unknown.Body)
	}
	if calls := s.Store.Calls(); len(calls) != 2 {
		t.Errorf("got store calls %v, want one for each request", calls)
	}
}

// uncheckedCertificate is not a refusal: the client must not discard its certificate.
func uncheckedCertificate(t *testing.T, s *fixture.Server) {
	id := certified(t, s)
	s.Users.Fail(http.ErrHandlerTimeout) // tells the fixture that the host may fail
	s.Users.Fail(nil)
	s.Do(certifiedRequest("gone", url.Values{"client_id": {id}})).Unavailable()
	answer := httptest.NewRecorder()
	handler := fixture.NewHandler(t, s.Provider, oauthhttp.Config{})
	handler.ServeHTTP(answer, certifiedRequest("panic", url.Values{"client_id": {id}}))
	if answer.Code != http.StatusInternalServerError {
		t.Errorf("got %d, want 500 for a method that panics", answer.Code)
	}
	if failed := fixture.EventsOf[oauthkit.ClientAuthenticationFailed](s.Events); len(failed) != 0 {
		t.Errorf("got %+v, want no failed authentication", failed)
	}
}
