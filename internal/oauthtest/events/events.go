// Package events provides one event of each type, for tests that must cover
// all of them.
package events

import (
	"fmt"
	"reflect"
	"time"

	"github.com/oauthkit/oauthkit"
)

// All returns one event of each type. Every field is set. A string is set to its own
// name, such as "TokenIssued.Subject".
func All() []oauthkit.Event {
	return []oauthkit.Event{
		filled[oauthkit.AuthorizeRejected](),
		filled[oauthkit.SignInRequired](),
		filled[oauthkit.SignedOut](),
		filled[oauthkit.ConsentGranted](),
		filled[oauthkit.ConsentDenied](),
		filled[oauthkit.ConsentRevoked](),
		filled[oauthkit.AuthorizationGranted](),
		filled[oauthkit.AuthorizationRevoked](),
		filled[oauthkit.UserRevoked](),
		filled[oauthkit.SessionEnded](),
		filled[oauthkit.CrossSiteBlocked](),

		filled[oauthkit.TokenIssued](),
		filled[oauthkit.CredentialReplayed](),
		filled[oauthkit.CredentialRepeated](),
		filled[oauthkit.CredentialShared](),
		filled[oauthkit.CredentialMisused](),
		filled[oauthkit.IntrospectionDenied](),
		filled[oauthkit.ClientAuthenticationFailed](),

		filled[oauthkit.ApplicationCreated](),
		filled[oauthkit.ApplicationUpdated](),
		filled[oauthkit.ApplicationDeleted](),
		filled[oauthkit.SecretRotated](),
		filled[oauthkit.ApplicationRevoked](),
		filled[oauthkit.KeyPublished](),
		filled[oauthkit.KeyRetired](),
		filled[oauthkit.KeyRevoked](),
		filled[oauthkit.NoticeDelivered](),
		filled[oauthkit.NoticeFailed](),
		filled[oauthkit.NoticeAbandoned](),
		filled[oauthkit.CheckFailed](),
		filled[oauthkit.CleanupFinished](),
		filled[oauthkit.StorageUnavailable](),
		filled[oauthkit.RequestPanicked](),
		filled[oauthkit.RequestsRefused](),
	}
}

func filled[E oauthkit.Event]() E {
	var event E
	fields := reflect.ValueOf(&event).Elem()
	for i := range fields.NumField() {
		field, name := fields.Field(i), fmt.Sprintf("%s.%s", fields.Type().Name(), fields.Type().Field(i).Name)
		switch field.Addr().Interface().(type) {
		case *oauthkit.Scopes:
			field.Set(reflect.ValueOf(oauthkit.Scopes{"openid", "read"}))
		case *[]string:
			field.Set(reflect.ValueOf([]string{name}))
		case *time.Time:
			field.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
		case *time.Duration:
			field.SetInt(int64(3 * time.Second))
		case *int:
			field.SetInt(3)
		case *bool:
			field.SetBool(true)
		case *map[string]int:
			field.Set(reflect.ValueOf(map[string]int{"a_table": 3}))
		default:
			field.SetString(name) // panics for a field of a new type
		}
	}
	return event
}
