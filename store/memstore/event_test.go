package memstore_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// TestEventAttributes tests the attributes of each type of field, and that empty fields
// have none.
func TestEventAttributes(t *testing.T) {
	tests := []struct {
		event oauthkit.Event
		want  string
	}{
		{oauthkit.TokenIssued{
			ClientID: "web", Subject: "alice", AuthorizationID: "a", AccessTokenID: "00000001", GrantType: "refresh_token",
			Scopes: oauthkit.Scopes{"openid", "read"}, Retried: true,
		}, "client_id=web subject=alice authorization_id=a access_token_id=00000001 grant_type=refresh_token scopes=openid read retried=true"},
		{oauthkit.AuthorizationRevoked{Reason: oauthkit.RevokedByReplay}, "reason=replay"},
		{oauthkit.ConsentRevoked{AuthorizationIDs: []string{"a", "b"}}, "authorization_ids=[a b]"},
		{oauthkit.UserRevoked{Authorizations: 2}, "authorizations=2"},
		{oauthkit.KeyPublished{KeyID: "k", ActiveAt: time.Unix(1, 0).UTC()}, "key_id=k active_at=1970-01-01 00:00:01 +0000 UTC"},
		{oauthkit.TokenIssued{}, ""},
	}
	for _, test := range tests {
		var got []string
		for _, attribute := range oauthkit.EventAttributes(test.event) {
			got = append(got, attribute.String())
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%T: got %s, want %s", test.event, text, test.want)
		}
	}
}

// TestObservers shows that observers are called in order, that nil is ignored, and that
// a panic reaches the host.
func TestObservers(t *testing.T) {
	var called []string
	observer := func(name string) func(context.Context, oauthkit.Event) {
		return func(_ context.Context, event oauthkit.Event) {
			called = append(called, name+" "+oauthkit.EventName(event))
		}
	}
	oauthkit.Observers(observer("first"), nil, observer("second"))(t.Context(), oauthkit.ConsentGranted{})
	if want := []string{"first consent.granted", "second consent.granted"}; !slices.Equal(called, want) {
		t.Errorf("got calls %v, want %v", called, want)
	}
	defer func() {
		if got := recover(); got != "the host's mistake" {
			t.Errorf("got %v, want the panic of the observer", got)
		}
	}()
	oauthkit.Observers(func(context.Context, oauthkit.Event) { panic("the host's mistake") })(t.Context(), oauthkit.ConsentGranted{})
}

// TestCredentialID shows that the id of a credential can be computed from the credential.
func TestCredentialID(t *testing.T) {
	for _, value := range []string{"oat_x", "any token"} {
		if got, want := oauthkit.CredentialID(value), fmt.Sprintf("%x", sha256.Sum256([]byte(value)))[:8]; got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	if got := oauthkit.CredentialID(""); got != "" {
		t.Errorf("got %q as the name of no credential, want none", got)
	}
}

// TestRequestInfo shows that a RequestInfo in a context is returned with valid and
// shortened texts.
func TestRequestInfo(t *testing.T) {
	if got := oauthkit.RequestInfoFrom(t.Context()); got != (oauthkit.RequestInfo{}) {
		t.Errorf("got %+v of a context without any", got)
	}
	long := strings.Repeat("é", 200) + "\xff"
	ctx := oauthkit.WithRequestInfo(t.Context(), oauthkit.RequestInfo{TraceID: "trace", RemoteIP: "192.0.2.1\xff", UserAgent: long})
	got, want := oauthkit.RequestInfoFrom(ctx), oauthkit.RequestInfo{TraceID: "trace", RemoteIP: "192.0.2.1", UserAgent: long[:256]}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
