package oauthkit

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// AuthorizeRequest is an authorization request (RFC 6749 §4.1.1) of a known
// application with a verified redirect URI. Only [Provider.NewAuthorizeRequest] and
// [Provider.ResumeAuthorizeRequest] make one, so that the library can redirect to no
// other URI.
type AuthorizeRequest struct {
	// ConsentRequest is what the application asks the user to allow. Its Form holds
	// the parameters that the library and its extensions know, and those in
	// Config.AuthorizeParameters. Others are dropped.
	ConsentRequest
	// State is returned to the application unchanged (RFC 6749 §4.1.1).
	State string
	// ResponseType is the set of parts that the response must have.
	ResponseType ResponseType
	// ResponseMode is how the response is sent. An error is sent in the same way.
	ResponseMode ResponseMode
	// Provenance tells how the parameters arrived.
	Provenance Provenance

	// Silent requests a response without any page (prompt=none). Extensions set it
	// and the fields below.
	Silent bool
	// AskSignIn requests a new sign-in (prompt=login).
	AskSignIn bool
	// AskAccount requests that the user selects an account (prompt=select_account), with
	// a new sign-in or as User.SelectedAt.
	AskAccount bool
	// AskSignUp requests that the user creates an account (prompt=create). A user who
	// signs in or selects an account instead may proceed.
	AskSignUp bool
	// RequiredACR are authentication context classes. The sign-in must have one of them,
	// as User.ACR. If empty, any sign-in is accepted.
	RequiredACR []string
	// PreferredACR are classes that a sign-in can have. A user whose sign-in has none of
	// them is asked once for another one, unless the request is Silent. Whatever sign-in
	// follows is accepted. If empty, or if RequiredACR is not, it has no effect.
	PreferredACR []string
	// MaxAge is the maximum age of the sign-in, at first that of the application (see
	// [MaxAgeChooser]). If nil, any age is accepted.
	MaxAge *time.Duration
	// Confirmation is the key that the token request must prove to redeem the code,
	// such as that of dpop_jkt (RFC 9449 §10). If zero, it need not prove any.
	Confirmation Confirmation
	// Subject is the only user who may answer. If empty, any user may.
	Subject string

	responders []Responder // in the order in which they respond
	provider   *Provider
}

// maxState is the maximum length of state in bytes.
const maxState = 4096

// NewAuthorizeRequest checks the parameters of a request to the authorization
// endpoint. It takes ownership of form and drops parameters from it.
//
// If it returns no request, the application or its redirect URI is not valid, and
// the error may only be shown to the user: there is no safe address to send it to
// (RFC 6749 §4.1.2.1). If it returns a request and an error, send the error to the
// application, as a [Refusal] with [AuthorizeRequest.Response].
func (p *Provider) NewAuthorizeRequest(ctx context.Context, form url.Values) (*AuthorizeRequest, error) {
	return p.ResumeAuthorizeRequest(ctx, form, Provenance{})
}

// ResumeAuthorizeRequest is NewAuthorizeRequest for parameters that did not arrive at
// the authorization endpoint just now: that waited for the user, or that an extension
// received (RFC 9126 §2.1). The caller must know their Provenance. To keep a request that
// was pushed, keep the Form of the result: it has no client_secret.
func (p *Provider) ResumeAuthorizeRequest(ctx context.Context, form url.Values, provenance Provenance) (*AuthorizeRequest, error) {
	app, err := p.authorizingApplication(ctx, form)
	if err != nil {
		p.recordShown(ctx, "", err)
		return nil, err
	}
	source := AuthorizeSource{Application: app, Form: form, Provenance: provenance}
	if err := p.resolveAuthorize(ctx, &source); err != nil {
		p.recordShown(ctx, app.GetID(), err)
		return nil, err
	}
	redirectURI, err := verifiedRedirectURI(app, source.Form)
	if err != nil {
		p.explainRedirectURI(ctx, app, source.Form.Get("redirect_uri"))
		p.recordShown(ctx, app.GetID(), err)
		return nil, err
	}
	request := &AuthorizeRequest{
		ConsentRequest: ConsentRequest{
			Application: app,
			Form:        source.Form,
			Params:      map[string]string{},
			Now:         p.Now(),
			redirectURI: redirectURI,
		},
		ResponseType: ParseResponseType(source.Form.Get("response_type")),
		Provenance:   source.Provenance,
		MaxAge:       defaultMaxAge(app),
		provider:     p,
	}
	p.readResponseMode(request)
	return request, p.checkAuthorizeRequest(ctx, request)
}

// AuthorizeSource is an authorization request of a known application before its
// redirect URI is looked at, the argument of [Registry.ResolveAuthorize].
type AuthorizeSource struct {
	// Application is the application that client_id names. It is not authenticated.
	Application Application
	// Form holds all parameters as they were sent. To replace them, assign others,
	// which must contain the same client_id. The library changes no Form assigned here.
	Form url.Values
	// Provenance is what is known about Form. Set it together with Form.
	Provenance Provenance
}

