package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// securityEventType is the typ header of security event tokens (RFC 8417 §2.3).
const securityEventType = "secevent+jwt"

// SecurityEvent is the content of a security event token (RFC 8417 §2.2). Every field is
// required.
type SecurityEvent struct {
	// ID identifies the event (jti). It must be the same in each attempt to deliver it.
	ID string
	// Audience is the receiver (aud).
	Audience string
	// IssuedAt is when the event was first to be sent (iat).
	IssuedAt time.Time
	// Subject identifies whom or what the event is about (sub_id, RFC 9493).
	Subject map[string]any
	// Events has the type of the event, a URI, with its content. A second member must
	// describe another aspect of the same event.
	Events map[string]map[string]any
}

// SignSecurityEvent returns a security event token of the provider, signed with a key of
// the key set. Algorithm is one of Config.Algorithms; if empty, it is the first.
//
// Its header says secevent+jwt, and it has neither sub nor exp, so that nothing takes it
// for an ID token, an access token or a logout token (RFC 8417 §4).
func (e *Extension) SignSecurityEvent(ctx context.Context, algorithm string, event SecurityEvent) (string, error) {
	if e.keys == nil {
		return "", errors.New("oidc: SignSecurityEvent: the extension is not part of a provider")
	}
	if err := event.check(); err != nil {
		return "", fmt.Errorf("oidc: SignSecurityEvent: %w", err)
	}
	key, err := e.signer(ctx, algorithm, e.provider.Now())
	if err != nil {
		return "", err
	}
	return key.Sign(securityEventType, map[string]any{
		"iss":    e.provider.Issuer(),
		"jti":    event.ID,
		"aud":    event.Audience,
		"iat":    event.IssuedAt.Unix(),
		"sub_id": event.Subject,
		"events": event.Events,
	})
}

func (e SecurityEvent) check() error {
	if e.ID == "" || e.Audience == "" || e.IssuedAt.IsZero() || len(e.Subject) == 0 || len(e.Events) == 0 {
		return errors.New("ID, Audience, IssuedAt, Subject and Events are required")
	}
	for eventType := range e.Events {
		parsed, err := url.Parse(eventType)
		switch {
		case err != nil || !parsed.IsAbs():
			return fmt.Errorf("the event type %q is not an absolute URI", eventType)
		case eventType == logoutEvent:
			return errors.New("only logout tokens have the event of a back-channel logout")
		}
	}
	return nil
}
