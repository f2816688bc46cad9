package jose

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	testIssuer = "https://as.test"
	testNow    = 1_800_000_000
)

func validClaims() map[string]any {
	return map[string]any{
		"iss": testIssuer, "sub": "alice", "aud": "web",
		"iat": testNow - 10, "exp": testNow + 60, "auth_time": int64(1)<<53 + 1,
	}
}

func testExpectation() Expectation {
	return Expectation{Type: "JWT", Issuer: testIssuer, Now: time.Unix(testNow, 0)}
}

// with returns valid claims with changes. A nil value removes a claim.
func with(changes map[string]any) map[string]any {
	claims := validClaims()
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

// signRaw signs a header and claims given as text, so that it can produce tokens that
// Sign cannot.
func signRaw(t testing.TB, key *Key, header, claims string) string {
	t.Helper()
	return signWith(t, key.method, key, header, claims)
}

func signWith(t testing.TB, method jwt.SigningMethod, key *Key, header, claims string) string {
	t.Helper()
	input := encode(header) + "." + encode(claims)
	signature, err := method.Sign(input, key.signer)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(string(signature))
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func headerFor(key *Key) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, key.algorithm, key.id)
}

func mustMarshal(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestVerify(t *testing.T) {
	var keys []*Key
	for _, alg := range Algorithms() {
		keys = append(keys, newTestKey(t, alg))
	}
	for _, key := range keys {
		token, err := key.Sign("JWT", validClaims())
		if err != nil {
			t.Fatal(err)
		}
		claims, err := Verify(token, keys, testExpectation())
		if err != nil {
			t.Fatalf("%s: Verify: %v", key.algorithm, err)
		}
		want := map[string]any{
			"iss": testIssuer, "sub": "alice", "aud": "web",
			"iat": json.Number("1799999990"), "exp": json.Number("1800000060"),
			"auth_time": json.Number("9007199254740993"), // 2^53+1: not a float64
		}
		if !maps.Equal(claims, want) {
			t.Errorf("%s: claims %v, want %v", key.algorithm, claims, want)
		}
	}
}

func TestVerifyClaims(t *testing.T) {
	key := newTestKey(t, ES256)
	expired := testExpectation()
	expired.AcceptExpired = true
	audience := testExpectation()
	audience.Audience = "web"
	otherAudience := testExpectation()
	otherAudience.Audience = "evil"
	for _, c := range []struct {
		name   string
		change map[string]any
		expect Expectation
		ok     bool
	}{
		{"expires now", map[string]any{"exp": testNow}, testExpectation(), false},
		{"expires in a second", map[string]any{"exp": testNow + 1}, testExpectation(), true},
		{"expired", map[string]any{"exp": testNow - 1}, testExpectation(), false},
		{"expired, accepted", map[string]any{"exp": testNow - 1}, expired, true},
		{"no exp, expired accepted", map[string]any{"exp": nil}, expired, false},
		{"no exp", map[string]any{"exp": nil}, testExpectation(), false},
		{"no iat", map[string]any{"iat": nil}, testExpectation(), false},
		{"issued a minute ahead", map[string]any{"iat": testNow + 60}, testExpectation(), true},
		{"issued later", map[string]any{"iat": testNow + 61}, testExpectation(), false},
		{"not before: past", map[string]any{"nbf": testNow}, testExpectation(), true},
		{"not before: future", map[string]any{"nbf": testNow + 61}, testExpectation(), false},
		{"not before: text", map[string]any{"nbf": "1"}, testExpectation(), false},
		{"no issuer", map[string]any{"iss": nil}, testExpectation(), false},
		{"issuer with a slash", map[string]any{"iss": testIssuer + "/"}, testExpectation(), false},
		{"issuer in upper case", map[string]any{"iss": "https://AS.test"}, testExpectation(), false},
		{"issuer in a list", map[string]any{"iss": []string{testIssuer}}, testExpectation(), false},
		{"audience", nil, audience, true},
		{"audience in a list", map[string]any{"aud": []string{"api", "web"}}, audience, true},
		{"other audience", nil, otherAudience, false},
		{"empty expectation", nil, Expectation{}, false},
		{"no type expected", nil, Expectation{Issuer: testIssuer, Now: time.Unix(testNow, 0)}, false},
		{"no issuer expected", nil, Expectation{Type: "JWT", Now: time.Unix(testNow, 0)}, false},
		{"no time", nil, Expectation{Type: "JWT", Issuer: testIssuer}, false},
	} {
		token, err := key.Sign("JWT", with(c.change))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(token, []*Key{key}, c.expect); (err == nil) != c.ok {
			t.Errorf("%s: Verify = %v, want ok %v", c.name, err, c.ok)
		}
	}
}

func TestK12_NumbersAndTypes(t *testing.T) {
	key := newTestKey(t, ES256)
	claims := func(name, value string) string {
		fields := map[string]json.RawMessage{}
		for n, v := range validClaims() {
			fields[n] = json.RawMessage(mustMarshal(t, v))
		}
		fields[name] = json.RawMessage(value)
		return mustMarshal(t, fields)
	}
	verify := func(claims string) error {
		_, err := Verify(signRaw(t, key, headerFor(key), claims), []*Key{key}, testExpectation())
		return err
	}
	if err := verify(claims("sub", `"alice"`)); err != nil {
		t.Fatalf("a valid token of the same form is rejected: %v", err)
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		for _, value := range []string{
			"1e10", "1800000060.0", "1800000060.5", `"1800000060"`, "9223372036854775808", "9223372036854775807", "1e400",
			"-1", "-9223372036854775809", "253402300800", "null", "true", "[]", "{}", "[1800000060]",
		} {
			if err := verify(claims(name, value)); err == nil {
				t.Errorf("%s %s is accepted", name, value)
			}
		}
	}
	for _, value := range []string{"[]", `""`, `[""]`, `["web",""]`, `["web",1]`, "1", "null", "{}", `[["web"]]`} {
		if err := verify(claims("aud", value)); err == nil {
			t.Errorf("aud %s is accepted", value)
		}
	}
	valid := claims("sub", `"alice"`)
	for _, body := range []string{
		"", "null", "[]", `"x"`, "1", "{}", valid + valid, valid + " x", `{"sub":"mallory",` + valid[1:],
		claims("deep", strings.Repeat("[", 40)+strings.Repeat("]", 40)), claims("x", `{"a":1,"a":2}`), valid[:len(valid)-1],
	} {
		if err := verify(body); err == nil {
			t.Errorf("claims %s are accepted", body)
		}
	}
}

func TestK02_VerifierConfusion(t *testing.T) {
	rs, es, foreign := newTestKey(t, RS256), newTestKey(t, ES256), newTestKey(t, ES256)
	ps, ed := newTestKey(t, PS256), newTestKey(t, EdDSA)
	keys := []*Key{rs, es, ps, ed}
	claims := mustMarshal(t, validClaims())
	body := encode(claims)
	valid := signRaw(t, es, headerFor(es), claims)
	part := strings.Split(valid, ".")
	signed := func(key *Key, header string) string { return signRaw(t, key, header, claims) }
	header := func(alg, kid, more string) string {
		return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"%s}`, alg, kid, more)
	}
	rows := map[string]string{
		"empty":                     "",
		"foreign key, known kid":    signed(foreign, headerFor(es)),
		"foreign key, its own kid":  signed(foreign, headerFor(foreign)),
		"ES256 with the RSA kid":    signed(es, header("ES256", rs.id, "")),
		"RS256 with the EC kid":     signed(rs, header("RS256", es.id, "")),
		"PS256 with the RS256 key":  signWith(t, jwt.SigningMethodPS256, rs, header("PS256", rs.id, ""), claims),
		"RS256 with the PS256 key":  signWith(t, jwt.SigningMethodRS256, ps, header("RS256", ps.id, ""), claims),
		"EdDSA with the EC kid":     signed(ed, header("EdDSA", es.id, "")),
		"ES256 with the EdDSA kid":  signed(es, header("ES256", ed.id, "")),
		"Ed25519 as alg":            signed(ed, header("Ed25519", ed.id, "")),
		"RS512 with the RS256 key":  signWith(t, jwt.SigningMethodRS512, rs, header("RS512", rs.id, ""), claims),
		"alg missing":               signed(es, fmt.Sprintf(`{"kid":%q,"typ":"JWT"}`, es.id)),
		"alg null":                  signed(es, fmt.Sprintf(`{"alg":null,"kid":%q,"typ":"JWT"}`, es.id)),
		"alg a list":                signed(es, fmt.Sprintf(`{"alg":["ES256"],"kid":%q,"typ":"JWT"}`, es.id)),
		"alg twice":                 signed(es, header("none", es.id, `,"alg":"ES256"`)),
		"alg in two cases":          signed(es, header("ES256", es.id, `,"ALG":"none"`)),
		"kid missing":               signed(es, `{"alg":"ES256","typ":"JWT"}`),
		"kid empty":                 signed(es, header("ES256", "", "")),
		"kid a number":              signed(es, `{"alg":"ES256","kid":42,"typ":"JWT"}`),
		"kid a path":                signed(es, header("ES256", "../../etc/passwd", "")),
		"kid in upper case":         signed(es, header("ES256", strings.ToUpper(es.id), "")),
		"embedded jwk":              signed(foreign, header("ES256", foreign.id, `,"jwk":`+firstKey(t, foreign))),
		"embedded jwk, known kid":   signed(foreign, header("ES256", es.id, `,"jwk":`+firstKey(t, foreign))),
		"crit b64":                  signed(es, header("ES256", es.id, `,"crit":["b64"],"b64":true`)),
		"crit empty":                signed(es, header("ES256", es.id, `,"crit":[]`)),
		"crit null":                 signed(es, header("ES256", es.id, `,"crit":null`)),
		"header trailing data":      signed(es, headerFor(es)+"{}"),
		"header a list":             signed(es, "["+headerFor(es)+"]"),
		"header null":               signed(es, "null"),
		"two parts":                 part[0] + "." + part[1],
		"four parts":                valid + ".",
		"five parts (JWE)":          part[0] + ".." + part[1] + "." + part[2] + ".AA",
		"ten thousand dots":         strings.Repeat(".", 10000),
		"no signature":              part[0] + "." + part[1] + ".",
		"zero signature":            part[0] + "." + part[1] + "." + encode(strings.Repeat("\x00", 64)),
		"DER signature":             part[0] + "." + part[1] + "." + encode(derSignature(t, es, part[0]+"."+part[1])),
		"short signature":           valid[:len(valid)-2],
		"other signature":           part[0] + "." + part[1] + "." + strings.Split(signed(es, header("ES256", es.id, `,"a":1`)), ".")[2],
		"changed claims":            part[0] + "." + encode(mustMarshal(t, with(map[string]any{"sub": "mallory"}))) + "." + part[2],
		"padding":                   valid + "==",
		"non-canonical last bits":   valid[:len(valid)-1] + nextCharacter(t, valid[len(valid)-1]),
		"line break at the end":     valid + "\n",
		"line break in the header":  part[0][:4] + "\r\n" + part[0][4:] + "." + part[1] + "." + part[2],
		"blank in front":            " " + valid,
		"JSON serialization":        fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, part[1], part[0], part[2]),
		"larger than 16 KiB":        signRaw(t, es, headerFor(es), mustMarshal(t, with(map[string]any{"x": strings.Repeat("a", 16<<10)}))),
		"64 KiB of nothing":         strings.Repeat("A", 64<<10),
		"header deeper than 32":     signed(es, header("ES256", es.id, `,"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))),
		"signed, body another type": signRaw(t, es, headerFor(es), `"`+body+`"`),
	}
	for _, alg := range []string{"none", "None", "nOnE", ""} {
		for _, signature := range []string{"", part[2]} {
			rows["alg "+alg+" signature "+signature] = encode(header(alg, es.id, "")) + "." + body + "." + signature
		}
	}
	for name, secret := range publicForms(t, rs) {
		input := encode(header("HS256", rs.id, "")) + "." + body
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		rows["HS256 over the public key as "+name] = input + "." + encode(string(mac.Sum(nil)))
	}
	if _, err := Verify(valid, keys, testExpectation()); err != nil {
		t.Fatalf("the valid token is rejected: %v", err)
	}
	if _, err := Verify(signed(es, header("ES256", es.id, `,"a":1`)), keys, testExpectation()); err != nil {
		t.Fatalf("the valid token with an additional header member is rejected: %v", err)
	}
	for name, token := range rows {
		claims, err := Verify(token, keys, testExpectation())
		if err == nil {
			t.Errorf("%s: accepted with claims %v", name, claims)
		}
	}
	if _, err := Verify(valid, nil, testExpectation()); err == nil {
		t.Error("accepted without any key")
	}
	if _, err := Verify(valid, []*Key{rs, foreign}, testExpectation()); err == nil {
		t.Error("accepted without its key")
	}
}

// firstKey returns the public JWK of key.
func firstKey(t *testing.T, key *Key) string {
	t.Helper()
	document, err := PublicSet([]*Key{key})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(document), `{"keys":[`), `]}`)
}

// publicForms returns the encodings of a public key that a confused verifier could take
// for an HMAC secret.
func publicForms(t *testing.T, key *Key) map[string][]byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"DER": der,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"JWK": []byte(firstKey(t, key)),
		"kid": []byte(key.id),
		"":    nil,
	}
}

func derSignature(t *testing.T, key *Key, input string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	signature, err := key.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return string(signature)
}

// nextCharacter changes the lowest bit of a base64url character. In the last character
// of 64 bytes that bit carries no data.
func nextCharacter(t *testing.T, c byte) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, c)
	if i < 0 || i%2 != 0 {
		t.Fatalf("%q does not end a canonical signature", c)
	}
	return alphabet[i+1 : i+2]
}

func TestK08_TypeSeparation(t *testing.T) {
	key := newTestKey(t, ES256)
	types := []string{"JWT", "at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "jwt", "application/at+jwt", "AT+JWT"}
	for _, made := range types {
		token, err := key.Sign(made, validClaims())
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range types {
			expect := testExpectation()
			expect.Type = wanted
			if _, err := Verify(token, []*Key{key}, expect); (err == nil) != (made == wanted) {
				t.Errorf("a token of type %s where %s is expected: %v", made, wanted, err)
			}
		}
	}
	untyped := signRaw(t, key, fmt.Sprintf(`{"alg":"ES256","kid":%q}`, key.id), mustMarshal(t, validClaims()))
	for _, wanted := range append(types, "") {
		expect := testExpectation()
		expect.Type = wanted
		if _, err := Verify(untyped, []*Key{key}, expect); err == nil {
			t.Errorf("a token without type is accepted where %q is expected", wanted)
		}
	}
}

// FuzzVerify checks that Verify rejects tokens that no key or a foreign key signed, and
// that accepted tokens match the expectation.
func FuzzVerify(f *testing.F) {
	key, foreign := newTestKey(f, ES256), newTestKey(f, ES256)
	valid := signRaw(f, key, headerFor(key), mustMarshal(f, validClaims()))
	input := valid[:strings.LastIndexByte(valid, '.')]

	claims := mustMarshal(f, validClaims())
	f.Add(valid, `{"alg":"ES256","kid":"KID","typ":"JWT"}`, claims)
	f.Add(signRaw(f, foreign, headerFor(key), claims), `{"alg":"none","kid":"KID","typ":"JWT","crit":[]}`, claims)
	f.Add(valid+".", `{"ALG":"ES256","kid":"KID","typ":"JWT"}`, `{"iss":"https://as.test","aud":[],"exp":1e10,"iat":"1"}`)
	f.Add(strings.Repeat(encode("{}")+".", 5), "null", "null")

	f.Fuzz(func(t *testing.T, token, header, claims string) {
		if _, err := Verify(token, []*Key{key}, testExpectation()); err == nil && !strings.HasPrefix(token, input+".") {
			t.Errorf("accepted %q, which no key signed", token)
		}
		// The fuzzer cannot know the kid of this run.
		header = strings.ReplaceAll(header, "KID", key.id)
		if _, err := Verify(signRaw(t, foreign, header, claims), []*Key{key}, testExpectation()); err == nil {
			t.Errorf("accepted the signature of a foreign key under header %q", header)
		}
		got, err := Verify(signRaw(t, key, header, claims), []*Key{key}, testExpectation())
		if err != nil {
			return
		}
		var h, c map[string]any
		if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(claims), &c) != nil {
			t.Fatalf("accepted header %q and claims %q", header, claims)
		}
		exp, _ := c["exp"].(float64)
		if h["alg"] != "ES256" || h["kid"] != key.id || h["typ"] != "JWT" || h["crit"] != nil ||
			c["iss"] != testIssuer || exp <= testNow || len(got) != len(c) {
			t.Errorf("accepted header %q and claims %q", header, claims)
		}
	})
}