// Provenance tells how the parameters of an authorization request reached the
// provider. The zero value means through the browser, where anyone can change them.
type Provenance struct {
	// Pushed means that the application pushed them (RFC 9126).
	Pushed bool
	// Signed means that they were in a signed request object (RFC 9101).
	Signed bool
}

// resolveAuthorize lets extensions replace the parameters, but not the application.
func (p *Provider) resolveAuthorize(ctx context.Context, source *AuthorizeSource) error {
	app := source.Application
	for _, resolve := range p.authorizeResolvers {
		if err := resolve(ctx, source); err != nil {
			return err
		}
	}
	if len(p.authorizeResolvers) > 0 {
		source.Form = maps.Clone(source.Form) // parameters are dropped from it
	}
	clientID := source.Form["client_id"]
	if len(clientID) != 1 || clientID[0] != app.GetID() {
		return Errorf(InvalidRequest, "client_id is not the one of the request that was sent before").WithReason(ReasonApplicationUnknown)
	}
	return nil
}

// authorizingApplication returns the application that client_id names.
func (p *Provider) authorizingApplication(ctx context.Context, form url.Values) (Application, error) {
	if len(form["client_id"]) != 1 {
		return nil, Errorf(InvalidRequest, "client_id is missing or repeated").WithReason(ReasonApplicationUnknown)
	}
	app, err := p.Application(ctx, form.Get("client_id"))
	if errors.Is(err, ErrNotFound) {
		return nil, Errorf(InvalidRequest, "the application is not known").WithReason(ReasonApplicationUnknown)
	}
	return app, err
}

// verifiedRedirectURI returns redirect_uri if the application allows it. It is
// required even if the application has only one (OpenID Connect Core §3.1.2.1).
func verifiedRedirectURI(app Application, form url.Values) (string, error) {
	if len(form["redirect_uri"]) != 1 {
		return "", Errorf(InvalidRequest, "redirect_uri is missing or repeated").WithReason(ReasonRedirectURIMismatch)
	}
	uri := form.Get("redirect_uri")
	if redirect.Check(uri) != nil || !app.AllowsRedirectURI(uri) {
		return "", Errorf(InvalidRequest, "the redirect_uri is not one of the application's").WithReason(ReasonRedirectURIMismatch)
	}
	return uri, nil
}

// explainRedirectURI logs which part of a redirect URI differs. Neither the user nor
// the application sees it.
func (p *Provider) explainRedirectURI(ctx context.Context, app Application, requested string) {
	if !p.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for _, registered := range RegisteredRedirectURIs(app) {
		p.config.Logger.DebugContext(ctx, "redirect_uri does not match",
			"client_id", app.GetID(), "registered", registered, "differs", redirect.Difference(registered, requested))
	}
}

// recordShown records a refusal that is shown to the user. A failure of
// the store is not a refusal.
func (p *Provider) recordShown(ctx context.Context, clientID string, err error) {
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code != TemporarilyUnavailable {
		p.Record(ctx, AuthorizeRejected{ClientID: clientID, Code: refusal.Code, Reason: ReasonOf(err), Description: refusal.Description, Shown: true})
	}
}

// checkAuthorizeRequest makes every check whose error is sent to the application, in
// the order of the specifications.
func (p *Provider) checkAuthorizeRequest(ctx context.Context, request *AuthorizeRequest) error {
	for _, check := range []func(*AuthorizeRequest) error{
		checkParameters,     // RFC 6749 §3.1
		checkRequestObjects, // OpenID Connect Core §6, RFC 9126 §6
		p.dropUnknown,
		p.checkResponseType, // RFC 6749 §3.1.1
		checkResponseMode,   // OAuth 2.0 Multiple Response Type Encoding Practices §2.1, §5
		p.checkApprovalPrompt,
	} {
		if err := check(request); err != nil {
			return err
		}
	}
	if err := p.checkResources(ctx, request); err != nil { // RFC 8707 §2.1
		return err
	}
	if err := p.checkScopes(ctx, request); err != nil { // RFC 6749 §3.3
		return err
	}
	for _, responder := range request.responders {
		if err := responder.ValidateAuthorize(request); err != nil {
			return err
		}
	}
	for _, check := range p.authorizeChecks {
		if err := check(ctx, request); err != nil {
			return err
		}
	}
	return p.keyBindings.check(request.Confirmation)
}

