// Package secevent tells other programs of the host, such as an audit or a fraud
// detection, that sessions ended and that access was revoked. It pushes security event
// tokens (RFC 8417) over https (RFC 8935).
//
// Each event is a [oauthkit.Notice] for each subscriber. It is saved in the act that it
// is about and delivered by [oauthkit.Run], at least once and without a promise about
// the order. An event that was delivered twice has the same jti.
package secevent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/oidc"
)

// The types of events.
const (
	// SessionRevoked means that a session of a user at an application ended, for example
	// because the user signed out (OpenID CAEP 1.0 §3.1).
	SessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	// TokensRevoked means that tokens of an application for a user were revoked: those of
	// the session in the subject, or those without a session (OpenID OAuth Event Types
	// 1.0 §3.3).
	TokensRevoked = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
)

// Config configures the extension.
type Config struct {
	// OIDC signs the events. It must be an extension of the same provider.
	OIDC *oidc.Extension
	// Subscribers receive the events. If empty, none are saved.
	Subscribers []Subscriber
}

// Subscriber receives every event. Config.Fetch of the provider must allow its address.
type Subscriber struct {
	// Name is stored with each event that waits for delivery, and is part of the name of
	// the receiver in events of the provider: "secevent:" and Name. It must be unique,
	// and must not change while events wait.
	Name string
	// URL is the address to which events are posted: https, or http on this machine.
	URL string
	// Audience is the aud of the events.
	Audience string
	// Authorization returns the Authorization header of a request, such as "Bearer ...".
	// It is called for each request, so that credentials can change. If nil, requests
	// have none, and only the signature proves where an event is from.
	Authorization func(ctx context.Context) (string, error)
	// Algorithm signs the events: RS256 or ES256. If empty, it is RS256.
	Algorithm string
}

const (
	receiverPrefix = "secevent:"
	// maxResponse limits the part of a response that is read for the error.
	maxResponse = 4 << 10
)

// Extension pushes security events. It is an [oauthkit.Extension] of one provider.
type Extension struct{ config Config }

// New returns an extension for Config.Extensions of one provider. oauthkit.New reports
// errors of config.
func New(config Config) *Extension { return &Extension{config} }

// Extend implements [oauthkit.Extension].
func (e *Extension) Extend(registry *oauthkit.Registry) error {
	if e.config.OIDC == nil {
		return errors.New("secevent: Config.OIDC is nil")
	}
	for _, subscriber := range e.config.Subscribers {
		if err := subscriber.check(); err != nil {
			return fmt.Errorf("secevent: subscriber %q: %w", subscriber.Name, err)
		}
		registry.NoticeReceiver(&receiver{subscriber, registry.Provider(), e.config.OIDC})
	}
	return nil
}

func (s Subscriber) check() error {
	address, err := url.Parse(s.URL)
	switch {
	case s.Name == "":
		return errors.New("the Name is empty")
	case err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "" || address.User != nil || address.Fragment != "":
		return errors.New("the URL is not an https URL without user and fragment")
	case s.Audience == "":
		return errors.New("the Audience is empty")
	case s.Algorithm == "":
		return nil
	}
	_, err = jose.ParseAlgorithm(s.Algorithm)
	return err
}

// receiver delivers events to one subscriber.
type receiver struct {
	Subscriber
	provider *oauthkit.Provider
	oidc     *oidc.Extension
}

// NoticeReceiver implements [oauthkit.NoticeReceiver].
func (r *receiver) NoticeReceiver() string { return receiverPrefix + r.Name }

// Deliver implements [oauthkit.NoticeReceiver]. It posts the event (RFC 8935 §2).
func (r *receiver) Deliver(ctx context.Context, notice *oauthkit.Notice) error {
	token, err := r.oidc.SignSecurityEvent(ctx, r.Algorithm, r.event(notice))
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/secevent+jwt"}, "Accept": {"application/json"}}
	if r.Authorization != nil {
		value, err := r.Authorization(ctx)
		if err != nil {
			return fmt.Errorf("secevent: Authorization of subscriber %s: %w", r.Name, err)
		}
		header.Set("Authorization", value)
	}
	response, err := r.provider.Fetch(ctx, &oauthkit.FetchRequest{
		Method: http.MethodPost, URL: r.URL, Header: header, Body: []byte(token), MaxBody: maxResponse, CutBody: true,
	})
	switch {
	case errors.Is(err, oauthkit.ErrFetchRefused):
		return oauthkit.DeliverNever(fmt.Errorf("secevent: subscriber %s: %w; see Config.Fetch", r.Name, err))
	case err != nil:
		return fmt.Errorf("secevent: subscriber %s: %w", r.Name, err)
	}
	return r.result(response)
}

// result returns nil if the subscriber accepted the event (RFC 8935 §2.2). The status 400
// means that it would refuse the event again (§2.3). The cause of every other status can
// pass, such as credentials that have expired, so the event is sent again.
func (r *receiver) result(response *oauthkit.FetchResponse) error {
	if response.Status >= 200 && response.Status < 300 {
		return nil
	}
	err := fmt.Errorf("secevent: subscriber %s answered with %d", r.Name, response.Status)
	if response.Status == http.StatusBadRequest {
		return oauthkit.DeliverNever(fmt.Errorf("%w%s", err, describe(response.Body)))
	}
	if after := response.RetryAfter(r.provider.Now()); after > 0 {
		return oauthkit.DeliverLater(after, err)
	}
	return err
}

// describe returns the error in the body of a response, quoted and limited, for the log.
func describe(body []byte) string {
	var reported struct {
		Error       string `json:"err"`
		Description string `json:"description"`
	}
	if json.Unmarshal(body, &reported) != nil || reported.Error == "" {
		return ""
	}
	return fmt.Sprintf(": %.100q %.200q", reported.Error, reported.Description)
}

// event returns the event that a notice is about. It is the same in each attempt, so that
// the subscriber can tell by its jti that it has it already.
func (r *receiver) event(notice *oauthkit.Notice) oidc.SecurityEvent {
	eventType := SessionRevoked
	if notice.Kind == oauthkit.NoticeAccessRevoked {
		eventType = TokensRevoked
	}
	return oidc.SecurityEvent{
		ID:       secret.Hash(r.NoticeReceiver() + "\x00" + notice.ID),
		Audience: r.Audience,
		IssuedAt: notice.CreatedAt,
		Subject:  subject(r.provider.Issuer(), notice),
		Events:   map[string]map[string]any{eventType: {"event_timestamp": notice.CreatedAt.Unix()}},
	}
}

// subject returns the subject of an event: a complex subject of the OpenID Shared Signals
// Framework 1.0 with the user (RFC 9493 §3.2.3), the application and, if the event is
// about one session, its sid.
func subject(issuer string, notice *oauthkit.Notice) map[string]any {
	subject := map[string]any{
		"format":      "complex",
		"user":        map[string]any{"format": "iss_sub", "iss": issuer, "sub": notice.Subject},
		"application": map[string]any{"format": "opaque", "id": notice.ClientID},
	}
	if notice.SessionID != "" {
		subject["session"] = map[string]any{"format": "opaque", "id": notice.SessionID}
	}
	return subject
}
