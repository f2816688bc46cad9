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
	// maxToken is the largest token in bytes that is decoded.
	maxToken = 16 << 10
	// maxSkew is the largest accepted difference between the clocks of two instances.
	maxSkew = time.Minute
	// maxTime is the last second of the year 9999. Later times are surely mistakes and
	// could overflow.
	maxTime = 253402300799
)

// Expectation describes the token that Verify accepts. Type, Issuer and Now are
// required; without them Verify rejects every token.
type Expectation struct {
	// Type is the exact value of the typ header.
	Type string
	// Issuer is the exact value of the iss claim.
	Issuer string
	// Audience must be one of the values of the aud claim. If empty, any audience is
	// accepted, for callers that find the application by the audience.
	Audience string
	// Now is the current time.
	Now time.Time
	// AcceptExpired accepts expired tokens, for id_token_hint (OpenID Connect
	// RP-Initiated Logout §2). The exp claim is required nonetheless.
	AcceptExpired bool
}

// Verify returns the claims of a token that one of keys signed and that matches expect.
// Numbers in the claims are json.Number.
//
// The token must be a compact JWS of at most 16 KiB in canonical base64url. Its header
// must contain typ, a kid that names one of keys, and that key's alg (RFC 8725 §3.1);
// it must not contain a critical extension or a duplicate member. Its claims must
// contain iss, aud, exp and iat, with times as plain integers. Every error means that
// the token is invalid. The error text does not contain the token.
func Verify(token string, keys []*Key, expect Expectation) (map[string]any, error) {
	if expect.Type == "" || expect.Issuer == "" || expect.Now.IsZero() {
		return nil, errors.New("jose: Verify: Type, Issuer and Now are required")
	}
	key, err := verificationKey(token, keys, expect.Type)
	if err != nil {
		return nil, fmt.Errorf("jose: invalid token: %w", err)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{string(key.algorithm)}),
		jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation(), // expect.check validates them, with stricter numbers
	)
	var claims claimSet
	_, err = parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key.Public(), nil })
	if err != nil {
		return nil, fmt.Errorf("jose: invalid token: %w", err)
	}
	if err := expect.check(claims.MapClaims); err != nil {
		return nil, fmt.Errorf("jose: invalid token: %w", err)
	}
	return claims.MapClaims, nil
}

// claimSet makes the JWT library decode claims with strictjson.
type claimSet struct{ jwt.MapClaims }

// UnmarshalJSON implements json.Unmarshaler.
func (c *claimSet) UnmarshalJSON(data []byte) error {
	return strictjson.Unmarshal(data, (*map[string]any)(&c.MapClaims))
}

// header holds the header members that Verify uses (RFC 7515 §4.1). Keys in the header
// (jwk, jku, x5u, x5c) are never read.
type header struct {
	Algorithm string          `json:"alg"` // compared by the JWT parser
	KeyID     string          `json:"kid"`
	Type      string          `json:"typ"`
	Critical  json.RawMessage `json:"crit"`
}

// verificationKey reads the header and returns the key that it names.
func verificationKey(token string, keys []*Key, typ string) (*Key, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("larger than %d bytes", maxToken)
	}
	// Go's base64 decoder skips line breaks, which would give one token many encodings.
	if strings.ContainsAny(token, "\r\n") {
		return nil, errors.New("contains a line break")
	}
	encoded, _, _ := strings.Cut(token, ".")
	data, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("decoding the header: %w", err)
	}
	var h header
	if err := strictjson.Unmarshal(data, &h); err != nil {
		return nil, fmt.Errorf("decoding the header: %w", err)
	}
	if h.Critical != nil {
		return nil, errors.New("unsupported critical header extension")
	}
	if h.Type != typ {
		return nil, fmt.Errorf("typ is not %s", typ)
	}
	i := slices.IndexFunc(keys, func(k *Key) bool { return k.id == h.KeyID })
	if i < 0 {
		return nil, errors.New("unknown kid")
	}
	return keys[i], nil
}

// check validates the claims.
func (e Expectation) check(claims map[string]any) error {
	if issuer, _ := claims["iss"].(string); issuer != e.Issuer {
		return errors.New("iss is another issuer")
	}
	audiences, err := audience(claims["aud"])
	if err != nil {
		return err
	}
	if e.Audience != "" && !slices.Contains(audiences, e.Audience) {
		return errors.New("aud does not contain the expected audience")
	}
	expires, err := numericDate(claims, "exp")
	if err != nil {
		return err
	}
	if !e.AcceptExpired && !e.Now.Before(expires) {
		return errors.New("expired")
	}
	if err := e.checkStarted(claims, "iat"); err != nil {
		return err
	}
	if _, ok := claims["nbf"]; ok {
		return e.checkStarted(claims, "nbf")
	}
	return nil
}

// checkStarted rejects a time in the future, with an allowance for clock skew.
func (e Expectation) checkStarted(claims map[string]any, name string) error {
	from, err := numericDate(claims, name)
	if err != nil {
		return err
	}
	if from.After(e.Now.Add(maxSkew)) {
		return fmt.Errorf("%s is in the future", name)
	}
	return nil
}

// audience parses an audience or a nonempty list of audiences (RFC 7519 §4.1.3).
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
		return nil, errors.New("aud is missing or not a list of names")
	}
	return values, nil
}

// numericDate parses a required time. RFC 7519 §2 also allows fractions, but this
// provider issues whole seconds, and rejecting everything else leaves no rounding or
// overflow to exploit.
func numericDate(claims map[string]any, name string) (time.Time, error) {
	number, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, fmt.Errorf("%s is missing or not a number", name)
	}
	seconds, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || seconds < 0 || seconds > maxTime {
		return time.Time{}, fmt.Errorf("%s is not a time in whole seconds", name)
	}
	return time.Unix(seconds, 0), nil
}
