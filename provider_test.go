package oauthkit

import (
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// nothing is a store that is never called.
type nothing struct{ Store }

func TestNewRefuses(t *testing.T) {
	issuers := map[string]string{
		"empty":                  "",
		"relative":               "/o",
		"no host":                "https:///o",
		"http":                   "http://example.com/o",
		"other scheme":           "ftp://example.com/o",
		"query":                  "https://example.com/o?x=1",
		"empty query":            "https://example.com/o?",
		"fragment":               "https://example.com/o#x",
		"K-13 trailing slash":    "https://example.com/o/",
		"trailing slash of root": "https://example.com/",
		"userinfo":               "https://me@example.com/o",
		"double slash":           "https://example.com//o",
		"escaped path":           "https://example.com/%2Fo",
		"name like localhost":    "http://localhost.example.com",
	}
	for name, issuer := range issuers {
		if _, err := New(issuer, nothing{}, Config{}); err == nil {
			t.Errorf("%s: issuer %q: got no error, want one", name, issuer)
		}
	}
	configs := map[string]Config{
		"short secret":         {Secret: "too short"},
		"accepted, no secret":  {AcceptSecrets: []string{strings.Repeat("a", 32)}},
		"accepted, short":      {Secret: strings.Repeat("b", 32), AcceptSecrets: []string{"too short"}},
		"accepted, the secret": {Secret: strings.Repeat("b", 32), AcceptSecrets: []string{strings.Repeat("b", 32)}},
		"accepted twice":       {Secret: strings.Repeat("b", 32), AcceptSecrets: []string{strings.Repeat("a", 32), strings.Repeat("a", 32)}},
		"negative lifetime":    {AccessTokenLifetime: -time.Second},
		"negative timeout":     {Timeout: -time.Second},
		"fraction of a second": {AccessTokenLifetime: 1500 * time.Millisecond},
		"bad scope":            {Scopes: StaticScopes{"a b": ""}},
		"bad scope, default":   {Scopes: StaticScopes{"a b": ""}.WithDefault("a b")},
		"relative resource":    {Resources: []string{"/api"}},
		"resource fragment":    {Resources: []string{"https://api.test/#x"}},
		"resource user":        {Resources: []string{"https://me@api.test/"}},
		"introspection":        {Scopes: StaticScopes{IntrospectionScope: ""}},
		"nil grant":            {Grants: []Grant{nil}},
		"approval prompt":      {ApprovalPrompt: "sometimes"},
	}
	for name, config := range configs {
		if _, err := New("https://example.com", nothing{}, config); err == nil || !strings.HasPrefix(err.Error(), "oauthkit: ") {
			t.Errorf("%s: got %v, want an error with the prefix oauthkit", name, err)
		}
	}
	if _, err := New("https://example.com", nil, Config{}); err == nil {
		t.Error("nil store: got no error, want one")
	}
}

// codeGrant is a [Grant] of any type that responds to the word code.
type codeGrant struct {
	Grant
	Responder
	name oauth2.GrantType
}

func (g codeGrant) GrantType() oauth2.GrantType { return g.name }

func (g codeGrant) ResponseType() ResponseType { return ResponseTypeCode }

func TestNewRefusesGrants(t *testing.T) {
	for name, grants := range map[string][]Grant{
		"grant type twice":    {codeGrant{name: "a"}, codeGrant{name: "a"}},
		"response type twice": {codeGrant{name: "a"}, codeGrant{name: "b"}},
		"without a name":      {codeGrant{}},
	} {
		if _, err := New("https://example.com", nothing{}, Config{Grants: grants}); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

func TestIssuerIsNotChanged(t *testing.T) {
	for issuer, prefix := range map[string]string{
		"https://example.com":          "",
		"https://example.com/o":        "/o",
		"https://example.com:8443/a/b": "/a/b",
		"http://localhost:8080/o":      "/o",
		"http://127.0.0.1:8080":        "",
		"http://[::1]:8080/o":          "/o",
	} {
		provider, err := New(issuer, nothing{}, Config{})
		if err != nil {
			t.Errorf("%s: %v", issuer, err)
			continue
		}
		if provider.Issuer() != issuer || provider.Prefix() != prefix {
			t.Errorf("got %q and %q, want %q and %q", provider.Issuer(), provider.Prefix(), issuer, prefix)
		}
	}
}
