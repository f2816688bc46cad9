package oauthkit

import (
	"slices"
	"strings"
)

// ResponseType is a set of words, such as "code" or "code id_token": the parts of an
// authorization response that an application requests (RFC 6749 §3.1.1). Its words are
// sorted and separated by one space. Use [ParseResponseType] to sort them.
type ResponseType string

// The words of the library.
const (
	// ResponseTypeCode is an authorization code (RFC 6749 §4.1.1).
	ResponseTypeCode ResponseType = "code"
	// ResponseTypeToken is an access token (RFC 6749 §4.2.1).
	ResponseTypeToken ResponseType = "token"
	// ResponseTypeIDToken is an ID token (OAuth 2.0 Multiple Response Type Encoding
	// Practices §3).
	ResponseTypeIDToken ResponseType = "id_token"
)

// ParseResponseType returns the set of the words in text, whose order has no meaning
// (RFC 6749 §3.1.1). It keeps a repeated word, which no supported type has.
func ParseResponseType(text string) ResponseType {
	if !strings.Contains(text, " ") {
		return ResponseType(text)
	}
	return ResponseType(strings.Join(slices.Sorted(strings.SplitSeq(text, " ")), " "))
}

// Words returns the words, sorted.
func (t ResponseType) Words() []string { return strings.Split(string(t), " ") }

// Contains reports whether word is one of the words.
func (t ResponseType) Contains(word ResponseType) bool {
	return t == word || slices.Contains(t.Words(), string(word))
}
