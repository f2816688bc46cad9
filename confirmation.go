package oauthkit

import (
	"fmt"
	"strings"
)

// Confirmation identifies the key that a code or token is bound to (RFC 7800 §3.1). If
// it is zero, the credential is not bound: a bearer token (RFC 6750).
type Confirmation struct {
	// Method is the member of cnf, such as jkt (RFC 9449 §6.1) or x5t#S256 (RFC 8705
	// §3.1). It is the Method of a [KeyBinding].
	Method string
	// Value identifies the key, as in the member.
	Value string
}

// IsZero reports whether the credential is not bound to a key.
func (c Confirmation) IsZero() bool { return c == Confirmation{} }

// String returns the Confirmation as it is stored: method and value, separated by a
// space. It is empty if the Confirmation is zero.
func (c Confirmation) String() string {
	if c.IsZero() {
		return ""
	}
	return c.Method + " " + c.Value
}

// Scan implements [database/sql.Scanner]. It reads NULL as zero, and any other value
// only if it is the result of String: a bound token must not become a bearer token.
func (c *Confirmation) Scan(column any) error {
	var text string
	switch value := column.(type) {
	case nil:
		*c = Confirmation{}
		return nil
	case string:
		text = value
	case []byte:
		text = string(value)
	default:
		return fmt.Errorf("oauthkit: cannot read a Confirmation from %T", column)
	}
	method, value, _ := strings.Cut(text, " ")
	read := Confirmation{method, value}
	if !read.isValid() {
		return fmt.Errorf("oauthkit: %q is not a Confirmation", text)
	}
	*c = read
	return nil
}

// maxConfirmation is the maximum length of a method and of a value in bytes.
const maxConfirmation = 255

// isValid reports whether both parts are present, visible ASCII and not too long.
func (c Confirmation) isValid() bool {
	for _, part := range [...]string{c.Method, c.Value} {
		if part == "" || len(part) > maxConfirmation || strings.ContainsFunc(part, notVisible) {
			return false
		}
	}
	return true
}
