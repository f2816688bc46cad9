package oauthkit

import (
	"errors"
	"fmt"
	"strings"
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

// Reason says why a request was not answered, finer than the [ErrorCode] does: for the person who reads the error page, and for
// who is asked about it afterwards. It is on the page, in the log and in the management API, stays the same in every version, and is
// never sent to an application. Hosts may have reasons of their own, with a text error.reason.REASON for the page.
type Reason string

// The reasons of the library's pages. Those of the two failures are the codes of such errors.
const (
	// ReasonApplicationUnknown is that client_id names no application, or one that was switched off.
	ReasonApplicationUnknown Reason = "application_unknown"
	// ReasonRedirectURIMismatch is that redirect_uri is not one of the application's, so that nothing can be sent there.
	ReasonRedirectURIMismatch Reason = "redirect_uri_mismatch"
	// ReasonMalformedRequest is that the request cannot be read.
	ReasonMalformedRequest Reason = "malformed_request"
	// ReasonTooLarge is that the request holds more than is read.
	ReasonTooLarge Reason = "too_large"
	// ReasonRequestExpired is that the authorization request that waited for the user is gone, or never was.
	ReasonRequestExpired Reason = "request_expired"
	// ReasonRequestAnswered is that the authorization request was approved or denied before.
	ReasonRequestAnswered Reason = "request_answered"
	// ReasonOtherBrowser is that the authorization request came from another browser, or that this one keeps no cookies.
	ReasonOtherBrowser Reason = "other_browser"
	// ReasonFormExpired is that the form was shown in another session, or does not say what it was shown with.
	ReasonFormExpired Reason = "form_expired"
	// ReasonNothingChosen is that a form came back without the choice that it asks for.
	ReasonNothingChosen Reason = "nothing_chosen"
	// ReasonCrossSite is that the page of another site has sent a form.
	ReasonCrossSite Reason = "cross_site"
	// ReasonNotSignedIn is that nobody is signed in, where nobody can be sent to do so.
	ReasonNotSignedIn Reason = "not_signed_in"
	// ReasonMayNotRegister is that the host does not let this user register applications.
	ReasonMayNotRegister Reason = "may_not_register"
	// ReasonTooManyApplications is that the owner has as many applications as they may have
	// (ApplicationsConfig.MaxPerOwner).
	ReasonTooManyApplications Reason = "too_many_applications"
	// ReasonNoSecret is that the application has no secret that could be replaced.
	ReasonNoSecret Reason = "no_secret"
	// ReasonApplicationInvalid is that the application has to be corrected before anything else about it is stored.
	ReasonApplicationInvalid Reason = "application_invalid"
	// ReasonNotFound is that there is nothing at the address, or nothing that this user may see.
	ReasonNotFound Reason = "not_found"
	// ReasonMethodNotAllowed is that nothing at the address takes a request with this method.
	ReasonMethodNotAllowed Reason = "method_not_allowed"
	// ReasonUnavailable is that a store, or something else that has to be asked, gave no answer.
	ReasonUnavailable Reason = "temporarily_unavailable"
	// ReasonServerError is a failure that trying again will not mend.
	ReasonServerError Reason = "server_error"
)

// ReasonOf returns the reason of the Error that err is or wraps. One that has none has its code as its reason.
func ReasonOf(err error) Reason {
	var known *Error
	if errors.As(err, &known) && known.Reason != "" {
		return known.Reason
	}
	return Reason(CodeOf(err))
}
