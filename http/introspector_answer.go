package oauthhttp

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
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// introspection is what the provider says about a token (RFC 7662 §2.2).
type introspection struct {
	Active       bool            `json:"active"`
	TokenType    string          `json:"token_type"`
	ClientID     string          `json:"client_id"`
	Subject      string          `json:"sub"`
	Scope        string          `json:"scope"`
	Audience     stringOrList    `json:"aud"`
	IssuedAt     int64           `json:"iat"`
	ExpiresAt    int64           `json:"exp"`
	NotBefore    int64           `json:"nbf"`
	Confirmation json.RawMessage `json:"cnf"`
}

// stringOrList is the form of aud: a list, or the one member of it (RFC 7519 §4.1.3).
type stringOrList []string

// UnmarshalJSON implements [json.Unmarshaler].
func (s *stringOrList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = nil
		if one != "" {
			*s = stringOrList{one}
		}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// readIntrospection reads the answer. Whatever is not one is a failure, never the answer that the token is not active.
func readIntrospection(response *http.Response) (*introspection, error) {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || mediaType != "application/json" {
		return nil, fmt.Errorf("the provider answered %s with %q", response.Status, mediaType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	answer := &introspection{}
	if err := strictjson.Unmarshal(body, answer); err != nil {
		return nil, fmt.Errorf("the provider's answer cannot be read: %w", err)
	}
	return answer, nil
}

// goodAt reports whether the answer is about an access token that may be used as a bearer token now. It must say so in full: a
// refresh token of the API's own application is active as well but of no type, and a token with a key (cnf, RFC 7800) is
// worth nothing without proof of that.
func (a *introspection) goodAt(now time.Time) bool {
	return a.Active && strings.EqualFold(a.TokenType, "Bearer") && a.ClientID != "" && len(a.Confirmation) == 0 &&
		now.Before(time.Unix(a.ExpiresAt, 0)) && !now.Before(time.Unix(a.NotBefore, 0))
}

// accessToken is the token as the API's handlers see it, made anew for each: they may change it.
func (a *introspection) accessToken(hash string) *oauthkit.AccessToken {
	scopes, resources := oauthkit.Scopes(strings.Fields(a.Scope)), oauthkit.URIs(slices.Clone(a.Audience))
	issued, expires := time.Unix(a.IssuedAt, 0).UTC(), time.Unix(a.ExpiresAt, 0).UTC()
	return &oauthkit.AccessToken{
		Hash: hash, Scopes: scopes, Resources: resources, IssuedAt: issued, ExpiresAt: expires,
		Authorization: &oauthkit.Authorization{
			ClientID: a.ClientID, Subject: a.Subject, Scopes: slices.Clone(scopes), Resources: slices.Clone(resources),
			CreatedAt: issued, ExpiresAt: expires,
		},
	}
}
