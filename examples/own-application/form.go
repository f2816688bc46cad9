package main

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

// This file is what the pages of applications ask of a Client. A program without these pages needs none of it.

// SetUserID makes the client an [oauthkit.OwnerSetter], so that it belongs to who registers it.
func (c *Client) SetUserID(owner string) { c.Team = owner }

// GenerateSecret makes it, with the three methods below, an [oauthkit.SecretHolder].
func (c *Client) GenerateSecret() (value string) {
	value, c.Secret = oauthkit.NewSecret()
	c.OldSecret, c.OldSecretUntil = "", nil
	return value
}

// RotateSecret leaves the old secret good for the time keep.
func (c *Client) RotateSecret(now time.Time, keep time.Duration) (value string) {
	until := now.Add(keep)
	c.OldSecret, c.OldSecretUntil = c.Secret, &until
	value, c.Secret = oauthkit.NewSecret()
	return value
}

// VerifyPreviousPassword accepts the old secret until OldSecretUntil.
func (c *Client) VerifyPreviousPassword(presented string, now time.Time) bool {
	return c.OldSecretUntil != nil && now.Before(*c.OldSecretUntil) && c.OldSecret.Verify(presented)
}

// PreviousSecretUntil tells the pages how long the old secret is valid.
func (c *Client) PreviousSecretUntil() time.Time {
	if c.OldSecret == "" || c.OldSecretUntil == nil {
		return time.Time{}
	}
	return *c.OldSecretUntil
}

// FormFields makes it, with SetFormField, an [oauthkit.FormFieldHolder]. Suspended is not among them.
func (c *Client) FormFields() []oauthkit.FormField {
	device := ""
	if c.Device {
		device = "true"
	}
	return []oauthkit.FormField{
		{Name: "title", Label: "Title", Help: "Your users see it when they are asked.", Value: c.Title},
		{Name: "callback", Label: "Callback", Kind: oauthkit.FormURL, Value: c.Callback},
		{Name: "device", Label: "It is installed by its users", Kind: oauthkit.FormCheckbox, Value: device},
	}
}

// SetFormField changes a field. What it must not be is said by Validate.
func (c *Client) SetFormField(name, value string) error {
	switch name {
	case "title":
		c.Title = value
	case "callback":
		c.Callback = value
	case "device":
		c.Device = value == "true"
		if c.Device { // a secret that came back with the next change could be one that others know by then
			c.Secret, c.OldSecret, c.OldSecretUntil = "", "", nil
		}
	}
	return nil
}

// Validate makes it an [oauthkit.Validator]. The library has no rules for an application that does not embed its struct.
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
