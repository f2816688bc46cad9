package oauthkit

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// numbered returns a number of scopes.
func numbered(n int) string {
	var words []string
	for i := range n {
		words = append(words, strconv.Itoa(i))
	}
	return strings.Join(words, " ")
}

func TestA20_ParseScopes(t *testing.T) {
	cases := []struct {
		text string
		want Scopes
		bad  bool
	}{
		{"", nil, false},
		{"a", Scopes{"a"}, false},
		{"a b", Scopes{"a", "b"}, false},
		{"b a b", Scopes{"b", "a"}, false},
		{"a  b", nil, true},
		{" a", nil, true},
		{"a ", nil, true},
		{"a\tb", nil, true},
		{`a"b`, nil, true},
		{`a\b`, nil, true},
		{"ä", nil, true},
		{"a\x00", nil, true},
		{strings.Repeat("a ", 10_000) + "a", nil, true},
		{strings.Repeat("x", maxScopesBytes+1), nil, true},
		{numbered(maxScopes), strings.Split(numbered(maxScopes), " "), false},
		{numbered(maxScopes + 1), nil, true},
	}
	for _, tc := range cases {
		got, err := ParseScopes(tc.text)
		if !slices.Equal(got, tc.want) || (err != nil) != tc.bad {
			t.Errorf("%.20q: got %q, %v; want %q, error: %v", tc.text, got, err, tc.want, tc.bad)
		}
		if err != nil && CodeOf(err) != InvalidScope {
			t.Errorf("%.20q: got %s, want invalid_scope", tc.text, CodeOf(err))
		}
	}
}
