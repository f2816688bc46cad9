package oauthhttp

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file reads form-encoded parameters.

// The limits of a request. The longest parameters are tokens and assertions of a few KiB.
const (
	maxParameters = 1000
	maxValue      = 8 << 10 // bytes
)

// readForm reads the parameters of a POST from its body. Each may occur once (RFC 6749
// §3.2), unless it is repeatable. The query is ignored, since URLs end up in logs.
func readForm(w http.ResponseWriter, r *http.Request, repeatable ...string) (url.Values, error) {
	form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return nil, wire.Malformed("%.40s is repeated", name)
		}
		for _, value := range values {
			if len(value) > maxValue || !wire.IsText(value) {
				return nil, wire.Malformed("%.40s is longer than %d bytes or not text", name, maxValue)
			}
		}
	}
	dropEmpty(form)
	return form, nil
}

// readBody reads a form-encoded body without checking the parameters.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !isForm(r.Header) {
		return nil, wire.WithStatus(http.StatusUnsupportedMediaType, wire.Malformed("the body must be application/x-www-form-urlencoded in UTF-8, not compressed"))
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

// parseForm reads form-encoded text. On an error it returns no parameters.
func parseForm(text string) (url.Values, error) {
	if len(text) > wire.MaxBody || strings.Count(text, "&") >= maxParameters {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "there are more than %d bytes or %d parameters", wire.MaxBody, maxParameters).WithReason(oauthkit.ReasonTooLarge)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, wire.Malformed("the parameters are not form-encoded").WithCause(err)
	}
	return form, nil
}

// dropEmpty removes parameters without a value, which count as omitted (RFC 6749
// §3.1, §3.2). It keeps repeated ones.
func dropEmpty(form url.Values) {
	maps.DeleteFunc(form, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
}
