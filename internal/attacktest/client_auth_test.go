package attacktest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestClientAuth tests client authentication: one method in each request, one
// spelling of the credentials, and no way around the secret (RFC 6749 §2.3).
func TestClientAuth(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "T-10 encoding of Basic", Test: basicEncoding},
		{Name: "T-10 Basic that is not encoded, of an exception", Configure: unencodedException, Test: unencodedBasic},
		{Name: "T-11 malformed Basic", Test: malformedBasic},
		{Name: "T-11 malformed Basic beside an exception", Configure: unencodedException, Test: malformedBasic},
		{Name: "T-12 two Authorization headers", Test: twoAuthorizationHeaders},
		{Name: "T-13 several methods of authentication", Test: severalMethods},
		{Name: "T-14 two values of client_id", Test: func(_ *testing.T, s *fixture.Server) {
			for _, id := range []string{"evil", "WEB", "web ", "nobody"} {
				s.Web.ClientCredentials("client_id="+id).ErrorJSON(400, "invalid_request")
				s.Web.Introspect("oat_x", "client_id="+id).ErrorJSON(400, "invalid_request")
				s.Web.Revoke("oat_x", "client_id="+id).ErrorJSON(400, "invalid_request")
			}
			s.Service.ClientCredentials("client_id=svc").Tokens()
		}},
		{Name: "T-15 unregistered method", Test: unregisteredMethod},
		{Name: "T-16 wrong secret", Test: wrongSecret},
		{Name: "T-17 public application with a secret", Test: publicWithSecret},
		{Name: "T-18 confidential application without a secret", Test: confidentialWithoutSecret},
		{Name: "T-19 empty stored secret", Test: emptyStoredSecret},
		{Name: "T-20 unknown application and wrong secret look the same", Test: authenticationOracle},
		{Name: "T-23 order of checks", Test: func(_ *testing.T, s *fixture.Server) {
			s.Service.Secret = secret.New(secret.ClientSecret)
			s.Service.Redeem("oac_x").Unauthorized() // the grant type is not allowed either
			s.Service.ClientCredentials("grant_type=nonsense").Unauthorized()
			s.Service.ClientCredentials("grant_type").Unauthorized()
			s.Service.ClientCredentials("scope=nonsense").Unauthorized()
		}},
	})
}

// withAuthorization returns a client credentials request with these
// Authorization headers.
func withAuthorization(values ...string) *http.Request {
	request := fixture.NewRequest(http.MethodPost, "/o/token", url.Values{"grant_type": {"client_credentials"}})
	request.Header["Authorization"] = values
	return request
}

// basic encodes an id and a secret without form encoding.
func basic(id, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password))
}

// service adds an application for client credentials, without validation of its id.
func service(s *fixture.Server, id, password string) {
	app := &oauthkit.AbstractApplication{
		ClientID: id, ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	}
	s.AddUnchecked(app)
	app.ImportSecret(password)
}

// basicEncoding uses an id and a secret with the characters that encodings change:
// slash, space, colon and plus sign (RFC 6749 §2.3.1).
func basicEncoding(_ *testing.T, s *fixture.Server) {
	const id, password = "1PpG/Q 1", "z/tZ9V:X2/8b+w="
	service(s, id, password)
	s.Do(withAuthorization("Basic MVBwRyUyRlErMTp6JTJGdFo5ViUzQVgyJTJGOGIlMkJ3JTNE")).Tokens()
	s.Do(withAuthorization(basic(url.QueryEscape(id), url.QueryEscape(password)))).Tokens()
	s.Do(withAuthorization(basic("1PpG%2FQ%201", "z%2ftZ9V%3aX2%2f8b%2bw%3d"))).Tokens() // another spelling of the same
	s.Do(withAuthorization(basic(id, password))).Unauthorized()                          // here + means a space
	s.Do(withAuthorization(basic(url.QueryEscape(id), password))).Unauthorized()
	s.Do(withAuthorization(basic(url.QueryEscape(id), url.QueryEscape(url.QueryEscape(password))))).Unauthorized()
	// Generated credentials look the same in both encodings.
	s.Do(withAuthorization(basic(s.Service.ID, s.Service.Secret))).Tokens()
}

// unencodedException makes "imported" an exception whose secret need not be form-encoded.
func unencodedException(config *oauthkit.Config, _ storetest.Store) {
	config.ClientAuthenticators = []oauthkit.ClientAuthenticator{
		oauthkit.ClientSecretBasicUnencoded(func(app oauthkit.Application) bool { return app.GetID() == "imported" }),
		oauthkit.ClientSecretPost(), oauthkit.ClientNone(),
	}
}

