package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// KeyBinding binds tokens to a key of the application, so that a stolen token cannot be
// used without the key (RFC 9700 §2.2.1). DPoP (RFC 9449) and mutual TLS (RFC 8705 §3)
// are such bindings. [Registry.KeyBinding] adds one to a provider.
type KeyBinding struct {
	// Method is the member of cnf that identifies the key, such as jkt or x5t#S256.
	Method string
	// TokenType is the token_type of bound tokens and the authentication scheme of
	// requests with them, such as DPoP. If empty, it is Bearer.
	TokenType string
	// ChallengeParameters are added to the challenge for TokenType, such as
	// algs="ES256" (RFC 9449 §7.1). They require a TokenType. They may be empty.
	ChallengeParameters string
	// RequestHeaders are the headers that carry the proof, such as DPoP. Scripts of
	// other origins may send them to the endpoints that such scripts may call.
	RequestHeaders []string
	// ResponseHeaders are headers that such scripts may read, such as DPoP-Nonce.
	ResponseHeaders []string

	// Confirm returns the key that a request of an authenticated application to the
	// token endpoint proves, as the value of Method. It returns "" if the request has
	// no proof, and an error if the proof is not valid, or if app requires one. It may
	// set headers of the response and must write nothing. A provider requires it. It is
	// not called for a token in an authorization response, which is bound to
	// AuthorizeRequest.Confirmation: check there too if app requires a key.
	Confirm func(w http.ResponseWriter, r *http.Request, app Application) (value string, err error)
	// Verify returns the key that presented.Request, never nil, proves for
	// presented.Value. The library compares it with the token's. It returns "" if the
	// request has no proof, and otherwise an error if the proof is not valid: it is
	// [InvalidToken] or has a code of the binding, such as invalid_dpop_proof, which is
	// answered with 401. Use ctx for statements: unlike the context of the request, it
	// has the deadline of the authentication.
	Verify func(ctx context.Context, presented PresentedToken) (value string, err error)
}

// bearer is the token_type and the authentication scheme of RFC 6750.
const bearer = "Bearer"

func (b *KeyBinding) tokenType() string {
	if b.TokenType == "" {
		return bearer
	}
	return b.TokenType
}

// KeyBindings are the key bindings of a provider or of an API. If empty, every token is
// a bearer token, and a bound one is refused.
type KeyBindings []KeyBinding

// Validate returns an error if a KeyBinding is incomplete, or if two have the same
// Method, or the same TokenType other than Bearer. Confirm may be nil, because only a
// provider calls it.
func (k KeyBindings) Validate() error {
	for i := range k {
		if err := k[i].validate(k[:i]); err != nil {
			return fmt.Errorf("key binding %q: %w", k[i].Method, err)
		}
	}
	return nil
}

// validate checks a KeyBinding beside earlier ones.
func (b *KeyBinding) validate(earlier KeyBindings) error {
	scheme, accepted := earlier.Scheme(b.TokenType)
	switch {
	case !Confirmation{b.Method, "-"}.isValid():
		return errors.New("the Method is empty, too long, or not visible ASCII")
	case earlier.find(b.Method) != nil:
		return errors.New("added twice")
	case b.Verify == nil:
		return errors.New("the function Verify is nil")
	case strings.Trim(b.TokenType, schemeCharacters) != "" || strings.EqualFold(b.TokenType, "Basic"):
		return fmt.Errorf("TokenType %q is not a scheme for tokens", b.TokenType)
	case accepted && scheme != bearer:
		return fmt.Errorf("TokenType %q belongs to another key binding", b.TokenType)
	case accepted && b.TokenType != bearer:
		return fmt.Errorf("TokenType %q must be empty or %s", b.TokenType, bearer)
	case b.tokenType() == bearer && b.ChallengeParameters != "":
		return errors.New("the ChallengeParameters require a TokenType")
	case strings.ContainsFunc(b.ChallengeParameters, func(r rune) bool { return r != ' ' && notVisible(r) }):
		return errors.New("the ChallengeParameters are not printable ASCII")
	default:
		return checkHeaderNames(b.RequestHeaders, b.ResponseHeaders)
	}
}

// checkHeaderNames returns an error if a text is not the name of one header. CORS would
// take "*" for all headers.
func checkHeaderNames(lists ...[]string) error {
	for _, name := range slices.Concat(lists...) {
		if !isScheme(name) {
			return fmt.Errorf("%q is not the name of a header", name)
		}
	}
	return nil
}

// schemeCharacters are the characters of an authentication scheme (RFC 9110 §11.1) that
// a token_type may have too (RFC 6749 §11.1).
const schemeCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"

// isScheme reports whether name has only such characters, and any.
func isScheme(name string) bool { return name != "" && strings.Trim(name, schemeCharacters) == "" }

// KeyBinding adds a way to bind tokens to keys. No two may have the same Method.
func (r *Registry) KeyBinding(binding KeyBinding) {
	if binding.Confirm == nil {
		r.errs = append(r.errs, fmt.Errorf("key binding %q: Confirm is nil", binding.Method))
	}
	r.provider.keyBindings = append(r.provider.keyBindings, binding)
}

// KeyBindings returns the key bindings of the extensions. Do not change them.
func (p *Provider) KeyBindings() KeyBindings { return p.keyBindings }

// find returns the KeyBinding with this method, or nil.
func (k KeyBindings) find(method string) *KeyBinding {
	for i := range k {
		if k[i].Method == method {
			return &k[i]
		}
	}
	return nil
}

