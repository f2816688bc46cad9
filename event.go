package oauthkit

import (
	"context"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Event is something that happened: one of the structs in the files event_user.go, event_token.go and event_operation.go.
// Config.Observe receives them; a type switch over them is an audit log. What tells of a change is sent once, after the change is
// stored. From whom the request came that it was for, [RequestInfoFrom] tells.
//
// No event holds a secret. A code or token is named by its [CredentialID].
type Event interface {
	event() string
}

// EventName returns the name of an event for logs and metrics, such as "token.issued". It is in the comment of the event's struct
// and never changes.
func EventName(event Event) string { return event.event() }

// Observers makes one Config.Observe of several, which are called in this order. Nil ones are left out.
func Observers(observers ...func(ctx context.Context, event Event)) func(ctx context.Context, event Event) {
	return func(ctx context.Context, event Event) {
		for _, observe := range observers {
			if observe != nil {
				observe(ctx, event)
			}
		}
	}
}

// CredentialID returns how events name a code or token: by the first 8 hexadecimal digits of its SHA-256. Whoever has the
// credential can find what happened with it, and whoever has the name can do nothing.
func CredentialID(value string) string {
	if value == "" {
		return ""
	}
	return secret.ID(secret.Hash(value))
}
