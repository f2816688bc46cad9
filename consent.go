package oauthkit

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// ConsentRequest is what an application asks a user to allow, however the request
// arrived: at the authorization endpoint, or at an endpoint of an extension, which
// makes one itself.
type ConsentRequest struct {
	// Application is the application that sent the request.
	Application Application
	// GrantType is the grant type under which its tokens are issued.
	GrantType oauth2.GrantType
	// Form holds the parameters of authorization requests as they were sent. Others are
	// dropped, such as the client's secret.
	Form url.Values
	// Scopes are the requested scopes, or the defaults. All of them exist and are
	// allowed to the application.
	Scopes Scopes
	// Resources are the APIs that a token is requested for (RFC 8707).
	// If empty, it is for any.
	Resources URIs
	// Claims are the claims about the user that the application requests beside Scopes.
	// The consent page must show them. Consent to them is not remembered: unless the
	// application is trusted, the user is asked each time.
	Claims []string
	// Params are kept in the Authorization. They may be nil.
	Params map[string]string
	// Now is when the request arrived.
	Now time.Time
	// AskConsent requests consent even if it is remembered, and even for trusted
	// applications (prompt=consent).
	AskConsent bool
	// ApprovalPrompt tells whether remembered consent is enough.
	ApprovalPrompt ApprovalPrompt

	redirectURI string // verified; empty if the response goes to no redirect URI
	// withoutSecret means that a part of the response can be used without the secret of
	// the application.
	withoutSecret bool
}

// RedirectURI returns the redirect URI that gets the response, exactly as it was
// sent. It is empty if an extension delivers the response in another way.
func (r *ConsentRequest) RedirectURI() string { return r.redirectURI }

// NewConsentRequest returns a request of an application that was authenticated at an
// endpoint of an extension. It reads scope and resource from form as the authorization
// endpoint does, and keeps its parameters only. The error is an [*Error] for the
// application.
func (p *Provider) NewConsentRequest(ctx context.Context, app Application, grant oauth2.GrantType, form url.Values) (*ConsentRequest, error) {
	form = maps.Clone(form)
	p.keepKnown(form)
	request := &ConsentRequest{Application: app, GrantType: grant, Form: form, Now: p.Now(), ApprovalPrompt: p.config.ApprovalPrompt}
	if !app.AllowsGrant(grant) {
		return nil, Errorf(UnauthorizedClient, "the application may not use grant_type %s", string(grant))
	}
	var err error
	if request.Resources, err = p.requestedResources(ctx, app, form); err != nil {
		return nil, err
	}
	request.Scopes, err = p.grantedScopes(ctx, app, ScopeRequest{GrantType: grant, Form: form})
	return request, err
}

// Decision is the answer of a user to a request for consent.
type Decision struct {
	// Consent is the consent that [Provider.RememberedConsent] returned.
	Consent *Consent
	// Given means that the user approved the request just now.
	Given bool
	// Denied means that the user denied it. [Provider.Approve] then denies it like
	// [Provider.Deny].
	Denied bool
	// Scopes are the requested scopes that the user approved. If nil, they approved all.
	Scopes Scopes
	// InteractionHash is the Interaction to consume. If empty, there is none.
	InteractionHash string
}

// check returns an error if the decision is not about this request, or not of this user.
func (d Decision) check(request *ConsentRequest, user *User) error {
	switch {
	case user == nil || user.Subject == "": // an Authorization without one is the application's own
		return errors.New("oauthkit: Approve: user is nil or has no Subject")
	case d.Consent != nil && (d.Consent.ClientID != request.Application.GetID() || d.Consent.Subject != user.Subject):
		return errors.New("oauthkit: Approve: the Consent is of another application or user")
	default:
		return nil
	}
}

// approved returns the scopes that the user approved.
func (d Decision) approved(request *ConsentRequest) (Scopes, error) {
	if d.Scopes == nil {
		return request.Scopes, nil
	}
	if !request.Scopes.ContainsAll(d.Scopes) {
		return nil, Errorf(InvalidScope, "more was approved than asked for")
	}
	return d.Scopes, nil
}

