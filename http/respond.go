package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// answer sends the response to an authorization request, success or error, in the
// response mode of the request (OAuth 2.0 Multiple Response Type Encoding Practices
// §2.1). No other function sends one.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, parameters url.Values) error {
	parameters = request.Response(parameters)
	switch request.ResponseMode {
	case oauthkit.ResponseModeFormPost:
		return h.writeFormPost(w, r, request, parameters)
	case oauthkit.ResponseModeFragment:
		redirect(w, request.RedirectURI()+"#"+parameters.Encode())
	default:
		separator := "?"
		if strings.Contains(request.RedirectURI(), "?") {
			separator = "&"
		}
		redirect(w, request.RedirectURI()+separator+parameters.Encode())
	}
	return nil
}
