package jose

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit/internal/strictjson"
)

const (
	// maxToken is the size in bytes above which a token is not even decoded.
	maxToken = 16 << 10
	// maxSkew is how far the clocks of two instances may differ.
	maxSkew = time.Minute
	// maxTime is the last second of the year 9999, beyond which a time is
	// surely a mistake and could overflow.
	maxTime = 253402300799
)

// Expectation says what a token must be, apart from being signed by a known
// key. Type, Issuer and Now are required; without them Verify accepts nothing.
type Expectation struct {
	// Type is the exact value of the typ header.
	Type string
	// Issuer is the exact value of the iss claim.
	Issuer string
	// Audience must be among the values of the aud claim. Empty: any
	// audience, for callers that find the application by it.
	Audience string
	// Now is the time to compare with.
	Now time.Time
	// AcceptExpired lets a token pass whose time is over, for id_token_hint
	// (OpenID Connect RP-Initiated Logout §2). The exp claim must still be there.
	AcceptExpired bool
}

// Verify returns the claims of a token that one of keys has signed and that is
// what expect says. Numbers in the claims are json.Number.
//
// The token must be a compact JWS of at most 16 KiB in canonical base64url; its
// header must hold typ, a kid that names one of keys and that key's alg
// (RFC 8725 §3.1), no critical extension and no member twice; its claims must
// hold iss, aud, exp and iat, with times as plain integers. Any error means that
// the token is not valid; its text does not repeat the token.
func Verify(token string, keys []*Key, expect Expectation) (map[string]any, error) {
	if expect.Type == "" || expect.Issuer == "" || expect.Now.IsZero() {
		return nil, errors.New("jose: the type, the issuer and the time to expect must be given")
	}
	key, err := verificationKey(token, keys, expect.Type)
	if err != nil {
		return nil, fmt.Errorf("jose: token refused: %w", err)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{string(key.algorithm)}),
		jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation(), // expect.check does it, with stricter numbers
	)
	var claims claimSet
	_, err = parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key.Public(), nil })
	if err != nil {
		return nil, fmt.Errorf("jose: token refused: %w", err)
	}
	if err := expect.check(claims.MapClaims); err != nil {
		return nil, fmt.Errorf("jose: token refused: %w", err)
	}
	return claims.MapClaims, nil
}

// claimSet makes the JWT library decode claims strictly.
type claimSet struct{ jwt.MapClaims }

// UnmarshalJSON implements json.Unmarshaler.
func (c *claimSet) UnmarshalJSON(data []byte) error {
	return strictjson.Unmarshal(data, (*map[string]any)(&c.MapClaims))
}

// header holds the members of a JOSE header that decide anything (RFC 7515
// §4.1). Keys in the header (jwk, jku, x5u, x5c) are never read.
type header struct {
	Algorithm string          `json:"alg"` // compared by the JWT parser
	KeyID     string          `json:"kid"`
	Type      string          `json:"typ"`
	Critical  json.RawMessage `json:"crit"`
}

// verificationKey reads the header and finds the key that must have signed.
func verificationKey(token string, keys []*Key, typ string) (*Key, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("it is larger than %d bytes", maxToken)
	}
	// Go's base64 decoder skips line breaks, which would give one token many
	// spellings.
	if strings.ContainsAny(token, "\r\n") {
		return nil, errors.New("it contains a line break")
	}
	encoded, _, _ := strings.Cut(token, ".")
	data, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("decode the header: %w", err)
	}
	var h header
	if err := strictjson.Unmarshal(data, &h); err != nil {
		return nil, fmt.Errorf("decode the header: %w", err)
	}
	if h.Critical != nil {
		return nil, errors.New("it has critical header extensions, and none is supported")
	}
	if h.Type != typ {
		return nil, fmt.Errorf("its type is not %s", typ)
	}
	i := slices.IndexFunc(keys, func(k *Key) bool { return k.id == h.KeyID })
	if i < 0 {
		return nil, errors.New("it names no known key")
	}
	return keys[i], nil
}

// check judges the claims.
func (e Expectation) check(claims map[string]any) error {
	if issuer, _ := claims["iss"].(string); issuer != e.Issuer {
		return errors.New("its issuer is another")
	}
	audiences, err := audience(claims["aud"])
	if err != nil {
		return err
	}
	if e.Audience != "" && !slices.Contains(audiences, e.Audience) {
		return errors.New("it is for another audience")
	}
	expires, err := numericDate(claims, "exp")
	if err != nil {
		return err
	}
	if !e.AcceptExpired && !e.Now.Before(expires) {
		return errors.New("it has expired")
	}
	if err := e.begun(claims, "iat"); err != nil {
		return err
	}
	if _, ok := claims["nbf"]; ok {
		return e.begun(claims, "nbf")
	}
	return nil
}

// begun refuses a time in the future, apart from the skew of the clocks.
func (e Expectation) begun(claims map[string]any, name string) error {
	from, err := numericDate(claims, name)
	if err != nil {
		return err
	}
	if from.After(e.Now.Add(maxSkew)) {
		return fmt.Errorf("its %s claim is in the future", name)
	}
	return nil
}

// audience reads one audience or a list of at least one (RFC 7519 §4.1.3).
func audience(claim any) ([]string, error) {
	list, ok := claim.([]any)
	if !ok {
		list = []any{claim}
	}
	values := make([]string, len(list))
	for i, v := range list {
		values[i], _ = v.(string)
	}
	if len(values) == 0 || slices.Contains(values, "") {
		return nil, errors.New("its aud claim is missing or is not a list of names")
	}
	return values, nil
}

// numericDate reads a required time. RFC 7519 §2 also allows fractions, but
// this provider issues whole seconds, and refusing everything else leaves no
// rounding or overflow to exploit.
func numericDate(claims map[string]any, name string) (time.Time, error) {
	number, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, fmt.Errorf("its %s claim is missing or is not a number", name)
	}
	seconds, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || seconds < 0 || seconds > maxTime {
		return time.Time{}, fmt.Errorf("its %s claim is not a time in whole seconds", name)
	}
	return time.Unix(seconds, 0), nil
}
