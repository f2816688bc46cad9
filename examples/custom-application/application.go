package main

import (
	"net/url"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// MyApplication has what every application has, and two columns of this program's own.
type MyApplication struct {
	oauthkit.AbstractApplication
	Logo  string `json:"logo"`  // address of a picture
	Agree bool   `json:"agree"` // the owner accepted the terms
}

// AllowsGrant lets every application that has a secret act for itself, beside the grants in its list. To define a method is to
// override it.
func (a *MyApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return grant == oauth2.ClientCredentials && !a.IsPublic() || a.AbstractApplication.AllowsGrant(grant)
}

// Validate has this program's rules. The library's come beside them, and all problems are reported at once.
func (a *MyApplication) Validate(problems *oauthkit.Problems) {
	if !a.Agree {
		problems.Add("agree", "the terms must be accepted")
	}
	if logo, err := url.Parse(a.Logo); err != nil || logo.Scheme != "https" {
		problems.Add("logo", "must be an https URL")
	}
}
