package oauthkit

import (
	"context"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Event is something that happened: one of the structs in the files event_user.go, event_token.go and event_operation.go.
// Config.Observe receives them; a type switch over them is an audit log. What tells of a change is sent once, after the change is
// stored. Which request it belongs to, and where that came from, [RequestInfoFrom] tells.
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

// applicationKey is the key of an event's Application in a context.
type applicationKey struct{}

// ApplicationFrom returns the application that the event's ApplicationID names, in the host's own type, from the context that
// Config.Observe is called with. It is there at consent that is granted or denied, at codes and tokens that are issued, replayed,
// misused or denied introspection, and when an application is registered, changed or removed or gets a secret. At other events it
// is not, and the store finds it.
func ApplicationFrom(ctx context.Context) (Application, bool) {
	app, ok := ctx.Value(applicationKey{}).(Application)
	return app, ok
}

// recordOf records an event with its application.
func (p *Provider) recordOf(ctx context.Context, app Application, event Event) {
	p.Record(context.WithValue(ctx, applicationKey{}, app), event)
}

// CredentialID returns how events name a code or token: by the first 8 hexadecimal digits of its SHA-256. Whoever has the
// credential can find what happened with it, and whoever has the name can do nothing.
func CredentialID(value string) string {
	if value == "" {
		return ""
	}
	return secret.ID(secret.Hash(value))
}
