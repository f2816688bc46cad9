package oauthkit

import (
	"context"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// Owned says whose applications a user may manage.
type Owned struct {
	// Everyone says that he may manage all, those without an owner included.
	Everyone bool
	// By lists the owners, as in AbstractApplication.UserID. The user himself has to be among them if he may manage his own.
	By []string
}

// includes reports whether app may be managed. One without an owner is nobody's.
func (o Owned) includes(app Application) bool {
	owner := app.GetUserID()
	return o.Everyone || owner != "" && slices.Contains(o.By, owner)
}

// ApplicationsConfig says who may manage which applications, and what their owners may decide. With the zero value every
// user may register applications and manage his own.
type ApplicationsConfig struct {
	// Owned returns whose applications a user may manage, for teams and staff. Nil: his own.
	Owned func(ctx context.Context, user *User) (Owned, error)
	// MayRegister reports whether a user may register applications. Nil: every user may.
	MayRegister func(ctx context.Context, user *User) (bool, error)
	// GrantTypes are those that an owner may choose. Nil: authorization_code and refresh_token.
	GrantTypes []oauth2.GrantType
	// Scopes are those that an owner may choose. Nil: the scopes of OpenID Connect.
	Scopes Scopes
	// SecretOverlap is how long the secret before a rotation may stay good, if its owner does not end it at once. Zero: it always
	// ends at once.
	SecretOverlap time.Duration
}
