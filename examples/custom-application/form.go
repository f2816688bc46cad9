package main

import "github.com/oauthkit/oauthkit"

// FormFields puts the columns into the form on which owners register and change their applications.
func (a *MyApplication) FormFields() []oauthkit.FormField {
	agree := ""
	if a.Agree {
		agree = "true"
	}
	return []oauthkit.FormField{
		{Name: "logo", Label: "Logo", Help: "The address of a picture.", Kind: oauthkit.FormURL, Value: a.Logo},
		{Name: "agree", Label: "We accept the terms", Kind: oauthkit.FormCheckbox, Value: agree},
	}
}

// SetFormField takes what an owner has filled in. What is wrong with it, Validate says.
func (a *MyApplication) SetFormField(name, value string) error {
	switch name {
	case "logo":
		a.Logo = value
	case "agree":
		a.Agree = value == "true"
	}
	return nil
}