// checkParameters rejects repeated parameters (RFC 6749 §3.1), except resource
// (RFC 8707 §2), and values that are not text. It sets State first, so that the
// other errors carry it.
func checkParameters(request *AuthorizeRequest) error {
	state := request.Form["state"]
	if len(state) > 1 || len(state) == 1 && (len(state[0]) > maxState || !isText(state[0])) {
		return Errorf(InvalidRequest, "state is repeated, longer than %d bytes, or not text", maxState)
	}
	request.State = request.Form.Get("state")
	for name, values := range request.Form {
		if len(values) > 1 && name != "resource" {
			return Errorf(InvalidRequest, "a parameter is repeated")
		}
		if slices.ContainsFunc(values, func(value string) bool { return !isText(value) }) {
			return Errorf(InvalidRequest, "a parameter is not text")
		}
	}
	return nil
}

func checkRequestObjects(request *AuthorizeRequest) error {
	hasObject, hasURI := request.Form.Has("request"), request.Form.Has("request_uri")
	switch {
	case hasObject && hasURI:
		return Errorf(InvalidRequest, "request and request_uri exclude each other")
	case hasObject:
		return Errorf(RequestNotSupported, "request objects are not supported")
	case hasURI:
		return Errorf(RequestURINotSupported, "request_uri is not supported")
	case requiresPushedRequests(request.Application) && !request.Provenance.Pushed:
		return Errorf(InvalidRequest, "this application must push its authorization requests")
	default:
		return nil
	}
}

// authorizeParameters returns the parameters that the library reads.
func authorizeParameters() []string {
	return []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "resource",
		"code_challenge", "code_challenge_method", "prompt", "approval_prompt", "ui_locales",
	}
}

// dropUnknown drops unknown parameters (RFC 6749 §3.1).
func (p *Provider) dropUnknown(request *AuthorizeRequest) error {
	p.keepKnown(request.Form)
	return nil
}

func (p *Provider) keepKnown(form url.Values) {
	maps.DeleteFunc(form, func(name string, _ []string) bool { return !p.parameters[name] })
}

// checkResponseType finds the responders. The application must be allowed the type and
// every grant among the responders.
func (p *Provider) checkResponseType(request *AuthorizeRequest) error {
	if request.ResponseType == "" {
		return Errorf(InvalidRequest, "response_type is missing")
	}
	responders, exists := p.responseTypes[request.ResponseType]
	if !exists {
		return Errorf(UnsupportedResponseType, "response_type is not supported")
	}
	request.responders, request.GrantType = responders, ImplicitGrant
	request.withoutSecret = request.ResponseType != ResponseTypeCode
	allowed := AllowsResponseType(request.Application, request.ResponseType)
	for _, responder := range slices.Backward(responders) {
		if grant, ok := responder.(Grant); ok {
			request.GrantType = grant.GrantType()
			allowed = allowed && request.Application.AllowsGrant(request.GrantType)
		}
	}
	if !allowed {
		return Errorf(UnauthorizedClient, "the application may not use response_type %s", request.ResponseType)
	}
	return nil
}

func (p *Provider) checkResources(ctx context.Context, request *AuthorizeRequest) error {
	resources, err := p.requestedResources(ctx, request.Application, request.Form)
	request.Resources = resources
	return err
}

// ApprovalPrompt is a value of Django OAuth Toolkit's parameter approval_prompt.
type ApprovalPrompt string

// The values of approval_prompt.
const (
	// ApprovalAuto asks users only for consent that is not remembered.
	ApprovalAuto ApprovalPrompt = ""
	// ApprovalForce asks users each time, unless the application is trusted.
	ApprovalForce ApprovalPrompt = "force"
)

// checkApprovalPrompt reads approval_prompt, and prompt=consent, which takes
// precedence and holds for trusted applications too. Other values of prompt belong
// to the extension for OpenID Connect.
func (p *Provider) checkApprovalPrompt(request *AuthorizeRequest) error {
	request.AskConsent = slices.Contains(strings.Fields(request.Form.Get("prompt")), "consent")
	switch value := request.Form.Get("approval_prompt"); value {
	case "":
		request.ApprovalPrompt = p.config.ApprovalPrompt
	case "auto":
		request.ApprovalPrompt = ApprovalAuto
	case "force":
		request.ApprovalPrompt = ApprovalForce
	default:
		return Errorf(InvalidRequest, "approval_prompt is neither auto nor force")
	}
	return nil
}

func (p *Provider) checkScopes(ctx context.Context, request *AuthorizeRequest) error {
	scopes, err := p.grantedScopes(ctx, request.Application, ScopeRequest{GrantType: request.GrantType, Form: request.Form})
	request.Scopes = scopes
	return err
}

// Refusal returns err as response parameters (RFC 6749 §4.1.2.1).
func Refusal(err error) url.Values {
	response := url.Values{"error": {string(CodeOf(err))}}
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Description != "" {
		response.Set("error_description", refusal.Description)
	}
	return response
}
