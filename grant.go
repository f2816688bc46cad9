package oauthkit

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-oauth2/oauth2/v4"
)

// Grant is a grant type at the token endpoint (RFC 6749 §1.3). A Grant that is also
// an [Extension] extends the provider. One that is a [Responder] starts at the
// authorization endpoint, and applications that may not use the grant may not request
// its word. One that is a [CredentialFinder] has credentials of its own, which can be
// introspected and revoked.
type Grant interface {
	// GrantType returns the value of grant_type.
	GrantType() oauth2.GrantType
	// Exchange answers a token request. The application is guaranteed to be
	// authenticated and allowed to use the grant. Exchange must check the whole proof,
	// with [TokenRequest.CheckConfirmation] that of a key, before it consumes anything,
	// and end with [TokenRequest.Issue].
	Exchange(ctx context.Context, request *TokenRequest) (*TokenResponse, error)
}

// ImplicitGrant is the grant type of requests at the authorization endpoint to which
// no [Grant] responds (RFC 7591 §2.1). No token request can use it.
const ImplicitGrant oauth2.GrantType = "implicit"

// Responder adds one part of an authorization response: the part that a word of
// response_type requests (RFC 6749 §3.1.1). A [Grant] that is a Responder is listed in
// Config.Grants, any other Responder is added with [Registry.Responder]. The responders
// of a request are called in the order code, token, id_token, and then further words in
// alphabetical order, so that a part can contain a hash of an earlier one.
type Responder interface {
	// ResponseType returns the word.
	ResponseType() ResponseType
	// ValidateAuthorize checks the parameters of this part in the request. Its error
	// is sent to the application.
	ValidateAuthorize(request *AuthorizeRequest) error
	// Respond adds the part to the answer. It must save nothing itself, and extend the
	// Authorization to the expiry of its credential with [Approval.KeepUntil]. An error
	// that is not an [Error] is a failure, which is answered with 503.
	Respond(ctx context.Context, request *AuthorizeRequest, answer *AuthorizeAnswer) error
}

// AuthorizeAnswer is a successful authorization response under construction.
type AuthorizeAnswer struct {
	// Approval is saved when every part was added. Its Code and Tokens are saved with
	// it in one act.
	Approval *Approval
	// Parameters are sent, with the state and the issuer.
	Parameters url.Values
}

// IssueAccessToken adds an access token to the answer, for all scopes that the user
// allowed (RFC 6749 §4.2.2). It is bound to the Confirmation of the request, if that is
// not zero. There is no refresh token.
func (a *AuthorizeAnswer) IssueAccessToken(ctx context.Context, request *AuthorizeRequest) error {
	issuing := &TokenRequest{
		Application: request.Application, Form: request.Form, Confirmation: request.Confirmation, Now: request.Now,
		grant: ImplicitGrant, provider: request.provider,
	}
	authorization := *a.Approval.Authorization
	authorization.ExpiresAt = request.Now.Add(maxLifetime) // so that only the lifetime of the token limits it
	tokens, issued, err := issuing.mint(ctx, &Issuance{Authorization: &authorization, Scopes: authorization.Scopes})
	if err != nil {
		return err
	}
	tokens.Access.Authorization = a.Approval.Authorization
	a.Approval.Tokens = &tokens
	a.Approval.KeepUntil(tokens.Access.ExpiresAt)
	a.Parameters.Set("access_token", issued.Response.AccessToken)
	a.Parameters.Set("token_type", issued.Response.TokenType)
	a.Parameters.Set("expires_in", strconv.FormatInt(issued.Response.ExpiresIn, 10))
	if issued.Response.Scope != "" { // RFC 6749 §3.3: a scope has at least one word
		a.Parameters.Set("scope", issued.Response.Scope)
	}
	return nil
}

// CredentialFinder is a [Grant] with credentials that can be introspected (RFC 7662)
// and revoked (RFC 7009).
type CredentialFinder interface {
	Grant
	// FindCredential returns the credential that token stands for. It must return
	// ErrNotFound, without calling the store, if token does not have the form of the
	// grant's credentials.
	FindCredential(ctx context.Context, token string) (*Credential, error)
}

// addResponder adds the responder of a word.
func (p *Provider) addResponder(responder Responder) error {
	word := responder.ResponseType()
	if !word.isValid() || len(word.Words()) != 1 {
		return fmt.Errorf("response type %q is not one word (RFC 6749 appendix A.3)", word)
	}
	if p.responders[word] != nil {
		return fmt.Errorf("response type %q is listed twice", word)
	}
	p.responders[word] = responder
	return nil
}

// addResponseTypes finds the responders of every type that the host allows.
func (p *Provider) addResponseTypes() error {
	types := p.config.ResponseTypes
	if types == nil && p.responders[ResponseTypeCode] != nil {
		types = []ResponseType{ResponseTypeCode}
	}
	for _, listed := range types {
		responseType := ParseResponseType(string(listed))
		if !responseType.isValid() {
			return fmt.Errorf("%q is not a set of words (RFC 6749 §3.1.1)", listed)
		}
		var responders []Responder
		for _, word := range responseType.Words() {
			responder := p.responders[ResponseType(word)]
			if responder == nil {
				return fmt.Errorf("%q: no grant and no extension responds to %q", listed, word)
			}
			responders = append(responders, responder)
		}
		slices.SortStableFunc(responders, func(a, b Responder) int {
			return cmp.Compare(position(a.ResponseType()), position(b.ResponseType()))
		})
		p.responseTypes[responseType] = responders
	}
	return nil
}

// position returns the place of a word in the order of the parts of a response.
func position(word ResponseType) int {
	order := []ResponseType{ResponseTypeCode, ResponseTypeToken, ResponseTypeIDToken}
	if place := slices.Index(order, word); place >= 0 {
		return place
	}
	return len(order)
}
