package oauthkit

import (
	"errors"
	"fmt"
	"strings"
)

// The answers of a store that are not failures. Any other error of a store means that it failed, and is answered
// with [TemporarilyUnavailable]: not knowing is never "no".
var (
	// ErrNotFound says that there is no such thing.
	ErrNotFound = errors.New("oauthkit: not found")
	// ErrReplayed says that the presented credential was used before.
	ErrReplayed = errors.New("oauthkit: used before")
	// ErrRevoked says that the Authorization or the Consent behind it was revoked.
	ErrRevoked = errors.New("oauthkit: revoked")
	// ErrExhausted says that the presented credential was repeated as often as it may be.
	ErrExhausted = errors.New("oauthkit: repeated too often")
	// ErrEnded says that all that the application or the user has is being revoked, or was when the application was disabled or
	// deleted, while the act ran. Nothing was saved.
	ErrEnded = errors.New("oauthkit: ended meanwhile")
	// ErrConflict says that an application was changed by somebody else since it was read.
	ErrConflict = errors.New("oauthkit: changed meanwhile")
	// ErrTooMany says that an owner has as many applications as they may have. Nothing was stored.
	ErrTooMany = errors.New("oauthkit: too many")
)

// ErrorCode is an error code that a client acts on.
type ErrorCode string

// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, and OpenID Connect Core §3.1.2.6.
const (
	InvalidRequest          ErrorCode = "invalid_request"
	InvalidClient           ErrorCode = "invalid_client"
	InvalidGrant            ErrorCode = "invalid_grant"
	InvalidScope            ErrorCode = "invalid_scope"
	InvalidToken            ErrorCode = "invalid_token"
	InsufficientScope       ErrorCode = "insufficient_scope"
	UnauthorizedClient      ErrorCode = "unauthorized_client"
	UnsupportedGrantType    ErrorCode = "unsupported_grant_type"
	UnsupportedResponseType ErrorCode = "unsupported_response_type"
	AccessDenied            ErrorCode = "access_denied"
	ServerError             ErrorCode = "server_error"
	TemporarilyUnavailable  ErrorCode = "temporarily_unavailable"
	LoginRequired           ErrorCode = "login_required"
	ConsentRequired         ErrorCode = "consent_required"
	InteractionRequired     ErrorCode = "interaction_required"
	InvalidTarget           ErrorCode = "invalid_target" // RFC 8707 §2
	RequestNotSupported     ErrorCode = "request_not_supported"
	RequestURINotSupported  ErrorCode = "request_uri_not_supported"
)

// Error is an answer to a client. Code and Description are sent; the cause is for the log only.
type Error struct {
	Code ErrorCode
	// Description is for the client's developer. It must hold nothing secret and, where an authorization request is refused, nothing of
	// the request, since a page shows it. Empty: not sent.
	Description string
	Reason      Reason // for people and logs, see [ReasonOf]; it is not sent. Empty: the code says it
	cause       error
}

// Errorf makes an Error. The description is sent to the client: characters that error_description may not hold
// (RFC 6749 §5.2) are replaced by question marks.
func Errorf(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Description: strings.Map(descriptionRune, fmt.Sprintf(format, args...))}
}

// descriptionRune keeps %x20-21 / %x23-5B / %x5D-7E.
func descriptionRune(r rune) rune {
	switch {
	case r == '"':
		return '\''
	case r < 0x20 || r > 0x7e || r == '\\':
		return '?'
	default:
		return r
	}
}

// WithCause returns a copy that wraps cause, for the log and for errors.Is.
func (e *Error) WithCause(cause error) *Error {
	return &Error{Code: e.Code, Description: e.Description, Reason: e.Reason, cause: cause}
}

// WithReason returns a copy that has a reason.
func (e *Error) WithReason(reason Reason) *Error {
	return &Error{Code: e.Code, Description: e.Description, Reason: reason, cause: e.cause}
}

// Error returns the code, the description and the cause, for the log. Never send it.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.cause != nil {
		text += " (" + e.cause.Error() + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of the Error that err is or wraps. Any other error is a ServerError: what a client is told about
// an error is decided where the error is understood.
func CodeOf(err error) ErrorCode {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ServerError
}

// Unavailable wraps the failure of a store or of another thing without which no answer can be given.
func Unavailable(cause error) *Error {
	return Errorf(TemporarilyUnavailable, "the request could not be answered just now; try again").WithCause(cause)
}
