package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// Section numbers in this file refer to OpenID Connect Back-Channel Logout 1.0.

// BackChannelLogout configures logout tokens. They are sent to each application with a
// back-channel logout URI (see [oauthkit.LogoutClient]) after a session ended in which it
// was, or after its access to a user was revoked. Each is a [oauthkit.Notice], saved in
// the act that it is about, so that none is lost. [oauthkit.Run] delivers them.
//
// If the store is not a [oauthkit.NoticeStore], no logout tokens are sent, and the
// metadata says so. Config.Fetch of the provider says which addresses are allowed.
type BackChannelLogout struct {
	// Disable switches logout tokens off: no notices are saved, and the metadata says
	// that they are not supported.
	Disable bool
	// Deliver delivers a notice instead of the library. For example, it puts the notice
	// into the host's job queue, whose worker calls [Extension.SendLogoutToken]. If it
	// returns nil, the library forgets the notice; after an error it calls Deliver again
	// later. It is called only for applications with a back-channel logout URI. If nil,
	// the library sends the token itself.
	Deliver func(ctx context.Context, notice *oauthkit.Notice) error
}

const (
	// logoutReceiver is the name of the receiver in stored notices.
	logoutReceiver = "backchannel_logout"
	// logoutTokenType is the typ header of logout tokens (§2.4).
	logoutTokenType = "logout+jwt"
	// logoutEvent is the member of the claim events (§2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutTokenLifetime is short, because each attempt has a new token (§4).
	logoutTokenLifetime = 2 * time.Minute
	// maxLogoutResponse limits the part of a response that is read for the error.
	maxLogoutResponse = 4 << 10
)

// addBackChannelLogout adds the receiver of notices, unless it is switched off or the
// store cannot save them.
func (e *Extension) addBackChannelLogout(registry *oauthkit.Registry) {
	_, able := e.provider.Store().(oauthkit.NoticeStore)
	if e.config.BackChannelLogout.Disable || !able {
		return
	}
	registry.NoticeReceiver(backChannel{e})
	registry.Metadata(group, func(metadata map[string]any) { // §2.1
		metadata["backchannel_logout_supported"] = true
		metadata["backchannel_logout_session_supported"] = true
	})
}

// backChannel is the receiver of notices.
type backChannel struct{ *Extension }

// NoticeReceiver implements [oauthkit.NoticeReceiver].
func (backChannel) NoticeReceiver() string { return logoutReceiver }

// Deliver implements [oauthkit.NoticeReceiver].
func (b backChannel) Deliver(ctx context.Context, notice *oauthkit.Notice) error {
	deliver := b.config.BackChannelLogout.Deliver
	if deliver == nil {
		return b.SendLogoutToken(ctx, notice)
	}
	_, target, err := b.logoutTarget(ctx, notice)
	if err != nil || target == "" {
		return err
	}
	return deliver(ctx, notice)
}

// SendLogoutToken sends a logout token about a notice to its application (§2.5). It
// returns nil if the application accepted it, or has no back-channel logout URI any more.
// Each call makes a new token, so that an application that remembers the ids of tokens
// does not take a second attempt for a replay.
//
// The library calls it, unless BackChannelLogout.Deliver is set; then the host calls it,
// from any program that has this extension in a provider. [oauthkit.NextDelivery] tells
// whether and when to repeat a call that returned an error.
func (e *Extension) SendLogoutToken(ctx context.Context, notice *oauthkit.Notice) error {
	app, target, err := e.logoutTarget(ctx, notice)
	if err != nil || target == "" {
		return err
	}
	now := e.provider.Now()
	token, err := e.logoutToken(ctx, app, notice, now)
	if err != nil {
		return err
	}
	response, err := e.provider.Fetch(ctx, &oauthkit.FetchRequest{
		Method:  http.MethodPost,
		URL:     target,
		Header:  http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:    []byte(url.Values{"logout_token": {token}}.Encode()),
		MaxBody: maxLogoutResponse,
		CutBody: true,
	})
	if err == nil {
		return logoutResult(response, now)
	}
	err = fmt.Errorf("oidc: sending a logout token: %w", err)
	if errors.Is(err, oauthkit.ErrFetchRefused) {
		return oauthkit.DeliverNever(err)
	}
	return err
}

// logoutTarget returns the application of a notice with its back-channel logout URI. The
// URI is empty if there is nothing to send: the application was deleted or disabled, or
// has no URI.
func (e *Extension) logoutTarget(ctx context.Context, notice *oauthkit.Notice) (oauthkit.Application, string, error) {
	if e.provider == nil {
		return nil, "", errors.New("oidc: the extension is not part of a provider")
	}
	app, err := e.provider.Application(ctx, notice.ClientID)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, "", nil
	case err != nil:
		return nil, "", err
	}
	target := oauthkit.BackChannelLogout(app)
	if target.URI != "" && target.SessionRequired && notice.SessionID == "" {
		return nil, "", oauthkit.DeliverNever(errors.New("oidc: the application accepts only logout tokens with a sid, " +
			"but the access that was revoked belonged to no session"))
	}
	return app, target.URI, nil
}

// logoutToken returns a logout token (§2.4), signed like the ID tokens of app.
func (e *Extension) logoutToken(ctx context.Context, app oauthkit.Application, notice *oauthkit.Notice, now time.Time) (string, error) {
	key, err := e.signer(ctx, oauthkit.IDTokenAlgorithm(app), now)
	if err != nil {
		return "", err
	}
	claims := map[string]any{
		"iss":    e.provider.Issuer(),
		"sub":    notice.Subject,
		"aud":    notice.ClientID,
		"iat":    now.Unix(),
		"exp":    now.Add(logoutTokenLifetime).Unix(),
		"jti":    secret.NewID(),
		"events": map[string]any{logoutEvent: struct{}{}},
	}
	if notice.SessionID != "" {
		claims["sid"] = notice.SessionID
	}
	return key.Sign(logoutTokenType, claims)
}

// logoutResult returns nil if the application accepted the token (§2.8). The request is
// repeated only after an error that can pass by itself (§2.5): not after 400, which means
// that the application refused the token, nor after a redirect or another client error,
// because the next request would be the same.
func logoutResult(response *oauthkit.FetchResponse, now time.Time) error {
	if response.Status >= 200 && response.Status < 300 {
		return nil
	}
	err := fmt.Errorf("oidc: the application answered a logout token with %d%s", response.Status, describe(response.Body))
	switch response.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		if response.Status < 500 {
			return oauthkit.DeliverNever(err)
		}
	}
	if after := response.RetryAfter(now); after > 0 {
		return oauthkit.DeliverLater(after, err)
	}
	return err
}

// describe returns the error in the body of a response, for the log. The texts are the
// application's own, so they are quoted and limited.
func describe(body []byte) string {
	var reported struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &reported) != nil || reported.Error == "" {
		return ""
	}
	return fmt.Sprintf(": %.100q %.200q", reported.Error, reported.Description)
}
