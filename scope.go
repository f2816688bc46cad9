package oauthkit

import (
	"database/sql/driver"
	"slices"
	"strings"
)

// Scopes is a set of scopes (RFC 6749 §3.3) in the order in which they were asked for, without repetition.
type Scopes []string

// The most that ParseScopes accepts.
const (
	maxScopes      = 100
	maxScopesBytes = 4096
)

// ParseScopes reads a scope parameter: scopes with one space between each. A repeated scope is kept once. The error is an
// [*Error] with [InvalidScope].
func ParseScopes(text string) (Scopes, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxScopesBytes {
		return nil, Errorf(InvalidScope, "scope is longer than %d bytes", maxScopesBytes)
	}
	var scopes Scopes
	for word := range strings.SplitSeq(text, " ") {
		if !isScope(word) {
			return nil, Errorf(InvalidScope, "scope is not a list of words with one space between")
		}
		if !slices.Contains(scopes, word) {
			scopes = append(scopes, word)
		}
		if len(scopes) > maxScopes {
			return nil, Errorf(InvalidScope, "scope holds more than %d words", maxScopes)
		}
	}
	return scopes, nil
}

// isScope reports whether word is a scope-token: visible ASCII without the quotation mark and the backslash.
func isScope(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return notVisible(r) || r == '"' || r == '\\'
	})
}

// String returns the scopes with one space between each, as in a scope parameter.
func (s Scopes) String() string { return strings.Join(s, " ") }

// Contains reports whether scope is one of them.
func (s Scopes) Contains(scope string) bool { return slices.Contains(s, scope) }

// ContainsAll reports whether every one of others is one of them.
func (s Scopes) ContainsAll(others Scopes) bool {
	return !slices.ContainsFunc(others, func(scope string) bool { return !slices.Contains(s, scope) })
}

// Union returns the scopes of both, those of s first.
func (s Scopes) Union(others Scopes) Scopes {
	union := slices.Clone(s)
	for _, scope := range others {
		if !slices.Contains(union, scope) {
			union = append(union, scope)
		}
	}
	return union
}

// Value implements [driver.Valuer].
func (s Scopes) Value() (driver.Value, error) { return s.String(), nil }

// Scan implements [database/sql.Scanner].
func (s *Scopes) Scan(column any) error {
	words, err := scanWords(column)
	*s = words
	return err
}

// GormDataType tells GORM the column's type.
func (Scopes) GormDataType() string { return "text" }
