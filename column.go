package oauthkit

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/go-oauth2/oauth2/v4"
)

// This file holds the types of columns: lists that are stored as Django OAuth Toolkit stores them, in one text column with
// spaces between.

// URIs is a list of URIs in one text column, separated by spaces.
type URIs []string

// String returns the URIs with one space between each.
func (u URIs) String() string { return strings.Join(u, " ") }

// ContainsAll reports whether every one of others is one of them.
func (u URIs) ContainsAll(others URIs) bool { return Scopes(u).ContainsAll(Scopes(others)) }

// Value implements [driver.Valuer].
func (u URIs) Value() (driver.Value, error) { return u.String(), nil }

// Scan implements [database/sql.Scanner]. Any white space separates, as in rows that were written elsewhere.
func (u *URIs) Scan(column any) error {
	words, err := scanWords(column)
	*u = words
	return err
}

// GormDataType tells GORM the column's type.
func (URIs) GormDataType() string { return "text" }

// GrantTypes is a list of grant types in one text column, separated by spaces.
type GrantTypes []oauth2.GrantType

// Value implements [driver.Valuer].
func (g GrantTypes) Value() (driver.Value, error) {
	words := make([]string, len(g))
	for i, grant := range g {
		words[i] = string(grant)
	}
	return strings.Join(words, " "), nil
}

// Scan implements [database/sql.Scanner].
func (g *GrantTypes) Scan(column any) error {
	words, err := scanWords(column)
	*g = nil
	for _, word := range words {
		*g = append(*g, oauth2.GrantType(word))
	}
	return err
}

// GormDataType tells GORM the column's type.
func (GrantTypes) GormDataType() string { return "text" }

func scanWords(column any) ([]string, error) {
	switch text := column.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.Fields(text), nil
	case []byte:
		return strings.Fields(string(text)), nil
	default:
		return nil, fmt.Errorf("oauthkit: a list of words is stored as text, not as %T", column)
	}
}
