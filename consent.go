package oauthkit

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Decision is what the user's answer to an authorization request rests on.
type Decision struct {
	// Consent is what [Provider.RememberedConsent] returned.
	Consent *Consent
	// Given says that the user approved the request just now.
	Given bool
	// Scopes are those of the request's that he approved. Nil: all of them.
	Scopes Scopes
	// InteractionHash is the Interaction that the decision ends; empty: there was none.
	InteractionHash string
}

// approved returns the scopes that the user approved.
func (d Decision) approved(request *AuthorizeRequest) (Scopes, error) {
	if d.Scopes == nil {
		return request.Scopes, nil
	}
	if !request.Scopes.ContainsAll(d.Scopes) {
		return nil, Errorf(InvalidScope, "more was approved than asked for")
	}
	return d.Scopes, nil
}

// RememberedConsent returns what the user has approved for the application before, nil for nothing, and whether that is
// enough to answer the request without asking.
func (p *Provider) RememberedConsent(ctx context.Context, request *AuthorizeRequest, user *User) (consent *Consent, enough bool, err error) {
	if skips, err := p.skipsConsent(ctx, request, user); err != nil || skips {
		return nil, skips, err
	}
	consent, err = p.store.Consent(ctx, request.Application.GetID(), user.Subject)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, Unavailable(err)
	}
	expired := p.config.ConsentLifetime > 0 && !request.Now.Before(consent.UpdatedAt.Add(p.config.ConsentLifetime))
	if expired || consent.ApplicationDigest != request.ApplicationDigest() {
		return nil, false, nil // so that what is approved next does not bring it back
	}
	enough = !request.AskConsent && request.approvalPrompt != ApprovalForce &&
		consent.Covers(request.Scopes, request.Resources) && request.identifiesApplication()
	return consent, enough, nil
}

// Approve makes the Authorization that the user allowed and returns the response parameters for it. The error wraps [ErrEnded] if the
// application was disabled or deleted meanwhile: only the user can be told so.
func (p *Provider) Approve(ctx context.Context, request *AuthorizeRequest, user *User, decision Decision) (url.Values, error) {
	switch active, err := p.userIsActive(ctx, user.Subject); {
	case err != nil:
		return nil, err
	case !active:
		return nil, Errorf(AccessDenied, "the user's account is not active")
	}
	scopes, err := decision.approved(request)
	if err != nil {
		return nil, err
	}
	authorization := newAuthorization(request, user, scopes)
	approval := &Approval{
		Authorization:   authorization,
		Consent:         decision.Consent,
		InteractionHash: decision.InteractionHash,
	}
	if decision.Given {
		approval.giveConsent(decision.Consent, request)
	}
	response, err := authorize(ctx, request, approval)
	if errors.Is(err, ErrEnded) {
		return nil, p.endedError(ctx, request)
	}
	if err != nil {
		return nil, err
	}
	if decision.Given {
		p.recordFor(ctx, request.Application, ConsentGranted{ClientID: approval.Consent.ClientID, Subject: user.Subject, Scopes: scopes})
	}
	p.recordFor(ctx, request.Application, AuthorizationGranted{
		ClientID: authorization.ClientID, Subject: user.Subject,
		AuthorizationID: authorization.ID, CodeID: CredentialID(response.Get("code")), Scopes: scopes,
	})
	return response, nil
}

// endedError answers an approval that nothing came of. An application that was disabled or deleted is not known any more, which
// only the user can be told; otherwise what it has from the user, or from all users, was revoked at that moment.
func (p *Provider) endedError(ctx context.Context, request *AuthorizeRequest) error {
	_, err := p.Application(ctx, request.Application.GetID())
	switch {
	case errors.Is(err, ErrNotFound):
		err = Errorf(InvalidRequest, "the application is not known").WithReason(ReasonApplicationUnknown).WithCause(ErrEnded)
		p.recordShown(ctx, request.Application.GetID(), err)
		return err
	case err != nil:
		return err
	default:
		return Errorf(AccessDenied, "what the application has was revoked while the request was answered")
	}
}

// authorize saves the approval. Where the consent that it widens was withdrawn meanwhile, all that is left of it is what the
// user approved just now.
func authorize(ctx context.Context, request *AuthorizeRequest, approval *Approval) (url.Values, error) {
	response, err := request.authorizer.Authorize(ctx, request, approval)
	if approval.ConsentUse != ConsentWidened || !errors.Is(err, ErrRevoked) {
		return response, err
	}
	approval.giveConsent(nil, request)
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
	p.recordFor(ctx, request.Application, ConsentDenied{ClientID: request.Application.GetID(), Subject: user.Subject, Scopes: request.Scopes})
	return Errorf(AccessDenied, "the user denied the request")
}

// newAuthorization returns one without an end. The grant sets that of the credential which it hands out, and the exchange for
// tokens the one that lasts: an answer that is never used is kept no longer than it could be.
func newAuthorization(request *AuthorizeRequest, user *User, scopes Scopes) *Authorization {
	return &Authorization{
		ID:        secret.NewID(),
		ClientID:  request.Application.GetID(),
		Subject:   user.Subject,
		Scopes:    scopes,
		Resources: request.Resources,
		AuthTime:  user.AuthTime,
		ACR:       user.ACR,
		AMR:       user.AMR,
		SessionID: user.SessionID,
		Params:    request.Params,
		CreatedAt: request.Now,
	}
}