// unencodedBasic sends secrets with the characters that encodings change, encoded and
// not, as an exception and as another application.
func unencodedBasic(_ *testing.T, s *fixture.Server) {
	for _, password := range []string{"z/tZ9V:X2/8b+w=", "100%", "%2B", "a b", "%zz:%", "ü+%20"} {
		service(s, "imported", password)
		service(s, "other", password)
		for _, id := range []string{"imported", "other"} {
			s.Do(withAuthorization(basic(id, url.QueryEscape(password)))).Tokens()
			s.Do(withAuthorization(basic(id, password+"x"))).Unauthorized()
			s.Do(withAuthorization(basic(id, url.QueryEscape(url.QueryEscape(password)+"+")))).Unauthorized()
			s.Do(withAuthorization(basic(id, ""))).Unauthorized()
		}
		s.Do(withAuthorization(basic("imported", password))).Tokens()
		if decoded, err := url.QueryUnescape(password); err != nil || decoded != password {
			s.Do(withAuthorization(basic("other", password))).Unauthorized()
		}
	}
	service(s, "imported", "a b") // "a+b" is this secret encoded, and no second secret
	s.Do(withAuthorization(basic("imported", "a+b"))).Tokens()
	s.Do(withAuthorization(basic("imported", "a%2Bb"))).Unauthorized()
	s.Do(withAuthorization(basic(s.Service.ID, s.Service.Secret))).Tokens()
}

func malformedBasic(_ *testing.T, s *fixture.Server) {
	const id, password = "id?", "???>>>~~~" // their base64 has both characters that differ between its alphabets
	service(s, id, password)
	valid := strings.TrimPrefix(basic(id, password), "Basic ")
	otherAlphabet := base64.URLEncoding.EncodeToString([]byte(id + ":" + password))
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, value := range []string{
		"Basic " + otherAlphabet, "Basic " + strings.TrimRight(encode("id?:x"), "="), "Basic " + valid + "=", "Basic " + valid + "AAAA",
		"Basic " + strings.TrimSuffix(valid, "g==") + "h==", // the same bytes, with unused bits set
		"Basic " + valid[:8] + " " + valid[8:], "Basic  " + valid, "Basic\t" + valid, "Basic " + valid + ",", "Basic " + valid + " " + valid,
		"Basic " + encode("id?"), "Basic " + encode(":"+password), "Basic " + encode(":"), "Basic " + encode("%zz:"+password), "Basic " + encode("id?:%"),
		"Basic " + encode("id?:"), "Basic " + encode(password+":id?"), "Basic", "Basic ", "Basic" + valid, "Basic=" + valid, "", "Digest " + valid, "Bearer " + valid, valid,
	} {
		s.Do(withAuthorization(value)).Unauthorized()
	}
	for _, scheme := range []string{"Basic", "basic", "BASIC"} {
		s.Do(withAuthorization(scheme + " " + valid)).Tokens()
	}
}

func twoAuthorizationHeaders(_ *testing.T, s *fixture.Server) {
	token := "Bearer " + s.Service.ClientCredentials().Tokens().Access
	own, other := basic(s.Service.ID, s.Service.Secret), basic(s.Evil.ID, s.Evil.Secret)
	for _, values := range [][]string{{own, other}, {other, own}, {own, own}, {own, token}, {token, own}, {own, ""}, {"", own}} {
		s.Do(withAuthorization(values...)).ErrorJSON(400, "invalid_request")
	}
	s.Do(withAuthorization(own + ", " + other)).Unauthorized()
}

func severalMethods(_ *testing.T, s *fixture.Server) {
	const assertion, assertionType = "client_assertion=eyJhbGciOiJub25lIn0.e30.", "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	for _, client := range []*fixture.Client{s.Web, s.Service} {
		client.ClientCredentials("client_secret="+client.Secret).ErrorJSON(400, "invalid_request")
		client.ClientCredentials("client_id="+client.ID, "client_secret="+client.Secret).ErrorJSON(400, "invalid_request")
		client.ClientCredentials(assertion, assertionType).ErrorJSON(400, "invalid_request")
		client.ClientCredentials(assertion).ErrorJSON(400, "invalid_request")
		client.ClientCredentials(assertionType).ErrorJSON(400, "invalid_request")
	}
	s.WebPost.ClientCredentials(assertion, assertionType).ErrorJSON(400, "invalid_request")
	s.SPA.ClientCredentials(assertion, assertionType).Unauthorized() // one method, which does not exist
	s.SPA.ClientCredentials(assertion, assertionType, "client_id").Unauthorized()
}

func unregisteredMethod(_ *testing.T, s *fixture.Server) {
	credentials := func(c *fixture.Client) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}}
	}
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token", credentials(s.Web))).Unauthorized()
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token", credentials(s.Service))).Unauthorized()
	s.Do(withAuthorization(basic(s.WebPost.ID, s.WebPost.Secret))).Unauthorized()
	for _, method := range []string{oauthkit.AuthMethodPrivateKeyJWT, oauthkit.AuthMethodSecretJWT, oauthkit.AuthMethodNone, "nonsense"} {
		client := s.AddUnchecked(&oauthkit.AbstractApplication{
			ClientID: method, ClientType: oauthkit.Confidential, TokenEndpointAuthMethod: method,
			GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
		})
		s.Do(withAuthorization(basic(client.ID, client.Secret))).Unauthorized()
		s.Do(fixture.NewRequest(http.MethodPost, "/o/token", credentials(client))).Unauthorized()
		form := credentials(client)
		form.Del("client_secret")
		s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
	}
}

