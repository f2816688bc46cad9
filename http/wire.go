package oauthhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// This file is the wire: it parses the bodies of requests, and maps errors to statuses and challenges.

// What a request may have at most. The longest parameters that exist are tokens and assertions of a few KiB.
const (
	maxBody       = 64 << 10 // bytes
	maxParameters = 1000
	maxValue      = 8 << 10 // bytes
)

// readForm reads the parameters of a POST from its body, each at most once (RFC 6749 §3.2) unless it is named as repeatable. The
// query is never looked at: what is in a URL is in logs.
func readForm(w http.ResponseWriter, r *http.Request, repeatable ...string) (url.Values, error) {
	form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return nil, malformed("%.40s is repeated", name)
		}
		for _, value := range values {
			if len(value) > maxValue || !isText(value) {
				return nil, malformed("%.40s is longer than %d bytes or not text", name, maxValue)
			}
		}
	}
	dropEmpty(form)
	return form, nil
}

// readBody reads a form-encoded body as it is.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !isForm(r.Header) {
		return nil, withStatus(http.StatusUnsupportedMediaType, malformed("the body must be application/x-www-form-urlencoded in UTF-8, not compressed"))
	}
	body, err := readAll(w, r)
	if err != nil {
		return nil, err
	}
	return parseForm(body)
}

func isForm(header http.Header) bool {
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset := parameters["charset"]
	return err == nil && mediaType == "application/x-www-form-urlencoded" && (charset == "" || strings.EqualFold(charset, "utf-8")) &&
		len(header.Values("Content-Type")) == 1 && header.Get("Content-Encoding") == ""
}

// parseForm reads form-encoded text. What cannot be read wholly is not read at all.
func parseForm(text string) (url.Values, error) {
	if len(text) > maxBody || strings.Count(text, "&") >= maxParameters {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "there are more than %d bytes or %d parameters", maxBody, maxParameters).WithReason(oauthkit.ReasonTooLarge)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed("the parameters are not form-encoded").WithCause(err)
	}
	return form, nil
}

// dropEmpty removes the parameters without a value, which are as good as none (RFC 6749 §3.1, §3.2). What is repeated stays.
func dropEmpty(form url.Values) {
	maps.DeleteFunc(form, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
}

// writeJSON writes a document that holds credentials or facts about them, so that nothing keeps it (RFC 6749 §5.1).
func writeJSON(w http.ResponseWriter, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone if this fails, and there is nobody to tell
	return nil
}

// writeError answers a program (RFC 6749 §5.2, RFC 6750 §3).
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	writeErrorDocument(w, r, err, map[string]string{})
}

// writeUserError answers the host's front end, which can say the reason to the user in its own words.
func writeUserError(w http.ResponseWriter, r *http.Request, err error) {
	writeErrorDocument(w, r, err, map[string]string{"reason": string(oauthkit.ReasonOf(err))})
}

func writeErrorDocument(w http.ResponseWriter, r *http.Request, err error, document map[string]string) {
	code := oauthkit.CodeOf(err)
	document["error"] = string(code)
	if description := descriptionOf(err); description != "" {
		document["error_description"] = description
	}
	switch code {
	case oauthkit.InvalidClient:
		if r.Header.Get("Authorization") != "" { // RFC 6749 §5.2: only when the client tried to authenticate this way
			w.Header().Set("WWW-Authenticate", `Basic realm="oauth", charset="UTF-8"`)
		}
	case oauthkit.TemporarilyUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	_ = writeJSON(w, statusOf(err), document) // a map of strings can always be written
}

// malformed is the error of a request that cannot be read.
func malformed(format string, args ...any) *oauthkit.Error {
	return oauthkit.Errorf(oauthkit.InvalidRequest, format, args...).WithReason(oauthkit.ReasonMalformedRequest)
}

// errNotFound answers a request for an unknown path.
var errNotFound = withStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address").
	WithReason(oauthkit.ReasonNotFound))

// wrongMethod is the error of a request with another method than those.
func wrongMethod(methods []string) error {
	return withStatus(http.StatusMethodNotAllowed, oauthkit.Errorf(oauthkit.InvalidRequest, "the method must be %s", strings.Join(methods, " or ")).
		WithReason(oauthkit.ReasonMethodNotAllowed))
}

// retryAfter is when a request that failed may be tried again, in seconds.
const retryAfter = "2"

// errNoToken is the error of a request to a protected resource without a token. It is answered without an error code, since
// the client may not have known that one is needed (RFC 6750 §3.1).
var errNoToken = withStatus(http.StatusUnauthorized, oauthkit.Errorf(oauthkit.InvalidToken, "an access token is needed"))

// writeChallenge answers a program that calls a protected resource (RFC 6750 §3). The scopes are those that were needed, and
// metadataURL is where the resource describes itself (RFC 9728 §5.1); empty: nowhere.
func writeChallenge(w http.ResponseWriter, r *http.Request, err error, scopes oauthkit.Scopes, metadataURL string) {
	noToken, challenge := errors.Is(err, errNoToken), ""
	switch code := oauthkit.CodeOf(err); {
	case noToken:
		challenge = `Bearer realm="oauth"`
	case code == oauthkit.InvalidRequest, code == oauthkit.InvalidToken:
		challenge = fmt.Sprintf(`Bearer error="%s", error_description="%s"`, code, descriptionOf(err))
	case code == oauthkit.InsufficientScope && len(scopes) > 0:
		challenge = fmt.Sprintf(`Bearer error="%s", scope="%s"`, code, scopes)
	case code == oauthkit.InsufficientScope:
		challenge = fmt.Sprintf(`Bearer error="%s"`, code)
	}
	if challenge != "" && metadataURL != "" {
		challenge += fmt.Sprintf(`, resource_metadata="%s"`, metadataURL)
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	if noToken {
		w.WriteHeader(statusOf(err))
		return
	}
	writeError(w, r, err)
}

// statusError is an error whose status is not the one of its code.
type statusError struct {
	status int
	err    *oauthkit.Error
}

func withStatus(status int, err *oauthkit.Error) error { return &statusError{status: status, err: err} }

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

// statusOf is the one table of status codes.
func statusOf(err error) int {
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

// descriptionOf is what an error says to others; empty for an error that is not an [oauthkit.Error].
func descriptionOf(err error) string {
	var known *oauthkit.Error
	if errors.As(err, &known) {
		return known.Description
	}
	return ""
}
