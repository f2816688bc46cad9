package oauthkit

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Decision is what the user's answer to an authorization request rests on.
type Decision struct {
	// Consent is what [Provider.RememberedConsent] returned.
	Consent *Consent
	// Given says that the user approved the request just now.
	Given bool
	// InteractionHash is the Interaction that the decision ends; empty: there was none.
	InteractionHash string
}

// RememberedConsent returns what the user has approved for the application before, nil for nothing, and whether that is
// enough to answer the request without asking.
func (p *Provider) RememberedConsent(ctx context.Context, request *AuthorizeRequest, user *User) (consent *Consent, enough bool, err error) {
	if SkipsConsent(request.Application) && !request.AskConsent && request.identifiesApplication() {
		return nil, true, nil
	}
	consent, err = p.store.Consent(ctx, request.Application.GetID(), user.Subject)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, Unavailable(err)
	}
	if p.config.ConsentLifetime > 0 && !request.Now.Before(consent.UpdatedAt.Add(p.config.ConsentLifetime)) {
		return nil, false, nil // so that what is approved next does not bring it back
	}
	enough = !request.AskConsent && consent.Scopes.ContainsAll(request.Scopes) && request.identifiesApplication()
	return consent, enough, nil
}

// identifiesApplication reports whether the answer can only reach the application itself. A public one has nothing but its
// redirect URI to be told from an impostor by, and only an https address belongs to somebody (RFC 8252 §8.6).
func (r *AuthorizeRequest) identifiesApplication() bool {
	return !r.Application.IsPublic() || strings.HasPrefix(r.redirectURI, "https://")
}

// Approve makes the Authorization that the user allowed and returns the response parameters for it.
func (p *Provider) Approve(ctx context.Context, request *AuthorizeRequest, user *User, decision Decision) (url.Values, error) {
	if active, err := p.userIsActive(ctx, user.Subject); err != nil || !active {
		return nil, orDenied(err)
	}
	approval := &Approval{
		Authorization:   p.newAuthorization(request, user),
		Consent:         decision.Consent,
		InteractionHash: decision.InteractionHash,
	}
	if decision.Given {
		approval.giveConsent(decision.Consent)
	}
	response, err := authorize(ctx, request, approval)
	if err != nil {
		return nil, err
	}
	if decision.Given {
		p.Record(ctx, ConsentGiven{ApplicationID: approval.Consent.ApplicationID, Subject: user.Subject, Scopes: request.Scopes})
	}
	p.Record(ctx, AuthorizationGranted{
		ApplicationID: approval.Authorization.ApplicationID, Subject: user.Subject,
		AuthorizationID: approval.Authorization.ID, Scopes: request.Scopes,
	})
	return response, nil
}

// authorize saves the approval. Where the consent that it widens was withdrawn meanwhile, all that is left of it is what the
// user approved just now.
func authorize(ctx context.Context, request *AuthorizeRequest, approval *Approval) (url.Values, error) {
	response, err := request.authorizer.Authorize(ctx, request, approval)
	if approval.ConsentUse != ConsentWidened || !errors.Is(err, ErrRevoked) {
		return response, err
	}
	approval.giveConsent(nil)
	return request.authorizer.Authorize(ctx, request, approval)
}

// Deny ends the request without an Authorization. The error is what to send to the application.
func (p *Provider) Deny(ctx context.Context, request *AuthorizeRequest, user *User, interactionHash string) error {
	switch err := p.store.ConsumeInteraction(ctx, interactionHash, request.Now); {
	case errors.Is(err, ErrReplayed), errors.Is(err, ErrNotFound):
		return err
	case err != nil:
		return Unavailable(err)
	}
	p.Record(ctx, ConsentDenied{ApplicationID: request.Application.GetID(), Subject: user.Subject, Scopes: request.Scopes})
	return Errorf(AccessDenied, "the user denied the request")
}

func (p *Provider) newAuthorization(request *AuthorizeRequest, user *User) *Authorization {
	return &Authorization{
		ID:            secret.NewID(),
		ApplicationID: request.Application.GetID(),
		Subject:       user.Subject,
		Scopes:        request.Scopes,
		AuthTime:      user.AuthTime,
		ACR:           user.ACR,
		AMR:           user.AMR,
		SessionID:     user.SessionID,
		Params:        request.Params,
		CreatedAt:     request.Now,
		ExpiresAt:     request.Now.Add(p.authorizationLifetime(request.Application)),
	}
}

// giveConsent puts the approval under what the user approved just now, together with what was remembered; nil: nothing.
func (a *Approval) giveConsent(remembered *Consent) {
	consent := &Consent{
		ID:            secret.NewID(),
		ApplicationID: a.Authorization.ApplicationID,
		Subject:       a.Authorization.Subject,
		CreatedAt:     a.Authorization.CreatedAt,
	}
	a.Consent, a.ConsentUse = consent, ConsentAnew
	if remembered != nil {
		*consent, a.ConsentUse = *remembered, ConsentWidened
	}
	consent.Scopes = consent.Scopes.Union(a.Authorization.Scopes)
	consent.UpdatedAt = a.Authorization.CreatedAt
}

func orDenied(err error) error {
	if err != nil {
		return err
	}
	return Errorf(AccessDenied, "the user's account is not active")
}