// wrongSecret uses a secret longer than 72 bytes, because bcrypt ignores the rest.
func wrongSecret(t *testing.T, s *fixture.Server) {
	right := strings.Repeat("aB3+/=%&", 16)
	for _, client := range []*fixture.Client{s.Web, s.WebPost} {
		s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) { app.ImportSecret(right) })
		for _, wrong := range []string{
			"wrong", "", right[:72], right[:127], right + "a", "a" + right, right[1:], strings.ToLower(right), strings.ToUpper(right),
			url.QueryEscape(right), right + " ", right + "\n", right[:72] + strings.Repeat("a", 56), s.Evil.Secret, secret.Hash(right),
		} {
			client.Secret = wrong
			client.ClientCredentials().Unauthorized()
		}
		client.Secret = right
		client.ClientCredentials().ErrorJSON(400, "unauthorized_client") // the secret is correct
	}
	failed := fixture.EventsOf[oauthkit.ClientAuthenticationFailed](s.Events)
	if len(failed) != 30 || failed[0] != (oauthkit.ClientAuthenticationFailed{ClientID: "web", Method: oauthkit.AuthMethodSecretBasic}) {
		t.Errorf("got %d events, first %+v, want 30, the first for web", len(failed), failed[:1])
	}
}

func publicWithSecret(_ *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.SPA.AuthorizeRequest()).Code()
	s.SPA.Redeem(code, "client_secret=x").Unauthorized()
	for _, password := range []string{"x", ""} {
		s.Do(withAuthorization(basic(s.SPA.ID, password))).Unauthorized()
	}
	s.SPA.ClientCredentials().ErrorJSON(400, "unauthorized_client")
	s.SPA.Redeem(code, "client_secret=").Tokens() // an empty parameter counts as omitted (RFC 6749 §3.2)
	planted := s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "public", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	})
	// Although its grant types include it (RFC 6749 §4.4).
	planted.ClientCredentials().ErrorJSON(400, "unauthorized_client")
}

func confidentialWithoutSecret(_ *testing.T, s *fixture.Server) {
	for _, client := range []*fixture.Client{s.Web, s.WebPost, s.Service, s.RS} {
		for _, path := range []string{"/o/token", "/o/introspect", "/o/revoke_token"} {
			form := url.Values{"grant_type": {"client_credentials"}, "token": {"oat_x"}, "client_id": {client.ID}}
			s.Do(fixture.NewRequest(http.MethodPost, path, form)).Unauthorized()
			form.Set("client_secret", "")
			s.Do(fixture.NewRequest(http.MethodPost, path, form)).Unauthorized()
			form = url.Values{"grant_type": {"client_credentials"}, "token": {"oat_x"}}
			s.Do(fixture.NewRequest(http.MethodPost, path, form)).Unauthorized()
			request := fixture.NewRequest(http.MethodPost, path, form)
			request.SetBasicAuth(client.ID, "")
			s.Do(request).Unauthorized()
		}
	}
}

// emptyStoredSecret tests an application without a stored secret, for each value that
// the column can have.
func emptyStoredSecret(_ *testing.T, s *fixture.Server) {
	for _, stored := range []oauthkit.SecretHash{"", " ", "sha256$", "sha256", "$", "null", "plain-secret", oauthkit.SecretHash("sha256$" + secret.Hash(""))} {
		for _, method := range []string{oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost} {
			app := &oauthkit.AbstractApplication{
				ClientID: "lost", ClientType: oauthkit.Confidential, TokenEndpointAuthMethod: method,
				GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
			}
			client := s.AddUnchecked(app)
			app.ClientSecret = stored
			for _, presented := range []string{"", string(stored), client.Secret, secret.Hash("")} {
				client.Secret = presented
				client.ClientCredentials().Unauthorized()
			}
		}
	}
}

// authenticationOracle compares the answers and the store calls.
func authenticationOracle(t *testing.T, s *fixture.Server) {
	for _, path := range []string{"/o/token", "/o/introspect", "/o/revoke_token"} {
		for _, client := range []*fixture.Client{s.Web, s.WebPost} {
			known, unknown := *client, *client
			known.Secret, unknown.ID = "wrong", "nobody"
			form := url.Values{"grant_type": {"client_credentials"}, "token": {"oat_x"}}
			s.Store.ClearCalls()
			first, second := known.Send(path, form), unknown.Send(path, form)
			first.Unauthorized()
			first.Header.Del("Date")
			second.Header.Del("Date")
			if first.Status != second.Status || first.Body != second.Body || !maps.EqualFunc(first.Header, second.Header, sameValues) {
				t.Errorf("%s as %s: got %+v for a wrong secret and %+v for an unknown application, want no difference", path, client.ID, first, second)
			}
			if calls := s.Store.Calls(); len(calls) != 2 {
				t.Errorf("%s as %s: got store calls %v, want one for each request", path, client.ID, calls)
			}
		}
	}
}

func sameValues(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }
