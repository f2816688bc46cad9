package main

import (
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// Client is an application as this program already had it before it became a provider,
// with its own table, key and names. It embeds no type of the library and implements
// [oauthkit.Application].
type Client struct {
	ID             uint64              `gorm:"primaryKey"`                    // for other tables of this program
	Key            string              `gorm:"size:255;not null;uniqueIndex"` // the client_id
	Team           string              `gorm:"size:255;not null;index"`       // the owner: team:NAME or a user
	Title          string              `gorm:"size:100;not null"`             // the name that users see
	Callback       string              `gorm:"size:500;not null"`             // the redirect URI, if any
	Device         bool                `gorm:"not null"`                      // installed by users, so without a secret
	Suspended      bool                `gorm:"not null"`                      // by an administrator
	Version        int64               `gorm:"not null"`                      // incremented by each update
	Secret         oauthkit.SecretHash `gorm:"size:255;not null"`             // empty for a Device
	OldSecret      oauthkit.SecretHash `gorm:"size:255;not null"`             // valid until OldSecretUntil
	OldSecretUntil *time.Time
}

// GetID returns the client_id.
func (c *Client) GetID() string { return c.Key }

// GetSecret returns an empty string, because only a hash of the secret is stored.
func (c *Client) GetSecret() string { return "" }

// GetDomain returns the callback. It is never empty, because go-oauth2 accepts any
// domain then.
func (c *Client) GetDomain() string {
	if c.Callback == "" {
		return "https://no-callback.invalid"
	}
	return c.Callback
}

// IsPublic reports whether the client has no secret.
func (c *Client) IsPublic() bool { return c.Device }

// GetUserID returns the owner: a team, whose members may edit the client, or a user.
func (c *Client) GetUserID() string { return c.Team }

// VerifyPassword compares in constant time; see [oauthkit.SecretHash].
func (c *Client) VerifyPassword(presented string) bool { return c.Secret.Verify(presented) }

// AllowsGrant derives the grants from the callback and the type. This program has no
// lists of grants.
func (c *Client) AllowsGrant(grant oauth2.GrantType) bool {
	switch grant {
	case oauth2.AuthorizationCode, oauth2.Refreshing:
		return c.Callback != ""
	case oauth2.ClientCredentials:
		return !c.Device
	default:
		return false
	}
}

// AllowsRedirectURI compares byte by byte.
func (c *Client) AllowsRedirectURI(uri string) bool { return c.Callback != "" && uri == c.Callback }

// AllowsScope allows the same scopes for every client.
func (c *Client) AllowsScope(scope string) bool {
	return slices.Contains([]string{"openid", "orders"}, scope)
}

// AllowsAuthMethod requires the secret of a client that has one.
func (c *Client) AllowsAuthMethod(method string) bool {
	if c.Device {
		return method == oauthkit.AuthMethodNone
	}
	return method == oauthkit.AuthMethodSecretBasic || method == oauthkit.AuthMethodSecretPost
}

// DisplayName returns the name that users see on the consent page.
func (c *Client) DisplayName() string { return c.Title }

// RegisteredRedirectURIs returns the callback. If it changes, users are asked for
// consent again.
func (c *Client) RegisteredRedirectURIs() oauthkit.URIs {
	if c.Callback == "" {
		return nil
	}
	return oauthkit.URIs{c.Callback}
}

// IsUsable implements [oauthkit.Usable], so that an administrator can suspend the
// client.
func (c *Client) IsUsable() bool { return !c.Suspended }
