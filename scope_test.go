package oauthkit

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// numbered returns n scopes.
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

// FuzzScopeGrammar compares ParseScopes with the grammar of RFC 6749 §3.3: it accepts
// every valid scope parameter within the limits and nothing else, and returns the
// words in order, each once.
func FuzzScopeGrammar(f *testing.F) {
	grammar := regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$`)
	for _, text := range scopeTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := slices.Compact(slices.Sorted(slices.Values(strings.Fields(text))))
		valid := text == "" || grammar.MatchString(text) && len(text) <= maxScopesBytes && len(words) <= maxScopes
		scopes, err := ParseScopes(text)
		if (err == nil) != valid {
			t.Fatalf("ParseScopes(%q) = %q, %v; valid by the grammar: %v", text, scopes, err, valid)
		}
		if err != nil {
			if scopes != nil || CodeOf(err) != InvalidScope {
				t.Fatalf("ParseScopes(%q) = %q, %v; want no scopes and invalid_scope", text, scopes, err)
			}
			return
		}
		if got := slices.Sorted(slices.Values(scopes)); !slices.Equal(got, words) {
			t.Fatalf("ParseScopes(%q) has the words %q, want %q", text, got, words)
		}
		if !slices.IsSortedFunc(scopes, func(a, b string) int { return firstWord(text, a) - firstWord(text, b) }) {
			t.Fatalf("ParseScopes(%q) = %q, which has another order", text, scopes)
		}
		if again, err := ParseScopes(scopes.String()); err != nil || !slices.Equal(scopes, again) {
			t.Fatalf("got %q, %v; want %q again", again, err, scopes)
		}
	})
}

// FuzzScopeSets checks the operations on two sets by their definition, element by
// element, and that a column keeps the set.
func FuzzScopeSets(f *testing.F) {
	for _, text := range scopeTexts() {
		f.Add(text, "openid b")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		a, err := ParseScopes(first)
		if err != nil {
			return
		}
		b, err := ParseScopes(second)
		if err != nil {
			return
		}
		union := a.Union(b)
		if !union.ContainsAll(a) || !union.ContainsAll(b) || !slices.Equal(union[:len(a)], a) {
			t.Fatalf("%q.Union(%q) = %q", a, b, union)
		}
		for i, scope := range union {
			if !a.Contains(scope) && !b.Contains(scope) || union[:i].Contains(scope) {
				t.Fatalf("%q.Union(%q) = %q, where %q is repeated or in neither", a, b, union, scope)
			}
		}
		if got, want := a.ContainsAll(b), len(union) == len(a); got != want {
			t.Fatalf("%q.ContainsAll(%q) = %v, want %v", a, b, got, want)
		}
		column, err := union.Value()
		if err != nil {
			t.Fatal(err)
		}
		var again Scopes
		if err := again.Scan(column); err != nil || !slices.Equal(again, union) {
			t.Fatalf("the column %q holds %q, %v; want %q", column, again, err, union)
		}
	})
}

// scopeTexts returns edge cases of the grammar and of the limits.
func scopeTexts() []string {
	return []string{
		"", "openid", "openid profile email", "b a b", "!#[]~", "https://api.example.com/read:all",
		" ", " a", "a ", "a  b", "a\tb", "a\nb", `a"b`, `a\b`, "a\x7f", "ä", "a\u00a0b", "\xff", "a\x00",
		strings.Repeat("x", maxScopesBytes), strings.Repeat("x", maxScopesBytes+1),
		strings.Repeat("a ", 500) + "a",
	}
}

// firstWord returns the position of word in text as a whole word.
func firstWord(text, word string) int {
	return strings.Index(" "+text+" ", " "+word+" ")
}
