package oauthapi

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// response is an introspection response (RFC 7662 §2.2).
type response struct {
	Active       bool         `json:"active"`
	TokenType    string       `json:"token_type"`
	ClientID     string       `json:"client_id"`
	Subject      string       `json:"sub"`
	Scope        string       `json:"scope"`
	Audience     audience     `json:"aud"`
	IssuedAt     int64        `json:"iat"`
	ExpiresAt    int64        `json:"exp"`
	NotBefore    int64        `json:"nbf"`
	ACR          string       `json:"acr"`
	AuthTime     int64        `json:"auth_time"`
	Confirmation confirmation `json:"cnf"`
}

// confirmation is the member cnf (RFC 7800 §3.1). Anything but one member with a
// string is read as a Confirmation that no key binding has, so that the token is refused.
type confirmation struct{ oauthkit.Confirmation }

// UnmarshalJSON implements [json.Unmarshaler].
func (c *confirmation) UnmarshalJSON(text []byte) error {
	c.Confirmation = oauthkit.Confirmation{Method: unsupported}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(text, &members) // anything but an object has no members
	for method, member := range members {
		var value string
		if len(members) == 1 && json.Unmarshal(member, &value) == nil && value != "" {
			c.Confirmation = oauthkit.Confirmation{Method: method, Value: value}
		}
	}
	return nil
}

// unsupported is no Method of a key binding, because it has spaces.
const unsupported = "not one string"

// audience is a list, in JSON also a string if it has one element (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = nil
		if one != "" {
			*a = audience{one}
		}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// readResponse reads an introspection response. Anything else is a failure, and never
// means that the token is not active.
func readResponse(answer *http.Response) (*response, error) {
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode != http.StatusOK || mediaType != "application/json" {
		return nil, fmt.Errorf("the provider answered %s with %q", answer.Status, mediaType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, answer.Body, wire.MaxBody))
	if err != nil {
		return nil, err
	}
	read := &response{}
	if err := strictjson.Unmarshal(body, read); err != nil {
		return nil, fmt.Errorf("decoding the provider's response: %w", err)
	}
	return read, nil
}

// isValid reports whether the token is valid at now, presented with the proof of its key.
func (r *response) isValid(now time.Time) bool {
	return r.Active && r.ClientID != "" && now.Before(time.Unix(r.ExpiresAt, 0)) && !now.Before(time.Unix(r.NotBefore, 0))
}

// accessToken returns the token for the API's handlers. Each call returns a new
// value, since they may change it.
func (r *response) accessToken(hash string) *oauthkit.AccessToken {
	scopes, resources := oauthkit.Scopes(strings.Fields(r.Scope)), oauthkit.URIs(slices.Clone(r.Audience))
	issued, expires := time.Unix(r.IssuedAt, 0).UTC(), time.Unix(r.ExpiresAt, 0).UTC()
	var signedIn time.Time
	if r.AuthTime > 0 {
		signedIn = time.Unix(r.AuthTime, 0).UTC()
	}
	return &oauthkit.AccessToken{
		Hash: hash, Scopes: scopes, Resources: resources, Confirmation: r.Confirmation.Confirmation, IssuedAt: issued, ExpiresAt: expires,
		Authorization: &oauthkit.Authorization{
			ClientID: r.ClientID, Subject: r.Subject, Scopes: slices.Clone(scopes), Resources: slices.Clone(resources),
			CreatedAt: issued, ExpiresAt: expires, ACR: r.ACR, AuthTime: signedIn,
		},
	}
}
