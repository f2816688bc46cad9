package oauthhttp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// clientAuthentication authenticates clients with the provider's methods (RFC 6749 §2.3).
type clientAuthentication struct {
	authenticators []oauthkit.ClientAuthenticator
	methods        []string                // their names, for the metadata
	proofMethods   []string                // those that prove a client's identity
	carriers       []oauthkit.ProofCarrier // headers and parameters that may carry a proof
	headers        []string                // those of the carriers
	challenges     []string                // for the schemes of the Authorization header
}

func newClientAuthentication(provider *oauthkit.Provider) clientAuthentication {
	a := clientAuthentication{authenticators: provider.ClientAuthenticators(), methods: provider.AuthMethods()}
	a.proofMethods = slices.DeleteFunc(slices.Clone(a.methods), func(method string) bool { return method == oauthkit.AuthMethodNone })
	var seen []oauthkit.ProofCarrier
	for _, authenticator := range a.authenticators {
		carrier := authenticator.Carrier()
		if slices.Contains(seen, carrier) { // methods may share one
			continue
		}
		seen = append(seen, carrier)
		switch {
		case carrier.Scheme != "":
			a.challenges = append(a.challenges, carrier.Scheme+` realm="oauth", charset="UTF-8"`) // RFC 7617 §2.1
		case carrier.Header != "":
			a.headers = append(a.headers, carrier.Header)
			a.carriers = append(a.carriers, carrier)
		case carrier.Parameter != "":
			a.carriers = append(a.carriers, carrier)
		}
	}
	return a
}

// clientClaim is a claim with the method that read it.
type clientClaim struct {
	oauthkit.ClientClaim
	by oauthkit.ClientAuthenticator
}

// authenticateClient returns the application that sent the request (RFC 6749 §2.3,
// §3.2.1). The error is the same for an unknown client_id and for a wrong proof.
func (h *Handler) authenticateClient(r *http.Request, form url.Values) (oauthkit.Application, error) {
	var few [4]clientClaim // usually enough, without an allocation
	claims, err := h.clients.read(few[:0], r, form)
	if err != nil {
		return nil, err
	}
	app, err := h.provider.Application(r.Context(), claims[0].ClientID)
	failed := oauthkit.ClientAuthenticationFailed{Method: claims[0].by.Method()}
	if err == nil {
		claim := registeredClaim(claims, app)
		failed.ClientID, failed.Method = claim.ClientID, claim.by.Method()
		err = claim.verify(r.Context(), app, h.provider.Now())
	}
	switch {
	case err == nil:
		return app, nil
	case oauthkit.CodeOf(err) == oauthkit.TemporarilyUnavailable: // a failure does not mean no
		return nil, err
	default:
		h.provider.Record(r.Context(), failed)
		return nil, oauthkit.Errorf(oauthkit.InvalidClient, "the application is not known or did not prove who it is").WithCause(err)
	}
}

// registeredClaim returns the claim by the method that app is registered for. If there
// is none, it returns the first claim.
func registeredClaim(claims []clientClaim, app oauthkit.Application) clientClaim {
	for _, claim := range claims {
		if app.AllowsAuthMethod(claim.by.Method()) {
			return claim
		}
	}
	return claims[0]
}

// verify returns an error if the claim is false or could not be verified. The application
// must be registered for the method, so that a confidential client cannot omit its proof.
func (c clientClaim) verify(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if !app.AllowsAuthMethod(c.by.Method()) {
		return fmt.Errorf("the client is not registered for %s", c.by.Method())
	}
	err := c.by.Verify(ctx, app, c.ClientClaim, now)
	if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidClient {
		return oauthkit.Unavailable(fmt.Errorf("verifying a client by %s: %w", c.by.Method(), err))
	}
	return err
}

// read appends the claims of the request to claims. There is at least one, and all name
// one client and have one carrier: a request must use only one authentication method (RFC
// 6749 §2.3).
func (a *clientAuthentication) read(claims []clientClaim, r *http.Request, form url.Values) ([]clientClaim, error) {
	if len(r.Header.Values("Authorization")) > 1 {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "there is more than one Authorization header")
	}
	for _, authenticator := range a.authenticators {
		claim, used, err := authenticator.Claim(r, form)
		if err != nil {
			return nil, err
		}
		if used {
			claims = append(claims, clientClaim{claim, authenticator})
		}
	}
	claims, err := a.oneProof(claims, r.Header, form)
	if err != nil {
		return nil, err
	}
	return claims, oneClient(claims, form)
}