// giveConsent puts the approval under what the user approved just now, together with what was remembered; nil: nothing. What the page
// showed and he did not approve is not remembered any more.
func (a *Approval) giveConsent(remembered *Consent, request *AuthorizeRequest) {
	consent := &Consent{
		ID:                secret.NewID(),
		ClientID:          a.Authorization.ClientID,
		Subject:           a.Authorization.Subject,
		ApplicationDigest: request.ApplicationDigest(),
		CreatedAt:         a.Authorization.CreatedAt,
		UpdatedAt:         a.Authorization.CreatedAt,
	}
	consent.approve(a.Authorization.Scopes, a.Authorization.Resources)
	a.Consent, a.ConsentUse = consent, ConsentNew
	if remembered == nil {
		return
	}
	widened := remembered.without(func(scope string) bool {
		return request.Scopes.Contains(scope) && !a.Authorization.Scopes.Contains(scope)
	})
	if consent.coversAll(widened) { // what the page did not show keeps its end
		widened.UpdatedAt = consent.UpdatedAt
	}
	widened.approve(a.Authorization.Scopes, a.Authorization.Resources)
	a.Consent, a.ConsentUse = widened, ConsentWidened
}

// trusted reports whether the user is not to be asked at all.
func (p *Provider) skipsConsent(ctx context.Context, request *AuthorizeRequest, user *User) (bool, error) {
	if request.AskConsent || !request.identifiesApplication() {
		return false, nil
	}
	if SkipsConsent(request.Application) || p.config.SkipConsent == nil {
		return SkipsConsent(request.Application), nil
	}
	skips, err := p.config.SkipConsent(ctx, request, user)
	if err != nil {
		return false, Unavailable(err)
	}
	return skips, nil
}

// identifiesApplication reports whether the answer can only reach the application itself. A public one has nothing but its
// redirect URI to be told from an impostor by, and only an https address belongs to somebody (RFC 8252 §8.6).
func (r *AuthorizeRequest) identifiesApplication() bool {
	return !r.Application.IsPublic() || strings.HasPrefix(r.redirectURI, "https://")
}

// ApplicationDigest is what Consent.ApplicationDigest is compared with. A page that asks for consent shows what it covers, so an answer
// to the page is one about this application only as long as it is the same. It covers the name, the redirect
// URIs, and the client type: a public application cannot be told from an impostor by its secret.
func (r *AuthorizeRequest) ApplicationDigest() string {
	where := []string{r.Application.GetDomain()}
	if described, ok := r.Application.(Described); ok {
		where = slices.Sorted(slices.Values(described.RegisteredRedirectURIs()))
	}
	kind := string(Confidential)
	if r.Application.IsPublic() {
		kind = string(Public)
	}
	return secret.Hash(strings.Join(append([]string{DisplayName(r.Application), kind}, where...), "\x00"))
}

// Covers reports whether the user has approved all of the scopes for each of the resources; without resources, for every API. What
// was approved for every API is approved for each.
func (c *Consent) Covers(scopes Scopes, resources URIs) bool {
	if len(resources) == 0 {
		return c.Scopes.ContainsAll(scopes)
	}
	for _, resource := range resources {
		if !c.Scopes.Union(c.ResourceScopes[resource]).ContainsAll(scopes) {
			return false
		}
	}
	return true
}

// allScopes returns what the user has approved for any API.
func (c *Consent) allScopes() Scopes {
	all := c.Scopes
	for _, scopes := range c.ResourceScopes {
		all = all.Union(scopes)
	}
	return all
}

// coversAll reports whether whoever approved this approved all of other as well.
func (c *Consent) coversAll(other *Consent) bool {
	for resource, scopes := range other.ResourceScopes {
		if !c.Covers(scopes, URIs{resource}) {
			return false
		}
	}
	return c.Covers(other.Scopes, nil)
}

// approve adds the scopes for each of the resources, and nothing for any other; without resources, for every API.
func (c *Consent) approve(scopes Scopes, resources URIs) {
	if len(resources) == 0 {
		c.Scopes = c.Scopes.Union(scopes)
		return
	}
	approved := maps.Clone(c.ResourceScopes)
	if approved == nil {
		approved = map[string]Scopes{}
	}
	for _, resource := range resources {
		approved[resource] = approved[resource].Union(scopes)
	}
	c.ResourceScopes = approved
}

// without returns what remains, for every API and for single ones, when some scopes are taken back.
func (c *Consent) without(removed func(scope string) bool) *Consent {
	rest := *c
	rest.Scopes, rest.ResourceScopes = slices.DeleteFunc(slices.Clone(c.Scopes), removed), maps.Clone(c.ResourceScopes)
	for resource, scopes := range rest.ResourceScopes {
		rest.ResourceScopes[resource] = slices.DeleteFunc(slices.Clone(scopes), removed)
	}
	return &rest
}
