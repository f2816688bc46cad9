package oauthkit

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorCode is an error code for clients.
type ErrorCode string

// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, OpenID Connect Core
// §3.1.2.6, and the documents named beside them.
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

	// UnmetAuthenticationRequirements means that the user did not sign in with an
	// essential acr (OpenID Connect Core Error Code unmet_authentication_requirements
	// §1).
	UnmetAuthenticationRequirements ErrorCode = "unmet_authentication_requirements"
	// InsufficientUserAuthentication means that an API demands another sign-in than that
	// of the access token (RFC 9470 §3).
	InsufficientUserAuthentication ErrorCode = "insufficient_user_authentication"
)

// Error is an error response to a client. Code and Description are
// sent; the cause is only logged.
type Error struct {
	Code ErrorCode
	// Description is for the developer of the client. It must hold no secret and,
	// for an authorization request, no part of the request, because a page shows it.
	// If empty, it is not sent.
	Description string
	Reason      Reason // for pages and logs, never sent; if empty, [ReasonOf] returns the code
	cause       error
}

// Errorf returns an Error. The description is sent to the client; characters that
// error_description may not contain (RFC 6749 §5.2) are replaced by question marks.
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

// WithReason returns a copy with a reason.
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

// CodeOf returns the code of the [Error] that err is or wraps. For any other error it
// returns [ServerError], because the code must be chosen where the error is understood.
func CodeOf(err error) ErrorCode {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ServerError
}

// Unavailable returns a [TemporarilyUnavailable] error for the failure of a store or
// of another dependency.
func Unavailable(cause error) *Error {
	return Errorf(TemporarilyUnavailable, "the request could not be answered just now; try again").WithCause(cause)
}

// storeError returns the answers of a store unchanged, and its failures as
// [TemporarilyUnavailable].
func storeError(err error) error {
	var problems Problems
	if err == nil || errors.As(err, &problems) {
		return err
	}
	for _, answer := range []error{ErrReplayed, ErrRevoked, ErrExhausted, ErrNotFound} {
		if errors.Is(err, answer) {
			return err
		}
	}
	return Unavailable(err)
}

// Reason tells why a request failed, in more detail than the [ErrorCode], for users
// and operators. It is shown on the error page, in the log and in the management
// API, never changes between versions, and is never sent to an application. Hosts
// may define reasons; the error page shows the text error.reason.REASON.
type Reason string

// The reasons of the library. The last two equal the error codes of such failures.
const (
	// ReasonApplicationUnknown means that client_id is unknown or the
	// application is disabled.
	ReasonApplicationUnknown Reason = "application_unknown"
	// ReasonRedirectURIMismatch means that redirect_uri is not one of the
	// application's, so that nothing can be sent there.
	ReasonRedirectURIMismatch Reason = "redirect_uri_mismatch"
	// ReasonMalformedRequest means that the request cannot be parsed.
	ReasonMalformedRequest Reason = "malformed_request"
	// ReasonTooLarge means that the request is too large.
	ReasonTooLarge Reason = "too_large"
	// ReasonRequestExpired means that the waiting authorization request
	// expired or never existed.
	ReasonRequestExpired Reason = "request_expired"
	// ReasonRequestAnswered means that the authorization request was
	// already approved or denied.
	ReasonRequestAnswered Reason = "request_answered"
	// ReasonOtherBrowser means that the authorization request was started in another
	// browser, or that this browser keeps no cookies.
	ReasonOtherBrowser Reason = "other_browser"
	// ReasonFormExpired means that the form was shown in another session, or lacks
	// the proof of the page that showed it.
	ReasonFormExpired Reason = "form_expired"
	// ReasonNothingChosen means that a form was sent without a required choice.
	ReasonNothingChosen Reason = "nothing_chosen"
	// ReasonCrossSite means that a form was sent by a page of another site.
	ReasonCrossSite Reason = "cross_site"
	// ReasonNotSignedIn means that the user is not signed in and there
	// is no page to do so.
	ReasonNotSignedIn Reason = "not_signed_in"
	// ReasonHintInvalid means that an application asked to sign a user out with an ID
	// token that is not its own.
	ReasonHintInvalid Reason = "hint_invalid"
	// ReasonMayNotRegister means that the host does not let the user
	// register applications.
	ReasonMayNotRegister Reason = "may_not_register"
	// ReasonTooManyApplications means that the owner has the maximum number of
	// applications (ApplicationsConfig.MaxPerOwner).
	ReasonTooManyApplications Reason = "too_many_applications"
	// ReasonNoSecret means that the application has no secret that could be replaced.
	ReasonNoSecret Reason = "no_secret"
	// ReasonApplicationInvalid means that the application must be corrected before
	// any other change is stored.
	ReasonApplicationInvalid Reason = "application_invalid"
	// ReasonNotFound means that the address does not exist or is not visible to the user.
	ReasonNotFound Reason = "not_found"
	// ReasonMethodNotAllowed means that the address does not support the method.
	ReasonMethodNotAllowed Reason = "method_not_allowed"
	// ReasonUnavailable means that a store or another dependency failed.
	ReasonUnavailable Reason = "temporarily_unavailable"
	// ReasonServerError means a failure that a retry does not resolve.
	ReasonServerError Reason = "server_error"
)

// ReasonOf returns the reason of the [Error] that err is or wraps. If it has none,
// its code is the reason.
func ReasonOf(err error) Reason {
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Reason != "" {
		return refusal.Reason
	}
	return Reason(CodeOf(err))
}
