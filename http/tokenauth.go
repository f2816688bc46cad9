package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file authenticates applications by an access token of their own, which RFC 7662
// §2.1 allows at the introspection endpoint.

// acceptsToken reports whether an application can authenticate by a token, and the
// request has an Authorization header with the scheme of one. A scheme that a client
// authentication method uses belongs to that method.
func (h *Handler) acceptsToken(r *http.Request, found route) bool {
	if found.tokenScope == "" {
		return false
	}
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, isToken := h.provider.KeyBindings().Scheme(scheme)
	return isToken && !h.clients.usesScheme(scheme)
}

// usesScheme reports whether a method carries its proof in an Authorization header with
// this scheme.
func (a *clientAuthentication) usesScheme(scheme string) bool {
	return slices.ContainsFunc(a.authenticators, func(authenticator oauthkit.ClientAuthenticator) bool {
		return strings.EqualFold(authenticator.Carrier().Scheme, scheme)
	})
}

// authenticateByToken returns the application that an access token was issued to. The
// token must have the scope, come from the client_credentials grant and not be restricted
// to some API: a token that a user allowed proves nothing about the application.
func (h *Handler) authenticateByToken(w http.ResponseWriter, r *http.Request, form url.Values, scope string) (oauthkit.Application, error) {
	presented, err := wire.ReadToken(w, r, nil, h.provider.KeyBindings())
	if err != nil {
		return nil, err
	}
	if h.clients.unreadProof(r.Header, form, oauthkit.ProofCarrier{Scheme: presented.Scheme}) != "" {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "the application authenticates in more than one way")
	}
	token, err := h.provider.Authenticate(r.Context(), presented)
	switch {
	case err != nil:
		return nil, wire.RefusedToken(err)
	case token.Authorization.Subject != "" || len(token.Resources) > 0:
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not for this endpoint")
	case form.Has("client_id") && form.Get("client_id") != token.Authorization.ClientID:
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "client_id is not the one that authenticates")
	case !token.Scopes.Contains(scope):
		return nil, wire.InsufficientScope()
	}
	app, err := h.provider.Application(r.Context(), token.Authorization.ClientID)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not valid")
	case err != nil:
		return nil, err
	case app.IsPublic() || !app.AllowsScope(scope): // changed since the token was issued
		return nil, wire.InsufficientScope()
	default:
		return app, nil
	}
}

// introspectionAuthMethods returns the methods of the introspection endpoint for the
// metadata: client authentication methods that prove something, and types of access
// tokens if applications can get one for themselves (RFC 8414 §2).
func (h *Handler) introspectionAuthMethods() []string {
	methods := slices.Clone(h.clients.proofMethods)
	if !slices.Contains(h.provider.GrantTypes(), oauth2.ClientCredentials) {
		return methods
	}
	types := []string{"Bearer"}
	for _, binding := range h.provider.KeyBindings() {
		if binding.TokenType != "" && !slices.Contains(types, binding.TokenType) {
			types = append(types, binding.TokenType)
		}
	}
	return append(methods, slices.DeleteFunc(types, h.clients.usesScheme)...)
}
