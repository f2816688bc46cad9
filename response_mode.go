package oauthkit

import (
	"net/url"
	"strings"
)

// ResponseMode is how an authorization response is sent (OAuth 2.0 Multiple Response
// Type Encoding Practices §2.1).
type ResponseMode string

// The response modes.
const (
	// ResponseModeQuery adds the parameters to the query of the redirect URI. It is
	// the default of the response type code, and refused for types with a token.
	ResponseModeQuery ResponseMode = "query"
	// ResponseModeFragment adds them to the fragment, which browsers do not send to
	// servers. It is the default of all other response types.
	ResponseModeFragment ResponseMode = "fragment"
	// ResponseModeFormPost posts them to the redirect URI (OAuth 2.0 Form Post
	// Response Mode).
	ResponseModeFormPost ResponseMode = "form_post"
)

// ResponseModes returns the supported response modes.
func ResponseModes() []ResponseMode {
	return []ResponseMode{ResponseModeQuery, ResponseModeFragment, ResponseModeFormPost}
}

// readResponseMode sets the mode of every response to the request, errors included:
// the requested one if it is allowed, and otherwise the default of the requested
// response type. [checkResponseMode] reports a mode that is not allowed.
func (p *Provider) readResponseMode(request *AuthorizeRequest) {
	fallback := p.defaultMode(ParseResponseType(request.Form.Get("response_type")))
	request.ResponseMode = fallback
	if len(request.Form["response_mode"]) > 1 {
		return
	}
	switch mode := ResponseMode(request.Form.Get("response_mode")); mode {
	case ResponseModeFragment:
		request.ResponseMode = mode
	case ResponseModeFormPost:
		scheme, _, _ := strings.Cut(request.redirectURI, ":")
		if scheme == "https" || scheme == "http" {
			request.ResponseMode = mode
		}
	}
}

// defaultMode returns the fragment for a type with a word other than code that this
// provider or OAuth 2.0 Multiple Response Type Encoding Practices knows (§5).
func (p *Provider) defaultMode(responseType ResponseType) ResponseMode {
	if responseType == ResponseTypeCode {
		return ResponseModeQuery
	}
	for _, word := range responseType.Words() {
		switch word := ResponseType(word); word {
		case ResponseTypeCode:
		case ResponseTypeToken, ResponseTypeIDToken:
			return ResponseModeFragment
		default:
			if p.responders[word] != nil {
				return ResponseModeFragment
			}
		}
	}
	return ResponseModeQuery
}

func checkResponseMode(request *AuthorizeRequest) error {
	requested := request.Form.Get("response_mode")
	switch {
	case requested == "", requested == string(request.ResponseMode):
		return nil
	case requested == string(ResponseModeQuery):
		return Errorf(InvalidRequest, "response_mode query is not allowed for this response_type")
	case requested == string(ResponseModeFormPost):
		return Errorf(InvalidRequest, "response_mode form_post requires an http or https redirect_uri")
	default:
		return Errorf(InvalidRequest, "response_mode is not supported; use query, fragment or form_post, or leave it out")
	}
}

// Response adds the state (RFC 6749 §4.1.2) and the issuer (RFC 9207 §2) to the
// parameters of a response, which is an error if it is a [Refusal].
func (r *AuthorizeRequest) Response(parameters url.Values) url.Values {
	parameters.Set("iss", r.provider.issuer)
	if r.State != "" {
		parameters.Set("state", r.State)
	}
	return parameters
}
