package oauthkit

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file says which parts an authorization response has, and how it is sent.

// ResponseType is a set of words, such as "code" or "code id_token": the parts of an
// authorization response that an application requests (RFC 6749 §3.1.1). Its words are
// sorted and separated by one space. Use [ParseResponseType] to sort them.
type ResponseType string

// The words of the library.
const (
	// ResponseTypeCode is an authorization code (RFC 6749 §4.1.1).
	ResponseTypeCode ResponseType = "code"
	// ResponseTypeToken is an access token (RFC 6749 §4.2.1).
	ResponseTypeToken ResponseType = "token"
	// ResponseTypeIDToken is an ID token (OAuth 2.0 Multiple Response Type Encoding
	// Practices §3).
	ResponseTypeIDToken ResponseType = "id_token"
)

// ParseResponseType returns the set of the words in text, whose order has no meaning
// (RFC 6749 §3.1.1). It keeps a repeated word, which no supported type has.
func ParseResponseType(text string) ResponseType {
	if !strings.Contains(text, " ") {
		return ResponseType(text)
	}
	return ResponseType(strings.Join(slices.Sorted(strings.SplitSeq(text, " ")), " "))
}

// Words returns the words, sorted.
func (t ResponseType) Words() []string { return strings.Split(string(t), " ") }

// Contains reports whether word is one of the words.
func (t ResponseType) Contains(word ResponseType) bool {
	return t == word || slices.Contains(t.Words(), string(word))
}

// UnmarshalText sorts the words of a JSON string, for example.
func (t *ResponseType) UnmarshalText(text []byte) error {
	*t = ParseResponseType(string(text))
	return nil
}

// isValid reports whether t is a list of sorted words of letters, digits and
// underscores, none of them twice (RFC 6749 appendix A.3).
func (t ResponseType) isValid() bool {
	words := t.Words()
	return t == ParseResponseType(string(t)) && len(slices.Compact(slices.Clone(words))) == len(words) && !slices.ContainsFunc(words, func(word string) bool {
		return word == "" || strings.ContainsFunc(word, notResponseChar)
	})
}

func notResponseChar(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// ResponseTypes is a list of response types (RFC 7591 §2). It is stored in one text
// column, separated by commas, because a response type contains spaces.
type ResponseTypes []ResponseType

// The limits of the response types of an application.
const (
	maxResponseTypes     = 20
	maxResponseTypeBytes = 100
)

// allows reports whether t is in the list. If the list is empty, only code is.
func (r ResponseTypes) allows(t ResponseType) bool {
	if len(r) == 0 {
		return t == ResponseTypeCode
	}
	return slices.Contains(r, t)
}

// allowsAll reports whether r allows everything that others allow.
func (r ResponseTypes) allowsAll(others ResponseTypes) bool {
	if len(others) == 0 {
		return r.allows(ResponseTypeCode)
	}
	return !slices.ContainsFunc(others, func(t ResponseType) bool { return !r.allows(t) })
}

// validate adds the problems of the list.
func (r ResponseTypes) validate(problems *Problems) {
	const field = "response_types"
	if len(r) > maxResponseTypes {
		problems.Add(field, "must not have more than %d entries", maxResponseTypes)
		return
	}
	for _, t := range r {
		if len(t) > maxResponseTypeBytes {
			problems.Add(field, "must not be longer than %d bytes", maxResponseTypeBytes)
		} else if !t.isValid() {
			problems.Add(field, "%q is not a response type; sort its words and separate them by one space (RFC 6749 §3.1.1)", string(t))
		}
	}
}

// String returns the list separated by commas.
func (r ResponseTypes) String() string {
	texts := make([]string, len(r))
	for i, t := range r {
		texts[i] = string(t)
	}
	return strings.Join(texts, ",")
}

// Value implements [driver.Valuer]. An empty list is NULL, which costs no allocation
// when an application is read.
func (r ResponseTypes) Value() (driver.Value, error) {
	if len(r) == 0 {
		return nil, nil
	}
	return r.String(), nil
}

// Scan implements [database/sql.Scanner]. It sorts the words of each response type and
// ignores additional white space, as in rows that were written elsewhere.
func (r *ResponseTypes) Scan(column any) error {
	*r = nil
	var list string
	switch text := column.(type) {
	case nil:
	case string:
		list = text
	case []byte:
		list = string(text)
	default:
		return fmt.Errorf("oauthkit: cannot scan %T into a list of response types", column)
	}
	for len(list) > 0 {
		var text string
		text, list, _ = strings.Cut(list, ",")
		if words := strings.Fields(text); len(words) > 0 {
			*r = append(*r, ParseResponseType(strings.Join(words, " ")))
		}
	}
	return nil
}

// GormDataType tells GORM the column's type.
func (ResponseTypes) GormDataType() string { return "text" }

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
	fallback := p.defaultMode(request.ResponseType)
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
// parameters of a response, which is an error if it is a [Refusal]. An error has no
// issuer if the application is an [ErrorIssOmitter] that omits it.
func (r *AuthorizeRequest) Response(parameters url.Values) url.Values {
	if !parameters.Has("error") || !omitsIssInErrors(r.Application) {
		parameters.Set("iss", r.provider.issuer)
	}
	if r.State != "" {
		parameters.Set("state", r.State)
	}
	return parameters
}

// Respond saves the Authorization that the user allowed, together with the credentials
// that the responders add, and returns the parameters of the response. The error wraps
// [ErrEnded] if the application was disabled or deleted concurrently; show that error
// to the user only, unless its code is [LoginRequired], as [Provider.Approve] describes.
func (p *Provider) Respond(ctx context.Context, request *AuthorizeRequest, user *User, decision Decision) (url.Values, error) {
	answer := &AuthorizeAnswer{Parameters: url.Values{}}
	err := p.Approve(ctx, &request.ConsentRequest, user, decision, func(approval *Approval) error {
		answer.Approval = approval
		for _, responder := range request.responders {
			if err := responder.Respond(ctx, request, answer); err != nil {
				return additionError("responding with "+string(responder.ResponseType()), err)
			}
		}
		return p.decorateAnswer(ctx, request, answer)
	})
	if err != nil {
		return nil, err
	}
	p.recordAnswer(ctx, request, answer)
	return answer.Parameters, nil
}

// decorateAnswer lets extensions add to a response.
func (p *Provider) decorateAnswer(ctx context.Context, request *AuthorizeRequest, answer *AuthorizeAnswer) error {
	for _, decorate := range p.authorizeDecorators {
		if err := decorate(ctx, request, answer); err != nil {
			return additionError("decorating the response", err)
		}
	}
	return nil
}

// additionError returns the error of a responder or an extension. One that is not an
// [Error], such as [ErrNotFound], must not be taken for an answer of the store about the
// approval.
func additionError(act string, err error) error {
	var refusal *Error
	if errors.As(err, &refusal) {
		return err
	}
	return Unavailable(fmt.Errorf("%s: %s", act, err.Error()))
}

// recordAnswer records the tokens that the answer contains.
func (p *Provider) recordAnswer(ctx context.Context, request *AuthorizeRequest, answer *AuthorizeAnswer) {
	if answer.Approval.Tokens == nil {
		return
	}
	authorization, access := answer.Approval.Authorization, answer.Approval.Tokens.Access
	p.recordFor(ctx, request.Application, TokenIssued{
		ClientID: authorization.ClientID, Subject: authorization.Subject, AuthorizationID: authorization.ID,
		AccessTokenID: secret.ID(access.Hash), GrantType: string(ImplicitGrant), Scopes: access.Scopes,
	})
}
