package oauthkit

import (
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4/models"
)

// TestPKCEPolicy checks the policy that applies: an unknown one is strict, and a public
// application has no choice.
func TestPKCEPolicy(t *testing.T) {
	for _, tc := range []struct {
		fallback, chosen, want PKCEPolicy
	}{
		{"", "", PKCERequired},
		{"", PKCENonce, PKCENonce},
		{"", PKCEOptional, PKCEOptional},
		{PKCENonce, "", PKCENonce},
		{PKCEOptional, "", PKCEOptional},
		{PKCEOptional, PKCENonce, PKCENonce},
		{PKCEOptional, PKCERequired, PKCERequired},
		{PKCEOptional, "OPTIONAL", PKCERequired},
		{"", "none", PKCERequired},
	} {
		provider := &Provider{config: Config{PKCE: tc.fallback}}
		app := &AbstractApplication{ClientType: Confidential, PKCE: tc.chosen}
		if got := provider.PKCEPolicy(app); got != tc.want {
			t.Errorf("%q with the default %q: got %q, want %q", tc.chosen, tc.fallback, got, tc.want)
		}
		app.ClientType = Public
		if got := provider.PKCEPolicy(app); got != PKCERequired {
			t.Errorf("A-14 public, %q with the default %q: got %q, want required", tc.chosen, tc.fallback, got)
		}
	}
	provider := &Provider{config: Config{PKCE: PKCENonce}}
	if got := provider.PKCEPolicy(plainApplication{&models.Client{ID: "plain"}}); got != PKCENonce {
		t.Errorf("without the capability: got %q, want the default", got)
	}
}

// TestPKCEColumn checks that the column keeps the policy, that the empty one is NULL,
// and that no value that is not text is accepted.
func TestPKCEColumn(t *testing.T) {
	for _, policy := range []PKCEPolicy{"", PKCERequired, PKCENonce, PKCEOptional} {
		value, err := policy.Value()
		if err != nil || (value == nil) != (policy == "") {
			t.Errorf("%q: got %v, %v from Value, want NULL only for the empty policy", policy, value, err)
		}
		got := PKCEPolicy("before")
		if err := got.Scan(value); err != nil || got != policy {
			t.Errorf("%q: got %q, %v from Scan", policy, got, err)
		}
	}
	var got PKCEPolicy
	if err := got.Scan([]byte("nonce")); err != nil || got != PKCENonce {
		t.Errorf("got %q, %v from bytes, want nonce", got, err)
	}
	if err := got.Scan(42); err == nil {
		t.Error("Scan accepted a number, want an error")
	}
}

// TestPKCEOfOtherSoftware shows that the operator's assurance is revoked if the redirect
// URIs or the client type change. The policy is then required, whatever the default is.
func TestPKCEOfOtherSoftware(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*AbstractApplication)
		keeps  bool
	}{
		{"the name", func(a *AbstractApplication) { a.Name = "Other" }, true},
		{"the scopes", func(a *AbstractApplication) { a.Scopes = Scopes{"read", "write"} }, true},
		{"a redirect URI more", func(a *AbstractApplication) { a.RedirectURIs = append(a.RedirectURIs, "https://other.test/cb") }, false},
		{"another redirect URI", func(a *AbstractApplication) { a.RedirectURIs = URIs{"https://other.test/cb"} }, false},
		{"the client type", func(a *AbstractApplication) { a.ClientType = Public }, false},
	} {
		for _, policy := range []PKCEPolicy{"", PKCERequired, PKCENonce, PKCEOptional} {
			app := &AbstractApplication{
				ClientID: "web", Name: "Web", ClientType: Confidential, Scopes: Scopes{"read"},
				RedirectURIs: URIs{"https://rp.test/cb"}, PKCE: policy,
			}
			before := trustedFactsOf(app)
			tc.change(app)
			revokeTrust(app, before)
			want := policy
			if !tc.keeps && policy.isWeak() {
				want = PKCERequired
			}
			if app.PKCE != want {
				t.Errorf("%q after a change of %s: got %q, want %q", policy, tc.name, app.PKCE, want)
			}
		}
	}
}

// TestPKCEConfig checks that New refuses an unknown default.
func TestPKCEConfig(t *testing.T) {
	for policy, ok := range map[PKCEPolicy]bool{"": true, PKCERequired: true, PKCENonce: true, PKCEOptional: true, "plain": false, "Nonce": false} {
		_, err := withDefaults(Config{PKCE: policy, Now: func() time.Time { return time.Time{} }})
		if (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted: %t", policy, err, ok)
		}
	}
}
