package oauthkit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// TestConsentOfEachAPI approves scopes for APIs one after the other, and wants each remembered as it was approved: neither forgotten for
// what was approved later, nor mixed with it.
func TestConsentOfEachAPI(t *testing.T) {
	const a, b = "https://a.test", "https://b.test"
	type asked struct {
		scope     string
		resources []string
	}
	all := []asked{
		{"read", nil}, {"read", []string{a}}, {"read", []string{b}}, {"read", []string{b, a}},
		{"basic", nil}, {"basic", []string{a}}, {"basic", []string{b}}, {"read basic", []string{a}},
	}
	for name, test := range map[string]struct {
		approved   []asked
		remembered []int // of all
	}{
		"nothing":                    {nil, nil},
		"one after the other":        {[]asked{all[1], all[2]}, []int{1, 2, 3}},
		"both at once":               {[]asked{all[3]}, []int{1, 2, 3}},
		"other scopes for the other": {[]asked{all[1], all[6]}, []int{1, 6}},
		"every API":                  {[]asked{all[0]}, []int{0, 1, 2, 3}},
		"every API, then one more":   {[]asked{all[0], all[5]}, []int{0, 1, 2, 3, 5, 7}},
		"one, then every API":        {[]asked{all[1], all[4]}, []int{1, 4, 5, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.Resources = []string{a, b} })
			for _, one := range test.approved {
				s.allows(s.opens(one.scope, one.resources...))
			}
			for i, one := range all {
				if got, want := s.remembers(s.request(one.scope, callback, one.resources...)), slices.Contains(test.remembered, i); got != want {
					t.Errorf("%v: got remembered %t, want %t", one, got, want)
				}
			}
		})
	}
}

// TestConsentKeepsItsEnd is about what a page did not show: approving something else does not make it last longer.
func TestConsentKeepsItsEnd(t *testing.T) {
	const day = 24 * time.Hour
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.ConsentLifetime = 90 * day })
	s.allows(s.opens("read"))
	s.now = s.now.Add(89 * day)
	s.allows(s.opens("basic"))
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten before its end")
	}
	s.now = s.now.Add(2 * day)
	if s.remembers(s.request("read", callback)) {
		t.Error("got what was last shown 91 days ago remembered")
	}
	s.allows(s.opens("read basic"))
	s.now = s.now.Add(89 * day)
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten, want 90 days from when all of it was shown")
	}
}

// TestConsentForAPIsKeepsItsEnd is the same where what was shown before was for one API.
func TestConsentForAPIsKeepsItsEnd(t *testing.T) {
	const day, a, b = 24 * time.Hour, "https://a.test", "https://b.test"
	for name, test := range map[string]struct {
		resources []string
		want      bool // that read at a is remembered for 90 days more
	}{"the same": {[]string{a}, true}, "both": {[]string{b, a}, true}, "another": {[]string{b}, false}, "every API": {nil, true}} {
		t.Run(name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
				config.ConsentLifetime, config.Resources = 90*day, []string{a, b}
			})
			s.allows(s.opens("read", a))
			s.now = s.now.Add(89 * day)
			s.allows(s.opens("read basic", test.resources...))
			s.now = s.now.Add(2 * day)
			if got := s.remembers(s.request("read", callback, a)); got != test.want {
				t.Errorf("got remembered %t, want %t", got, test.want)
			}
		})
	}
}