// oneProof returns the claims with a carrier, or all if none has one. It returns an error
// if the request carries two proofs, or one that no claim is about.
func (a *clientAuthentication) oneProof(claims []clientClaim, header http.Header, form url.Values) ([]clientClaim, error) {
	none := oauthkit.ProofCarrier{}
	carrier := none
	for _, claim := range claims {
		if own := claim.by.Carrier(); own != none {
			carrier = own // if there is another one, it counts as unread
		}
	}
	unread := a.unreadProof(header, form, carrier)
	switch {
	case carrier != none && unread != "":
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "the application authenticates in more than one way")
	case unread != "":
		return nil, oauthkit.Errorf(oauthkit.InvalidClient, "%s is not supported", unread)
	case carrier == none:
		return claims, nil
	default:
		return slices.DeleteFunc(claims, func(claim clientClaim) bool { return claim.by.Carrier() != carrier }), nil
	}
}

// unreadProof names a header or a parameter that carries a proof and is not the carrier.
// It returns "" if there is none.
func (a *clientAuthentication) unreadProof(header http.Header, form url.Values, carrier oauthkit.ProofCarrier) string {
	if carrier.Scheme == "" && len(header.Values("Authorization")) > 0 {
		return "the scheme of the Authorization header"
	}
	for _, other := range a.carriers {
		if other != carrier && isCarried(other, header, form) {
			return other.Header + other.Parameter
		}
	}
	switch { // even if no listed method reads them
	case carrier.Parameter != "client_secret" && form.Has("client_secret"):
		return "client_secret"
	case carrier.Parameter != "client_assertion" && (form.Has("client_assertion") || form.Has("client_assertion_type")):
		return "client_assertion" // RFC 7521 §4.2
	default:
		return ""
	}
}

// isCarried reports whether the request has the header or the parameter.
func isCarried(carrier oauthkit.ProofCarrier, header http.Header, form url.Values) bool {
	return carrier.Header != "" && len(header.Values(carrier.Header)) > 0 || carrier.Parameter != "" && form.Has(carrier.Parameter)
}

// oneClient returns an error unless all claims, and client_id if it is sent, name the
// same client.
func oneClient(claims []clientClaim, form url.Values) error {
	if len(claims) == 0 || claims[0].ClientID == "" {
		return oauthkit.Errorf(oauthkit.InvalidClient, "the application did not say who it is")
	}
	clientID := claims[0].ClientID
	if form.Has("client_id") && form.Get("client_id") != clientID {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "client_id is not the one that authenticates")
	}
	for _, claim := range claims[1:] {
		if claim.ClientID != clientID {
			return oauthkit.Errorf(oauthkit.InvalidRequest, "the request names more than one client")
		}
	}
	return nil
}

// claimedID returns the client_id that the request claims, without proof. It returns ""
// if there is none, or if there are two.
func (a *clientAuthentication) claimedID(r *http.Request, form url.Values) string {
	claimed := form.Get("client_id")
	if len(r.Header.Values("Authorization")) > 1 {
		return claimed
	}
	for _, authenticator := range a.authenticators {
		claim, used, err := authenticator.Claim(r, form)
		if err != nil || !used || claim.ClientID == "" || claim.ClientID == claimed {
			continue
		}
		if claimed != "" {
			return ""
		}
		claimed = claim.ClientID
	}
	return claimed
}

// isClaimed reports whether the request carries a proof, which need not be valid: the
// caller only saves the work for requests that anyone could send without one.
func (a *clientAuthentication) isClaimed(r *http.Request, sent *body) bool {
	if r.Header.Get("Authorization") != "" || r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return true
	}
	return slices.ContainsFunc(a.carriers, func(carrier oauthkit.ProofCarrier) bool {
		return carrier.Header != "" && r.Header.Get(carrier.Header) != "" || carrier.Parameter != "" && sent.has(carrier.Parameter)
	})
}

// challenge sets WWW-Authenticate if the client is refused and sent an Authorization
// header (RFC 6749 §5.2).
func (a *clientAuthentication) challenge(w http.ResponseWriter, r *http.Request, err error) {
	if oauthkit.CodeOf(err) == oauthkit.InvalidClient && r.Header.Get("Authorization") != "" && len(a.challenges) > 0 {
		w.Header()["Www-Authenticate"] = []string{strings.Join(a.challenges, ", ")}
	}
}
