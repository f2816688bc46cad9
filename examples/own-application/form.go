package main

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

// The methods in this file serve the application management pages. A program without
// these pages does not need them.

// SetUserID implements [oauthkit.OwnerSetter]. The user who registers a client owns it.
func (c *Client) SetUserID(owner string) { c.Team = owner }

// GenerateSecret and the three methods below implement [oauthkit.SecretHolder].
func (c *Client) GenerateSecret() (value string) {
	value, c.Secret = oauthkit.NewSecret()
	c.OldSecret, c.OldSecretUntil = "", nil
	return value
}

// RotateSecret replaces the secret. The old one stays valid for the duration keep.
func (c *Client) RotateSecret(now time.Time, keep time.Duration) (value string) {
	until := now.Add(keep)
	c.OldSecret, c.OldSecretUntil = c.Secret, &until
	value, c.Secret = oauthkit.NewSecret()
	return value
}

// VerifyPreviousPassword verifies the old secret until OldSecretUntil.
func (c *Client) VerifyPreviousPassword(presented string, now time.Time) bool {
	return c.OldSecretUntil != nil && now.Before(*c.OldSecretUntil) && c.OldSecret.Verify(presented)
}

// PreviousSecretUntil returns the expiry of the old secret for the pages.
func (c *Client) PreviousSecretUntil() time.Time {
	if c.OldSecret == "" || c.OldSecretUntil == nil {
		return time.Time{}
	}
	return *c.OldSecretUntil
}

// FormFields and SetFormField implement [oauthkit.FormFieldHolder]. Owners cannot edit
// Suspended.
func (c *Client) FormFields() []oauthkit.FormField {
	device := ""
	if c.Device {
		device = "true"
	}
	return []oauthkit.FormField{
		{Name: "title", Label: "Title", Help: "The name that users see on the consent page.", Value: c.Title},
		{Name: "callback", Label: "Callback", Kind: oauthkit.FormURL, Value: c.Callback},
		{Name: "device", Label: "Installed by its users", Kind: oauthkit.FormCheckbox, Value: device},
	}
}

// SetFormField stores a submitted value. Validate checks it.
func (c *Client) SetFormField(name, value string) error {
	switch name {
	case "title":
		c.Title = value
	case "callback":
		c.Callback = value
	case "device":
		c.Device = value == "true"
		if c.Device { // otherwise the next change of type would make an old secret valid again
			c.Secret, c.OldSecret, c.OldSecretUntil = "", "", nil
		}
	}
	return nil
}

// Validate implements [oauthkit.Validator]. The library has no rules for an application
// that does not embed AbstractApplication.
func (c *Client) Validate(problems *oauthkit.Problems) {
	if c.Title == "" {
		problems.Add("title", "cannot be empty")
	}
	if err := oauthkit.CheckName(c.Title); err != nil {
		problems.Add("title", "%s", err)
	}
	if c.Callback == "" && !c.Device {
		return
	}
	if err := oauthkit.CheckRedirectURI(c.Callback); err != nil {
		problems.Add("callback", "%s", err)
	}
	if len(c.Callback) > 500 {
		problems.Add("callback", "must have at most 500 characters")
	}
}
