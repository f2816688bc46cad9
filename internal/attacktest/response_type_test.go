package attacktest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// word is a word of response_type whose part respond adds.
type word struct {
	name    oauthkit.ResponseType
	respond func(ctx context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error
}

func (w word) Extend(registry *oauthkit.Registry) error {
	registry.Responder(w)
	return nil
}

func (w word) ResponseType() oauthkit.ResponseType { return w.name }

func (w word) ValidateAuthorize(*oauthkit.AuthorizeRequest) error { return nil }

func (w word) Respond(ctx context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
	return w.respond(ctx, request, answer)
}

// hybrid adds the words token and proof, which is a hash of the parts before it, and
// allows them in combinations.
func hybrid(config *oauthkit.Config, _ storetest.Store) {
	config.Extensions = append(config.Extensions,
		word{"token", func(ctx context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
			return answer.IssueAccessToken(ctx, request)
		}},
		word{"proof", func(_ context.Context, _ *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
			answer.Parameters.Set("proof", proof(answer.Parameters.Get("code"), answer.Parameters.Get("access_token")))
			return nil
		}},
	)
	config.ResponseTypes = []oauthkit.ResponseType{"code", "token", "code token", "proof code token"}
}

// longerBesideCode is hybrid with tokens of two minutes in a response, and of 30 seconds
// for a code.
func longerBesideCode(config *oauthkit.Config, store storetest.Store) {
	hybrid(config, store)
	config.ChooseAccessTokenLifetime = func(_ context.Context, request oauthkit.LifetimeRequest) (time.Duration, error) {
		if request.GrantType == oauthkit.ImplicitGrant {
			return 2 * time.Minute, nil
		}
		return 30 * time.Second, nil
	}
}

func proof(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, " ")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// TestResponseTypes tests a provider with more response types than code.
func TestResponseTypes(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-06 words in any order, parts in one", Configure: hybrid, Test: partsOfAResponse},
		{Name: "A-06 unlisted combinations", Configure: hybrid, Test: func(_ *testing.T, s *fixture.Server) {
			s.UpdateApplication("web", allowTypes("code", "proof", "code proof"))
			for _, responseType := range []string{"proof", "code proof", "proof token", "code id_token", "code code token", "code  token"} {
				s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type="+responseType, "response_mode=fragment")).Refused("unsupported_response_type")
			}
		}},
		{Name: "A-07 not allowed to the application", Configure: hybrid, Test: func(_ *testing.T, s *fixture.Server) {
			for _, responseType := range []string{"token", "code token", "token code proof"} {
				s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type="+responseType, "response_mode=fragment")).Refused("unauthorized_client")
			}
			s.UpdateApplication("web", allowTypes("code token"))
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest()).Refused("unauthorized_client")
		}},
		{Name: "A-08 a token is never in the query", Configure: hybrid, Test: func(t *testing.T, s *fixture.Server) {
			s.UpdateApplication("web", allowTypes("code", "token", "code token"))
			for _, responseType := range []string{"token", "code token"} {
				request := s.Web.AuthorizeRequest("response_type=" + responseType)
				s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type="+responseType, "scope=nonsense")).Refused("invalid_scope")
				if location := s.Browser("alice").Approve(request).Location(); !strings.HasPrefix(location, "https://rp.test/cb#") || !strings.Contains(location, "access_token=") {
					t.Errorf("%s: got %s, want a token in the fragment", responseType, location)
				}
				refused := s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type="+responseType, "response_mode=query"))
				if !strings.HasPrefix(refused.Location(), "https://rp.test/cb#error=invalid_request") {
					t.Errorf("%s: got %s, want invalid_request in the fragment", responseType, refused.Location())
				}
			}
		}},
		{Name: "a secret does not protect a token in the response", Configure: hybrid, Test: func(_ *testing.T, s *fixture.Server) {
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
				allowTypes("code", "code token")(app)
				app.RedirectURIs, app.SkipAuthorization = oauthkit.URIs{"http://127.0.0.1/cb", "https://rp.test/cb"}, true
			})
			alice, loopback := s.Browser("alice"), "redirect_uri=http://127.0.0.1/cb"
			alice.Open(s.Web.AuthorizeRequest(loopback)).Code()
			alice.Open(s.Web.AuthorizeRequest("response_type=code token")).Response()
			for range 2 { // the consent is not enough either
				alice.Decide(alice.Open(s.Web.AuthorizeRequest(loopback, "response_type=code token")).Consent(), "allow").Response()
			}
		}},
		{Name: "a code does not shorten the token beside it", Configure: longerBesideCode, Test: func(_ *testing.T, s *fixture.Server) {
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
				allowTypes("code token")(app)
				app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
			})
			parameters := s.Browser("alice").Approve(s.Web.AuthorizeRequest("response_type=code token")).Response()
			access := s.Web.Redeem(parameters.Get("code")).Tokens().Access
			s.Wait(time.Minute)
			s.Bearer("/api/read", access).ErrorJSON(http.StatusUnauthorized, "invalid_token")
			s.Bearer("/api/read", parameters.Get("access_token")).OK()
			s.Wait(time.Minute)
			s.Bearer("/api/read", parameters.Get("access_token")).ErrorJSON(http.StatusUnauthorized, "invalid_token")
		}},
		{Name: "C-04 a replayed code revokes the token beside it", Configure: hybrid, Test: replayBesideToken},
		{Name: "an unredeemed code and its token are revoked with the consent", Configure: hybrid, Test: func(t *testing.T, s *fixture.Server) {
			s.UpdateApplication("web", allowTypes("code token"))
			parameters := s.Browser("alice").Approve(s.Web.AuthorizeRequest("response_type=code token")).Response()
			s.Bearer("/api/read", parameters.Get("access_token")).OK()
			if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
				t.Fatal(err)
			}
			s.Bearer("/api/read", parameters.Get("access_token")).ErrorJSON(http.StatusUnauthorized, "invalid_token")
			s.Web.Redeem(parameters.Get("code")).ErrorJSON(http.StatusBadRequest, "invalid_grant")
		}},
	})
}

