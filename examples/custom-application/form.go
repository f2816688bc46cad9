package main

import "github.com/oauthkit/oauthkit"

// FormFields adds the two columns to the form with which owners register and edit their
// applications.
func (a *MyApplication) FormFields() []oauthkit.FormField {
	agree := ""
	if a.Agree {
		agree = "true"
	}
	return []oauthkit.FormField{
		{Name: "logo", Label: "Logo", Help: "The URL of a picture.", Kind: oauthkit.FormURL, Value: a.Logo},
		{Name: "agree", Label: "We accept the terms", Kind: oauthkit.FormCheckbox, Value: agree},
	}
}

// SetFormField stores a submitted value. Validate checks it.
func (a *MyApplication) SetFormField(name, value string) error {
	switch name {
	case "logo":
		a.Logo = value
	case "agree":
		a.Agree = value == "true"
	}
	return nil
}
