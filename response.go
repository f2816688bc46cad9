package oauthkit

import (
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// TokenResponse is a successful response of the token endpoint (RFC 6749 §5.1).
type TokenResponse struct {
	AccessToken  string
	TokenType    string // always Bearer
	ExpiresIn    int64  // seconds
	RefreshToken string // empty if there is none
	Scope        string
	// Extra holds further members, such as id_token. They cannot replace those above.
	Extra map[string]any
}

// Set adds a member.
func (t *TokenResponse) Set(name string, value any) {
	if t.Extra == nil {
		t.Extra = map[string]any{}
	}
	t.Extra[name] = value
}

// MarshalJSON returns the response as it is sent.
func (t *TokenResponse) MarshalJSON() ([]byte, error) {
	members := maps.Clone(t.Extra)
	if members == nil {
		members = map[string]any{}
	}
	members["access_token"] = t.AccessToken
	members["token_type"] = t.TokenType
	members["expires_in"] = t.ExpiresIn
	members["scope"] = t.Scope
	if t.RefreshToken != "" {
		members["refresh_token"] = t.RefreshToken
	}
	return json.Marshal(members)
}

// UnmarshalJSON reads the output of MarshalJSON.
func (t *TokenResponse) UnmarshalJSON(document []byte) error {
	var members struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
		Scope        string `json:"scope"`
	}
	extra := map[string]json.RawMessage{} // as it was written: numbers would lose digits
	if err := errors.Join(json.Unmarshal(document, &members), json.Unmarshal(document, &extra)); err != nil {
		return err
	}
	*t = TokenResponse{
		AccessToken: members.AccessToken, TokenType: members.TokenType, ExpiresIn: members.ExpiresIn,
		RefreshToken: members.RefreshToken, Scope: members.Scope,
	}
	for name, value := range extra {
		t.Set(name, value)
	}
	return nil
}

// Issued is a [TokenResponse] about to be sent, with its context.
type Issued struct {
	// Response is sent to the application.
	Response TokenResponse
	// Application is the application that sent the request.
	Application Application
	// GrantType is the grant type of the request.
	GrantType oauth2.GrantType
	// Authorization is the Authorization of the tokens.
	Authorization *Authorization
	// Scopes are the scopes of the access token.
	Scopes Scopes
	// Now is when the request arrived.
	Now time.Time
}
