package oidc

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// Claims are what is known about a user (§5.1), apart from the subject. Empty members are not told. As JSON it is one object,
// with the members of Extra beside the others.
type Claims struct {
	// Name to UpdatedAt belong to the scope profile.
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	MiddleName        string `json:"middle_name,omitempty"`
	Nickname          string `json:"nickname,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"` // not unique: only the subject identifies
	Profile           string `json:"profile,omitempty"`            // a URL, as are Picture and Website
	Picture           string `json:"picture,omitempty"`
	Website           string `json:"website,omitempty"`
	Gender            string `json:"gender,omitempty"`
	Birthdate         string `json:"birthdate,omitempty"`  // YYYY-MM-DD, 0000-MM-DD or YYYY
	Zoneinfo          string `json:"zoneinfo,omitempty"`   // such as Europe/Paris
	Locale            string `json:"locale,omitempty"`     // BCP 47, such as fr-CA
	UpdatedAt         int64  `json:"updated_at,omitempty"` // seconds since 1970
	// Email and EmailVerified belong to the scope email. EmailVerified nil: not said.
	Email         string `json:"email,omitempty"`
	EmailVerified *bool  `json:"email_verified,omitempty"`
	// PhoneNumber, in E.164 form, and PhoneNumberVerified belong to the scope phone.
	PhoneNumber         string `json:"phone_number,omitempty"`
	PhoneNumberVerified *bool  `json:"phone_number_verified,omitempty"`
	// Address belongs to the scope address.
	Address *Address `json:"address,omitempty"`
	// Extra are claims of the host's own, and standard ones in other languages, such as "name#ja" (§5.2). Those of the host
	// belong to no scope: return them only where the request should have them.
	Extra map[string]any `json:"-"`
}

// Address is a postal address (§5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"` // all of it, with line breaks
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

// claimScopes are the scopes that ask for claims.
func claimScopes() []string { return []string{scopeProfile, scopeEmail, scopePhone, scopeAddress} }

// claimsOf returns the claims that a scope asks for (§5.4).
func claimsOf(scope string) []string {
	switch scope {
	case scopeProfile:
		return []string{
			"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
			"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
		}
	case scopeEmail:
		return []string{"email", "email_verified"}
	case scopePhone:
		return []string{"phone_number", "phone_number_verified"}
	case scopeAddress:
		return []string{"address"}
	default:
		return nil
	}
}

// scopeOf returns the scope that a claim belongs to, in whatever language; empty: none, it is the host's own.
func scopeOf(claim string) string {
	name, _, _ := strings.Cut(claim, "#")
	for _, scope := range claimScopes() {
		if slices.Contains(claimsOf(scope), name) {
			return scope
		}
	}
	return ""
}

// allowed reports whether a claim about the user may be told to somebody who has been granted scopes.
func allowed(claim string, scopes oauthkit.Scopes) bool {
	scope := scopeOf(claim)
	return !isReserved(claim) && (scope == "" || scopes.Contains(scope))
}

// withoutMethods is Claims as encoding/json would see it.
type withoutMethods Claims

// MarshalJSON implements [json.Marshaler]. A member of Extra does not replace a field that is set.
func (c Claims) MarshalJSON() ([]byte, error) {
	members, err := c.members()
	if err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// members returns the claims by name.
func (c Claims) members() (map[string]any, error) {
	document, err := json.Marshal(withoutMethods(c))
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return nil, err
	}
	members := make(map[string]any, len(c.Extra)+len(fields))
	maps.Copy(members, c.Extra)
	for name, value := range fields {
		members[name] = value
	}
	return members, nil
}

// UnmarshalJSON implements [json.Unmarshaler]. Members that are no field go to Extra, numbers there as [json.Number]. It
// refuses a member that occurs twice or that differs from a field only in case.
func (c *Claims) UnmarshalJSON(document []byte) error {
	var fields withoutMethods
	if err := strictjson.Unmarshal(document, &fields); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(document, &fields.Extra); err != nil {
		return err
	}
	for _, scope := range claimScopes() {
		for _, name := range claimsOf(scope) {
			delete(fields.Extra, name)
		}
	}
	if len(fields.Extra) == 0 {
		fields.Extra = nil
	}
	*c = Claims(fields)
	return nil
}