// TokenType returns the token_type of tokens with this Confirmation, and whether there
// is a KeyBinding for it.
func (k KeyBindings) TokenType(confirmation Confirmation) (tokenType string, exists bool) {
	if confirmation.IsZero() {
		return bearer, true
	}
	if binding := k.find(confirmation.Method); binding != nil {
		return binding.tokenType(), true
	}
	return "", false
}

// Scheme returns an authentication scheme in the spelling of its token_type, and whether
// access tokens are presented with it. Schemes are case-insensitive (RFC 9110 §11.1).
func (k KeyBindings) Scheme(name string) (scheme string, exists bool) {
	if strings.EqualFold(name, bearer) {
		return bearer, true
	}
	for i := range k {
		if name != "" && strings.EqualFold(name, k[i].TokenType) {
			return k[i].TokenType, true
		}
	}
	return "", false
}

// Confirm returns the key that a request of an authenticated application to the token
// endpoint proves. It is zero if there is no proof. A request with proofs of two keys is
// [InvalidRequest].
func (k KeyBindings) Confirm(w http.ResponseWriter, r *http.Request, app Application) (Confirmation, error) {
	var confirmation Confirmation
	for i := range k {
		value, err := k[i].Confirm(w, r, app)
		switch {
		case err != nil:
			return Confirmation{}, err
		case value == "":
			continue
		case !confirmation.IsZero(): // of another binding
			return Confirmation{}, Errorf(InvalidRequest, "the request proves more than one key")
		}
		confirmation = Confirmation{k[i].Method, value}
	}
	return confirmation, k.check(confirmation)
}

// check returns an error if a Confirmation is too long or not text that can be stored, or
// if no KeyBinding could verify it.
func (k KeyBindings) check(confirmation Confirmation) error {
	switch {
	case confirmation.IsZero():
		return nil
	case !confirmation.isValid():
		return Errorf(InvalidRequest, "the key is empty, too long, or not visible ASCII")
	case k.find(confirmation.Method) == nil:
		return Errorf(ServerError, "").WithCause(fmt.Errorf("there is no KeyBinding %q", confirmation.Method))
	default:
		return nil
	}
}

// PresentedToken is an access token as a request presents it.
type PresentedToken struct {
	// Scheme is the authentication scheme, such as Bearer or DPoP.
	Scheme string
	// Value is the token.
	Value string
	// Request is the request that presents the token. If nil, it proves no key, and a
	// bound token is refused.
	Request *http.Request
	// ResponseHeader is the header of the response. Verify may set fields in it. It is
	// nil if Request is.
	ResponseHeader http.Header
}

// BearerToken returns a token that is presented without a proof (RFC 6750).
func BearerToken(value string) PresentedToken { return PresentedToken{Scheme: bearer, Value: value} }

// Verify checks that a valid token is presented with the scheme of its token_type and,
// if it is bound to a key, with the proof of the key (RFC 9449 §7.1, RFC 8705 §3). The
// error is [InvalidToken] or the error of the KeyBinding.
func (k KeyBindings) Verify(ctx context.Context, presented PresentedToken, token *AccessToken) error {
	tokenType, exists := k.TokenType(token.Confirmation)
	switch {
	case !exists:
		return Errorf(InvalidToken, "the access token is bound to a key in a way that is not supported here")
	case !strings.EqualFold(presented.Scheme, tokenType):
		return Errorf(InvalidToken, "the access token must be presented with the scheme %s", tokenType)
	case token.Confirmation.IsZero():
		return nil
	case presented.Request == nil:
		return Errorf(InvalidToken, "the access token is bound to a key that was not proved")
	}
	proved, err := k.find(token.Confirmation.Method).Verify(ctx, presented)
	switch {
	case err != nil:
		return err
	case proved == "":
		return Errorf(InvalidToken, "the access token is bound to a key that was not proved")
	case proved != token.Confirmation.Value:
		return Errorf(InvalidToken, "the access token is bound to another key")
	default:
		return nil
	}
}

// Confirmation identifies the key that a code or token is bound to (RFC 7800 §3.1). If
// it is zero, the credential is not bound: a bearer token (RFC 6750).
type Confirmation struct {
	// Method is the member of cnf, such as jkt (RFC 9449 §6.1) or x5t#S256 (RFC 8705
	// §3.1). It is the Method of a [KeyBinding].
	Method string
	// Value identifies the key, as in the member.
	Value string
}

// IsZero reports whether the credential is not bound to a key.
func (c Confirmation) IsZero() bool { return c == Confirmation{} }

// String returns the Confirmation as it is stored: method and value, separated by a
// space. It is empty if the Confirmation is zero.
func (c Confirmation) String() string {
	if c.IsZero() {
		return ""
	}
	return c.Method + " " + c.Value
}

// Scan implements [database/sql.Scanner]. It reads NULL as zero, and any other value
// only if it is the result of String: a bound token must not become a bearer token.
func (c *Confirmation) Scan(column any) error {
	var text string
	switch value := column.(type) {
	case nil:
		*c = Confirmation{}
		return nil
	case string:
		text = value
	case []byte:
		text = string(value)
	default:
		return fmt.Errorf("oauthkit: cannot read a Confirmation from %T", column)
	}
	method, value, _ := strings.Cut(text, " ")
	read := Confirmation{method, value}
	if !read.isValid() {
		return fmt.Errorf("oauthkit: %q is not a Confirmation", text)
	}
	*c = read
	return nil
}

// maxConfirmation is the maximum length of a method and of a value in bytes.
const maxConfirmation = 255

// isValid reports whether both parts are present, visible ASCII and not too long.
func (c Confirmation) isValid() bool {
	for _, part := range [...]string{c.Method, c.Value} {
		if part == "" || len(part) > maxConfirmation || strings.ContainsFunc(part, notVisible) {
			return false
		}
	}
	return true
}
