package wire

import (
	"errors"
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// statusError is an error with a status code other than the one of its error code.
type statusError struct {
	status int
	err    *oauthkit.Error
}

// WithStatus returns err with its own status code.
func WithStatus(status int, err *oauthkit.Error) error { return &statusError{status: status, err: err} }

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

// Status returns the status code of an error.
func Status(err error) int {
	var own *statusError
	if errors.As(err, &own) {
		return own.status
	}
	switch oauthkit.CodeOf(err) {
	case oauthkit.InvalidClient, oauthkit.InvalidToken:
		return http.StatusUnauthorized
	case oauthkit.InsufficientScope, oauthkit.AccessDenied:
		return http.StatusForbidden
	case oauthkit.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case oauthkit.ServerError:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// Description returns the error_description that is sent for err. It is empty unless
// err is an [oauthkit.Error].
func Description(err error) string {
	var sent *oauthkit.Error
	if errors.As(err, &sent) {
		return sent.Description
	}
	return ""
}

// Malformed returns the error of a request that cannot be read.
func Malformed(format string, args ...any) *oauthkit.Error {
	return oauthkit.Errorf(oauthkit.InvalidRequest, format, args...).WithReason(oauthkit.ReasonMalformedRequest)
}

// MethodNotAllowed returns the error of a request whose method is not one of methods.
func MethodNotAllowed(methods []string) error {
	return WithStatus(http.StatusMethodNotAllowed, oauthkit.Errorf(oauthkit.InvalidRequest, "the method must be %s", strings.Join(methods, " or ")).
		WithReason(oauthkit.ReasonMethodNotAllowed))
}
