package oauthapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

// TestSignIn checks which sign-ins an API accepts that demands a class and an age (U-11),
// in a token of an introspector and in a session of the host.
func TestSignIn(t *testing.T) {
	const demands = `Bearer error="insufficient_user_authentication", error_description="`
	with := func(acr, authTime string) string {
		return strings.NewReplacer(`"acr":"gold",`, acr, `"auth_time":1767355080,`, authTime, `"aud":["https://api.test"],`, "").Replace(active)
	}
	for name, test := range map[string]struct {
		body string // of the introspection response
		user oauthkit.User
		want bool
	}{
		"in time":           {with(`"acr":"gold",`, `"auth_time":1767354900,`), oauthkit.User{ACR: "gold", AuthTime: noon().Add(-5 * time.Minute)}, true},
		"other class":       {with(`"acr":"silver",`, `"auth_time":1767355200,`), oauthkit.User{ACR: "silver", AuthTime: noon()}, true},
		"clock ahead":       {with(`"acr":"gold",`, `"auth_time":1767355260,`), oauthkit.User{ACR: "gold", AuthTime: noon().Add(time.Minute)}, true},
		"too old":           {with(`"acr":"gold",`, `"auth_time":1767354899,`), oauthkit.User{ACR: "gold", AuthTime: noon().Add(-5*time.Minute - 1)}, false},
		"weak class":        {with(`"acr":"bronze",`, `"auth_time":1767355200,`), oauthkit.User{ACR: "bronze", AuthTime: noon()}, false},
		"part of a class":   {with(`"acr":"gold silver",`, `"auth_time":1767355200,`), oauthkit.User{ACR: "gold silver", AuthTime: noon()}, false},
		"unknown class":     {with("", `"auth_time":1767355200,`), oauthkit.User{AuthTime: noon()}, false},
		"empty class":       {with(`"acr":"",`, `"auth_time":1767355200,`), oauthkit.User{AuthTime: noon()}, false},
		"unknown time":      {with(`"acr":"gold",`, ""), oauthkit.User{ACR: "gold"}, false},
		"no time":           {with(`"acr":"gold",`, `"auth_time":0,`), oauthkit.User{ACR: "gold"}, false},
		"time before 1970":  {with(`"acr":"gold",`, `"auth_time":-1,`), oauthkit.User{ACR: "gold", AuthTime: time.Unix(-1, 0)}, false},
		"nothing is known.": {with("", ""), oauthkit.User{}, false},
	} {
		introspector := newIntrospector(t, &remote{status: 200, body: test.body}, nil)
		api := oauthapi.API{Tokens: introspector, ACRValues: []string{"gold", "silver", ""}, MaxAge: 5 * time.Minute}
		test.user.Subject = "alice"
		session := func(*http.Request) (*oauthkit.User, error) { return &test.user, nil }
		for kind, answer := range map[string]struct {
			status    int
			challenge string
		}{
			"token":   statusOf(api.RequireScopes("read"), "oat_x"),
			"session": statusOf(api.SignedInOr(session, "read"), ""),
		} {
			switch {
			case test.want && answer.status != http.StatusOK:
				t.Errorf("%s, %s: got %d with %s, want 200", name, kind, answer.status, answer.challenge)
			case !test.want && (answer.status != http.StatusUnauthorized || !strings.HasPrefix(answer.challenge, demands) ||
				!strings.Contains(answer.challenge, `, acr_values="gold silver ", max_age="300"`)):
				t.Errorf("%s, %s: got %d with %s, want 401 with the demands", name, kind, answer.status, answer.challenge)
			}
		}
	}
}

// statusOf sends a request with a token, or without one if it is empty.
func statusOf(protect func(http.Handler) http.Handler, token string) (answer struct {
	status    int
	challenge string
}) {
	recorded := answerTo(protect, http.MethodGet, token)
	answer.status, answer.challenge = recorded.Code, recorded.Header().Get("WWW-Authenticate")
	return answer
}

// TestSignIn_ScopeFirst checks that a token without the scope is told so first: a new
// sign-in would not help.
func TestSignIn_ScopeFirst(t *testing.T) {
	api := oauthapi.API{Tokens: tokens, MaxAge: time.Minute}
	if got := statusOf(api.RequireScopes("write"), "read"); got.status != http.StatusForbidden {
		t.Errorf("got %d with %s, want 403", got.status, got.challenge)
	}
	if got := statusOf(api.RequireScopes("read"), "read"); got.status != http.StatusUnauthorized ||
		!strings.HasSuffix(got.challenge, `, max_age="60", scope="read"`) {
		t.Errorf("got %d with %s, want 401 with max_age and scope", got.status, got.challenge)
	}
}
