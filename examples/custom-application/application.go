package main

import (
	"net/url"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// MyApplication is an application with two additional columns.
type MyApplication struct {
	oauthkit.AbstractApplication
	Logo  string `json:"logo"`  // URL of a picture
	Agree bool   `json:"agree"` // the owner has accepted the terms
}

// AllowsGrant overrides the method of AbstractApplication. It allows client credentials
// for every confidential application, in addition to the grants in its list.
func (a *MyApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return grant == oauth2.ClientCredentials && !a.IsPublic() || a.AbstractApplication.AllowsGrant(grant)
}

// Validate adds the rules of this program. The library checks its own rules too, and
// reports all problems together.
func (a *MyApplication) Validate(problems *oauthkit.Problems) {
	if !a.Agree {
		problems.Add("agree", "the terms must be accepted")
	}
	if logo, err := url.Parse(a.Logo); err != nil || logo.Scheme != "https" {
		problems.Add("logo", "must be an https URL")
	}
}
