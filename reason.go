package oauthkit

import "errors"

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