// RememberedConsent returns the remembered consent of the user, nil if there is
// none, and whether it is enough to answer the request without asking.
func (p *Provider) RememberedConsent(ctx context.Context, request *ConsentRequest, user *User) (consent *Consent, enough bool, err error) {
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
		return nil, false, nil // so that the next approval does not restore it
	}
	enough = !request.AskConsent && request.ApprovalPrompt != ApprovalForce && len(request.Claims) == 0 &&
		consent.Covers(request.Scopes, request.Resources) && request.identifiesApplication()
	return consent, enough, nil
}

// skipsConsent reports whether the user is not asked for consent because the
// application is trusted.
func (p *Provider) skipsConsent(ctx context.Context, request *ConsentRequest, user *User) (bool, error) {
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

// identifiesApplication reports whether only the application itself can use the
// response. Without its secret, an application is identified by its redirect URI alone,
// and only an https address has an owner (RFC 8252 §8.6).
func (r *ConsentRequest) identifiesApplication() bool {
	return !r.Application.IsPublic() && !r.withoutSecret || strings.HasPrefix(r.redirectURI, "https://")
}

// ApplicationDigest returns the current value for Consent.ApplicationDigest. It
// covers the name and the redirect URIs, which the consent page shows, so that an
// answer to the page is valid only while they are the same. It also covers the
// client type, because a secret no longer distinguishes an application that became
// public from an impostor.
func (r *ConsentRequest) ApplicationDigest() string {
	addresses := []string{r.Application.GetDomain()}
	if described, ok := r.Application.(Described); ok {
		addresses = slices.Sorted(slices.Values(described.RegisteredRedirectURIs()))
	}
	kind := string(Confidential)
	if r.Application.IsPublic() {
		kind = string(Public)
	}
	return secret.Hash(strings.Join(append([]string{DisplayName(r.Application), kind}, addresses...), "\x00"))
}

// Approve saves the Authorization that the user allowed, in one act with the consent
// and the consumed Interaction. Before that, it calls add once, which adds credentials
// to the approval and must set the ExpiresAt of the Authorization, as
// [Approval.KeepUntil] does. An approval without a credential expires at once.
//
// The error wraps [ErrEnded] if the application was disabled or deleted concurrently or,
// with the code [LoginRequired], if the user must sign in again because the session has
// ended. It wraps [ErrRevoked] if the remembered consent was revoked, so that the user
// must be asked, and [ErrReplayed] or [ErrNotFound] if the Interaction cannot be
// consumed.
func (p *Provider) Approve(ctx context.Context, request *ConsentRequest, user *User, decision Decision, add func(approval *Approval) error) error {
	if err := decision.check(request, user); err != nil {
		return err
	}
	if decision.Denied {
		return p.Deny(ctx, request, user, decision.InteractionHash)
	}
	switch active, err := p.userIsActive(ctx, user.Subject); {
	case err != nil:
		return err
	case !active:
		return Errorf(AccessDenied, "the user's account is not active")
	}
	scopes, err := decision.approved(request)
	if err != nil {
		return err
	}
	approval := &Approval{
		Authorization:   p.newAuthorization(request, user, scopes),
		Consent:         decision.Consent,
		InteractionHash: decision.InteractionHash,
	}
	if decision.Given {
		approval.giveConsent(decision.Consent, request)
	}
	if err := add(approval); err != nil {
		return err
	}
	approval.KeepUntil(request.Now)
	if approval.Code == nil { // otherwise the token request does it
		p.keepInSession(request.Application, approval.Authorization, request.Now)
	}
	err = p.saveApproval(ctx, request, approval)
	if errors.Is(err, ErrEnded) {
		return p.endedError(ctx, request, approval.Authorization)
	}
	if err != nil {
		return err
	}
	p.recordApproval(ctx, request, approval, decision)
	return nil
}

// AddCode adds a code by its [CredentialHash]. The application can redeem it once, until
// expiresAt: as the credential of a grant without a redirect URI, in a grant that calls
// RedeemCode of package grants.
func (a *Approval) AddCode(hash string, expiresAt time.Time) {
	a.Code = &AuthorizationCode{
		Hash: hash, Authorization: a.Authorization, IssuedAt: a.Authorization.CreatedAt, ExpiresAt: expiresAt,
	}
	a.KeepUntil(expiresAt)
}

// KeepUntil extends the Authorization until a credential that is added to the
// approval expires.
func (a *Approval) KeepUntil(expiresAt time.Time) {
	if a.Authorization.ExpiresAt.Before(expiresAt) {
		a.Authorization.ExpiresAt = expiresAt
	}
}

func (p *Provider) recordApproval(ctx context.Context, request *ConsentRequest, approval *Approval, decision Decision) {
	authorization := approval.Authorization
	if decision.Given {
		p.recordFor(ctx, request.Application, ConsentGranted{
			ClientID: authorization.ClientID, Subject: authorization.Subject, Scopes: authorization.Scopes,
		})
	}
	granted := AuthorizationGranted{
		ClientID: authorization.ClientID, Subject: authorization.Subject,
		AuthorizationID: authorization.ID, Scopes: authorization.Scopes,
	}
	if approval.Code != nil {
		granted.CodeID = secret.ID(approval.Code.Hash)
	}
	p.recordFor(ctx, request.Application, granted)
}

// newAuthorization returns an Authorization without expiry. It expires with its
// credentials until the exchange for tokens sets the final expiry, so that an unused
// response is not kept longer than necessary.
func (p *Provider) newAuthorization(request *ConsentRequest, user *User, scopes Scopes) *Authorization {
	return &Authorization{
		ID:        secret.NewID(),
		ClientID:  request.Application.GetID(),
		Subject:   user.Subject,
		Scopes:    scopes,
		Resources: request.Resources,
		AuthTime:  user.AuthTime,
		ACR:       user.ACR,
		AMR:       user.AMR,
		SessionID: p.SessionID(user),
		Params:    request.Params,
		CreatedAt: request.Now,
	}
}

// giveConsent sets the Consent to the scopes that the user approved just now and to
// the remembered ones, if there are any. It removes scopes that the page showed and
// the user did not approve.
func (a *Approval) giveConsent(remembered *Consent, request *ConsentRequest) {
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
	if consent.coversAll(widened) { // otherwise scopes that the page did not show keep their expiry
		widened.UpdatedAt = consent.UpdatedAt
	}
	widened.approve(a.Authorization.Scopes, a.Authorization.Resources)
	a.Consent, a.ConsentUse = widened, ConsentWidened
}

// saveApproval saves the approval. If the consent to widen was revoked concurrently,
// it saves only the scopes that the user approved just now.
func (p *Provider) saveApproval(ctx context.Context, request *ConsentRequest, approval *Approval) error {
	err := p.store.SaveApproval(ctx, approval)
	if approval.ConsentUse == ConsentWidened && errors.Is(err, ErrRevoked) {
		approval.giveConsent(nil, request)
		err = p.store.SaveApproval(ctx, approval)
	}
	if errors.Is(err, ErrEnded) {
		return err
	}
	return storeError(err)
}

// endedError returns the error of an approval during which everything of the
// application or the user was being revoked, or whose session has ended. If the
// application was disabled or deleted, it is unknown now, and only the user can be told.
// Otherwise the user has to sign in again, which begins another session. If it is not
// known which session it was, the error is sent to the application.
func (p *Provider) endedError(ctx context.Context, request *ConsentRequest, authorization *Authorization) error {
	_, err := p.Application(ctx, request.Application.GetID())
	switch {
	case errors.Is(err, ErrNotFound):
		err = Errorf(InvalidRequest, "the application is not known").WithReason(ReasonApplicationUnknown).WithCause(ErrEnded)
		p.recordShown(ctx, request.Application.GetID(), err)
		return err
	case err != nil:
		return err
	case authorization.SessionID != "":
		return Errorf(LoginRequired, "the session of the user has ended").WithCause(ErrEnded)
	default:
		return Errorf(AccessDenied, "what the application has was revoked while the request was answered")
	}
}

// Deny consumes the Interaction, unless interactionHash is empty, without an
// Authorization. It returns the error to send to the application.
func (p *Provider) Deny(ctx context.Context, request *ConsentRequest, user *User, interactionHash string) error {
	if interactionHash != "" {
		if err := p.store.ConsumeInteraction(ctx, interactionHash, request.Now); err != nil {
			return storeError(err)
		}
	}
	p.recordFor(ctx, request.Application, ConsentDenied{ClientID: request.Application.GetID(), Subject: user.Subject, Scopes: request.Scopes})
	return Errorf(AccessDenied, "the user denied the request")
}

// Covers reports whether the user has approved all scopes for each of the resources
// or, if there are no resources, for every API. Scopes that were approved for every
// API are approved for each.
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

// allScopes returns the scopes that the user has approved for any API.
func (c *Consent) allScopes() Scopes {
	all := c.Scopes
	for _, scopes := range c.ResourceScopes {
		all = all.Union(scopes)
	}
	return all
}

// coversAll reports whether the Consent covers everything that other does.
func (c *Consent) coversAll(other *Consent) bool {
	for resource, scopes := range other.ResourceScopes {
		if !c.Covers(scopes, URIs{resource}) {
			return false
		}
	}
	return c.Covers(other.Scopes, nil)
}

// approve adds the scopes for each of the resources or, if there are none, for every API.
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

// without returns a copy without the scopes that removed reports, for
// every API and for single ones.
func (c *Consent) without(removed func(scope string) bool) *Consent {
	rest := *c
	rest.Scopes, rest.ResourceScopes = slices.DeleteFunc(slices.Clone(c.Scopes), removed), maps.Clone(c.ResourceScopes)
	for resource, scopes := range rest.ResourceScopes {
		rest.ResourceScopes[resource] = slices.DeleteFunc(slices.Clone(scopes), removed)
	}
	return &rest
}

// trustedFacts are the properties on which the operator's trust rests, as the
// application's methods return them and as its fields hold them.
type trustedFacts struct {
	name, displayName string
	public            bool
	uris, registered  URIs
	scopes            Scopes
	responseTypes     ResponseTypes
}

func trustedFactsOf(app Application) trustedFacts {
	facts := trustedFacts{displayName: DisplayName(app), public: app.IsPublic(), registered: slices.Clone(RegisteredRedirectURIs(app))}
	if abstract := Abstract(app); abstract != nil {
		facts.name, facts.uris, facts.scopes = abstract.Name, slices.Clone(abstract.RedirectURIs), slices.Clone(abstract.Scopes)
		facts.responseTypes = slices.Clone(abstract.ResponseTypes)
	}
	return facts
}

// revokeTrust revokes the operator's trust in an application that has another name
// or other addresses. One that only has more scopes or response types stays verified,
// but its users are asked for consent. One with other addresses or another client type
// can be other software, which must use PKCE.
func revokeTrust(app Application, before trustedFacts) {
	after := trustedFactsOf(app)
	sameSoftware := after.public == before.public &&
		slices.Equal(after.uris, before.uris) && slices.Equal(after.registered, before.registered)
	same := sameSoftware && after.name == before.name && after.displayName == before.displayName
	if abstract := Abstract(app); abstract != nil {
		if abstract.PKCE.isWeak() && !sameSoftware {
			abstract.PKCE = PKCERequired
		}
		abstract.Verified = abstract.Verified && same
		abstract.SkipAuthorization = abstract.SkipAuthorization && same && before.scopes.ContainsAll(after.scopes) &&
			before.responseTypes.allowsAll(after.responseTypes)
	}
}
