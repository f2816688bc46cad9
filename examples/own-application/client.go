package main

import (
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// Client is an application as this program had it before it was a provider: a table, a key and names of its own. It embeds
// nothing of the library, and answers what the library asks.
type Client struct {
	ID             uint64              `gorm:"primaryKey"`                    // what this program's other tables refer to
	Key            string              `gorm:"size:255;not null;uniqueIndex"` // the client_id
	Team           string              `gorm:"size:255;not null;index"`       // who may change it: a team, as team:NAME, or a user
	Title          string              `gorm:"size:100;not null"`             // for people
	Callback       string              `gorm:"size:500;not null"`             // where it gets its answers; empty: it acts for itself only
	Device         bool                `gorm:"not null"`                      // installed by its users, so that it keeps no secret
	Suspended      bool                `gorm:"not null"`                      // by an administrator
	Version        int64               `gorm:"not null"`                      // counts the changes, so that none undoes another
	Secret         oauthkit.SecretHash `gorm:"size:255;not null"`             // of a Device: empty
	OldSecret      oauthkit.SecretHash `gorm:"size:255;not null"`             // good until OldSecretUntil
	OldSecretUntil *time.Time
}

// GetID returns the client_id.
func (c *Client) GetID() string { return c.Key }

// GetSecret returns nothing, because nobody knows the secret but the client.
func (c *Client) GetSecret() string { return "" }

// GetDomain returns the callback. go-oauth2 takes an empty domain for any.
func (c *Client) GetDomain() string {
	if c.Callback == "" {
		return "https://no-callback.invalid"
	}
	return c.Callback
}

// IsPublic reports whether the client has no secret.
func (c *Client) IsPublic() bool { return c.Device }

// GetUserID returns the team, whose members may change the client, or the user.
func (c *Client) GetUserID() string { return c.Team }

// VerifyPassword compares in constant time, as [oauthkit.SecretHash] does.
func (c *Client) VerifyPassword(presented string) bool { return c.Secret.Verify(presented) }

// AllowsGrant is decided by whether the client has a callback or a secret. This program knows no lists of grants.
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

// AllowsScope gives every client the same scopes.
func (c *Client) AllowsScope(scope string) bool {
	return slices.Contains([]string{"openid", "orders"}, scope)
}

// AllowsAuthMethod asks for the secret where there is one.
func (c *Client) AllowsAuthMethod(method string) bool {
	if c.Device {
		return method == oauthkit.AuthMethodNone
	}
	return method == oauthkit.AuthMethodSecretBasic || method == oauthkit.AuthMethodSecretPost
}

// DisplayName makes the client, with RegisteredRedirectURIs, an [oauthkit.Described]: without it, the consent page would show the client_id.
func (c *Client) DisplayName() string { return c.Title }

// RegisteredRedirectURIs returns the callback: with another callback, users are asked again.
func (c *Client) RegisteredRedirectURIs() oauthkit.URIs {
	if c.Callback == "" {
		return nil
	}
	return oauthkit.URIs{c.Callback}
}

// IsUsable makes it an [oauthkit.Usable], so that it can be switched off.
func (c *Client) IsUsable() bool { return !c.Suspended }
