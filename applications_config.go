package oauthkit

import (
	"cmp"
	"context"
	"errors"
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
	// MaxPerOwner is the number of applications that one owner may have. With as many or more,
	// [Applications.Create] registers no other; those that exist stay. Applications of an owner that the
	// operator registered count too, but the operator is not limited. An application without an owner is
	// not limited. Zero: 100.
	MaxPerOwner int
	// MaxApplicationBytes is the size of all that the owner of an application decides, which is the
	// texts of its [ApplicationForm] together. [Applications.Create] and [Applications.Update] refuse
	// more, except that an application which was larger before may stay so and shrink. Zero: 16384.
	MaxApplicationBytes int
}

const (
	defaultMaxPerOwner         = 100
	defaultMaxApplicationBytes = 16 << 10
)

func (c ApplicationsConfig) withDefaults() (ApplicationsConfig, error) {
	if c.MaxPerOwner < 0 || c.MaxApplicationBytes < 0 {
		return c, errors.New("oauthkit: NewApplications: MaxPerOwner or MaxApplicationBytes is negative")
	}
	if c.GrantTypes == nil {
		c.GrantTypes = []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Refreshing}
	}
	if c.Scopes == nil {
		c.Scopes = Scopes{"openid", "profile", "email", "address", "phone", "offline_access"}
	}
	c.MaxPerOwner = cmp.Or(c.MaxPerOwner, defaultMaxPerOwner)
	c.MaxApplicationBytes = cmp.Or(c.MaxApplicationBytes, defaultMaxApplicationBytes)
	return c, nil
}
