package oauthkit

import (
	"context"
	"errors"
	"log/slog"
	"net/url"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// This file finds who asks for an authorization and where the answer goes. Until both are certain, only the user can be told what is
// wrong (RFC 6749 §4.1.2.1).

// authorizingApplication returns who asks.
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

// verifiedRedirectURI returns the redirect_uri if it is one of the application's. It must be sent, even where the
// application has only one (OpenID Connect Core §3.1.2.1).
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

// recordShown tells the observer of a refusal that only the user can be shown. That no answer could be given is not one.
func (p *Provider) recordShown(ctx context.Context, clientID string, err error) {
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code != TemporarilyUnavailable {
		p.Record(ctx, AuthorizeRejected{ApplicationID: clientID, Code: refusal.Code, Reason: ReasonOf(err), Description: refusal.Description, Shown: true})
	}
}

// explainRedirectURI logs which part of a redirect URI differs. The user and the application are not told.
func (p *Provider) explainRedirectURI(ctx context.Context, app Application, requested string) {
	if !p.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for _, registered := range RegisteredRedirectURIs(app) {
		p.config.Logger.DebugContext(ctx, "redirect_uri is not the application's",
			"client_id", app.GetID(), "registered", registered, "differs", redirect.Difference(registered, requested))
	}
}