// allowTypes returns a change of an application to these response types.
func allowTypes(types ...oauthkit.ResponseType) func(*oauthkit.AbstractApplication) {
	return func(app *oauthkit.AbstractApplication) {
		app.ResponseTypes = nil
		for _, listed := range types {
			app.ResponseTypes = append(app.ResponseTypes, oauthkit.ParseResponseType(string(listed)))
		}
	}
}

func partsOfAResponse(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("web", allowTypes("code proof token"))
	for _, responseType := range []string{"code token proof", "proof token code", "token proof code"} {
		parameters := s.Browser("alice").Approve(s.Web.AuthorizeRequest("response_type=" + responseType)).Response()
		code, token := parameters.Get("code"), parameters.Get("access_token")
		if code == "" || token == "" || parameters.Get("proof") != proof(code, token) {
			t.Errorf("%s: got %v, want a code, a token, and a proof of both", responseType, parameters)
		}
		if parameters.Get("token_type") != "Bearer" || parameters.Get("expires_in") != "600" || parameters.Has("refresh_token") {
			t.Errorf("%s: got %v, want a bearer token for 600 seconds without a refresh token", responseType, parameters)
		}
		s.Bearer("/api/read", token).OK()
		s.Bearer("/api/read", s.Web.Redeem(code).Tokens().Access).OK()
		s.Bearer("/api/read", token).OK()
	}
}

func replayBesideToken(_ *testing.T, s *fixture.Server) {
	s.UpdateApplication("web", allowTypes("code token"))
	parameters := s.Browser("alice").Approve(s.Web.AuthorizeRequest("response_type=code token")).Response()
	tokens := s.Web.Redeem(parameters.Get("code")).Tokens()
	s.Web.Redeem(parameters.Get("code")).ErrorJSON(http.StatusBadRequest, "invalid_grant")
	for _, token := range []string{tokens.Access, parameters.Get("access_token")} {
		s.Bearer("/api/read", token).ErrorJSON(http.StatusUnauthorized, "invalid_token")
	}
}
