package oidc

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// Claims are the claims about a user (§5.1), except the subject. Empty members are
// omitted. The JSON encoding is one object that holds the members of Extra beside the
// others.
type Claims struct {
	// The scope profile covers Name to UpdatedAt.
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	MiddleName        string `json:"middle_name,omitempty"`
	Nickname          string `json:"nickname,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"` // not unique: only the subject identifies a user
	Profile           string `json:"profile,omitempty"`            // a URL, as are Picture and Website
	Picture           string `json:"picture,omitempty"`
	Website           string `json:"website,omitempty"`
	Gender            string `json:"gender,omitempty"`
	Birthdate         string `json:"birthdate,omitempty"`  // YYYY-MM-DD, 0000-MM-DD or YYYY
	Zoneinfo          string `json:"zoneinfo,omitempty"`   // such as Europe/Paris
	Locale            string `json:"locale,omitempty"`     // BCP 47, such as fr-CA
	UpdatedAt         int64  `json:"updated_at,omitempty"` // seconds since 1970
	// The scope email covers Email and EmailVerified. If EmailVerified is nil, it is
	// omitted.
	Email         string `json:"email,omitempty"`
	EmailVerified *bool  `json:"email_verified,omitempty"`
	// The scope phone covers PhoneNumber, in E.164 form, and PhoneNumberVerified.
	PhoneNumber         string `json:"phone_number,omitempty"`
	PhoneNumberVerified *bool  `json:"phone_number_verified,omitempty"`
	// The scope address covers Address.
	Address *Address `json:"address,omitempty"`
	// Extra holds the host's own claims, and standard claims in other languages, such
	// as "name#ja" (§5.2). No scope covers the host's own claims: return them only for
	// the requests that may have them. A standard claim of another type than §5.1
	// defines, such as a string "true" as email_verified, is dropped.
	Extra map[string]any `json:"-"`
}

// Address is a postal address (§5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"` // the full address, with line breaks
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

// StandardClaims returns the names of the claims that the fields of [Claims] have, for
// Config.ClaimNames of a host that knows all of them.
func StandardClaims() (names []string) {
	for _, scope := range claimScopes() {
		names = append(names, claimsOf(scope)...)
	}
	return names
}

// claimScopes returns the scopes that request claims.
func claimScopes() []string { return []string{scopeProfile, scopeEmail, scopePhone, scopeAddress} }

// claimsOf returns the claims that scope requests (§5.4).
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

// scopeOf returns the scope that covers claim in any language. It is empty for claims
// of the host.
func scopeOf(claim string) string {
	name, _, _ := strings.Cut(claim, "#")
	for _, scope := range claimScopes() {
		if slices.Contains(claimsOf(scope), name) {
			return scope
		}
	}
	return ""
}

// isAllowed reports whether a claim about the user may be disclosed to a client that
// was granted scopes.
func isAllowed(claim string, scopes oauthkit.Scopes) bool {
	scope := scopeOf(claim)
	return !isReserved(claim) && (scope == "" || scopes.Contains(scope))
}

// jsonType is a type of JSON values, named by the first character of their text: 0 for a
// number.
type jsonType byte

// The types of standard claims.
const (
	jsonNumber  jsonType = '0'
	jsonString  jsonType = '"'
	jsonBoolean jsonType = 'b'
	jsonObject  jsonType = '{'
)

// typeOf returns the type of a standard claim (§5.1) in any language.
func typeOf(claim string) jsonType {
	name, _, _ := strings.Cut(claim, "#")
	switch name {
	case "email_verified", "phone_number_verified":
		return jsonBoolean
	case "updated_at":
		return jsonNumber
	case "address":
		return jsonObject
	default:
		return jsonString
	}
}

// hasType reports whether value is written to JSON as a value of type t. A value that
// cannot be written has no type.
func hasType(value any, t jsonType) bool {
	document, err := json.Marshal(value)
	if err != nil {
		return false
	}
	switch document[0] {
	case 't', 'f':
		return t == jsonBoolean
	case '"', '{':
		return t == jsonType(document[0])
	case 'n', '[':
		return false
	default:
		return t == jsonNumber
	}
}

// dropMistyped deletes the standard claims whose value has the wrong type, because
// clients would misread them: every string is true to many (§5.1). Claims that the host
// defines may have any type.
func (e *Extension) dropMistyped(ctx context.Context, source string, claims map[string]any) {
	for name, value := range claims {
		if scopeOf(name) != "" && !hasType(value, typeOf(name)) {
			e.provider.Logger().WarnContext(ctx, "oidc: ignored a claim with a value of the wrong type", "source", source, "claim", name)
			delete(claims, name)
		}
	}
}

// withoutMethods is Claims without its JSON methods.
type withoutMethods Claims

// MarshalJSON implements [json.Marshaler]. A field that is set takes precedence over
// the member of Extra with its name.
func (c Claims) MarshalJSON() ([]byte, error) {
	members, err := c.members()
	if err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// members returns the claims by name.
func (c Claims) members() (map[string]any, error) {
	c.omitEmptyAddress()
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

// UnmarshalJSON implements [json.Unmarshaler]. It stores members without a field in
// Extra, with numbers as [json.Number]. It rejects a member that occurs twice or that
// differs from a field only in case.
func (c *Claims) UnmarshalJSON(document []byte) error {
	var fields withoutMethods
	if err := strictjson.Unmarshal(document, &fields); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(document, &fields.Extra); err != nil {
		return err
	}
	for _, name := range StandardClaims() {
		delete(fields.Extra, name)
	}
	if len(fields.Extra) == 0 {
		fields.Extra = nil
	}
	*c = Claims(fields)
	c.omitEmptyAddress()
	return nil
}

// omitEmptyAddress removes an address without members, like every other empty claim
// (§5.3.2).
func (c *Claims) omitEmptyAddress() {
	if c.Address != nil && *c.Address == (Address{}) {
		c.Address = nil
	}
}
