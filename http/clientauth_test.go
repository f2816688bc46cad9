package oauthhttp

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func basic(userinfo string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(userinfo))}}
}

// authenticationBy returns the client authentication of a provider with the methods.
func authenticationBy(t *testing.T, listed ...oauthkit.ClientAuthenticator) clientAuthentication {
	t.Helper()
	provider, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{ClientAuthenticators: listed})
	if err != nil {
		t.Fatal(err)
	}
	return newClientAuthentication(provider)
}

// wantedClaim is a claim, with the methods that read it.
type wantedClaim struct{ clientID, proof, methods string }

// claimTest is a request and the claims in it.
type claimTest struct {
	header http.Header
	form   url.Values
	want   wantedClaim
	code   oauthkit.ErrorCode // the error; if empty, the claims are accepted
}

func (test claimTest) run(t *testing.T, clients clientAuthentication) {
	t.Helper()
	claims, err := clients.read(nil, &http.Request{Header: test.header}, test.form)
	if test.code != "" {
		if err == nil || oauthkit.CodeOf(err) != test.code {
			t.Fatalf("got %+v, %v; want %s", claims, err, test.code)
		}
		return
	}
	if err != nil {
		t.Fatalf("got %v, want %+v", err, test.want)
	}
	var methods []string
	for _, claim := range claims {
		methods = append(methods, claim.by.Method())
	}
	if got := (wantedClaim{claims[0].ClientID, claims[0].Proof, strings.Join(methods, " ")}); got != test.want {
		t.Errorf("got %+v, want %+v", got, test.want)
	}
}

func TestReadClientClaims(t *testing.T) {
	good := basic("web:secret")
	clients := authenticationBy(t)
	for name, test := range map[string]claimTest{
		"basic":                    {header: good, want: wantedClaim{"web", "secret", "client_secret_basic"}},
		"basic, same client_id":    {header: good, form: url.Values{"client_id": {"web"}}, want: wantedClaim{"web", "secret", "client_secret_basic"}},
		"T-10 form-encoded":        {header: basic("1PpG%2FQ+1:z%2FtZ9V%3AX2%2F8b%2Bw%3D"), want: wantedClaim{"1PpG/Q 1", "z/tZ9V:X2/8b+w=", "client_secret_basic"}},
		"T-11 lower case":          {header: http.Header{"Authorization": {strings.Replace(good.Get("Authorization"), "Basic", "basic", 1)}}, want: wantedClaim{"web", "secret", "client_secret_basic"}},
		"post":                     {form: url.Values{"client_id": {"web"}, "client_secret": {"s"}}, want: wantedClaim{"web", "s", "client_secret_post"}},
		"none":                     {form: url.Values{"client_id": {"spa"}}, want: wantedClaim{"spa", "", "none"}},
		"nothing":                  {code: oauthkit.InvalidClient},
		"post without client_id":   {form: url.Values{"client_secret": {"s"}}, code: oauthkit.InvalidClient},
		"T-11 no colon":            {header: basic("web"), code: oauthkit.InvalidClient},
		"T-11 empty id":            {header: basic(":secret"), code: oauthkit.InvalidClient},
		"T-11 bad escape":          {header: basic("web:%zz"), code: oauthkit.InvalidClient},
		"T-11 line break":          {header: http.Header{"Authorization": {"Basic d2Vi\nOnNlY3JldA=="}}, code: oauthkit.InvalidClient},
		"T-11 blank in base64":     {header: http.Header{"Authorization": {"Basic d2Vi OnNlY3JldA=="}}, code: oauthkit.InvalidClient},
		"T-11 two blanks":          {header: http.Header{"Authorization": {"Basic  d2ViOnNlY3JldA=="}}, code: oauthkit.InvalidClient},
		"T-11 URL-safe alphabet":   {header: http.Header{"Authorization": {"Basic d2ViOn4_Pz8_"}}, code: oauthkit.InvalidClient},
		"T-11 unpadded":            {header: http.Header{"Authorization": {"Basic d2ViOnNlY3JldA"}}, code: oauthkit.InvalidClient},
		"T-08 NUL":                 {header: basic("web%00:secret"), code: oauthkit.InvalidClient},
		"T-09 not UTF-8":           {header: basic("web%ff:secret"), code: oauthkit.InvalidClient},
		"other scheme":             {header: http.Header{"Authorization": {"Bearer x"}}, code: oauthkit.InvalidClient},
		"other scheme and none":    {header: http.Header{"Authorization": {"Bearer x"}}, form: url.Values{"client_id": {"spa"}}, code: oauthkit.InvalidClient},
		"T-12 two headers":         {header: http.Header{"Authorization": {good.Get("Authorization"), "Bearer x"}}, code: oauthkit.InvalidRequest},
		"T-13 basic and post":      {header: good, form: url.Values{"client_secret": {""}}, code: oauthkit.InvalidRequest},
		"T-13 basic and assertion": {header: good, form: url.Values{"client_assertion": {"x"}}, code: oauthkit.InvalidRequest},
		"T-13 post and assertion":  {form: url.Values{"client_id": {"web"}, "client_secret": {"s"}, "client_assertion": {"x"}}, code: oauthkit.InvalidRequest},
		"T-13 post and scheme":     {header: http.Header{"Authorization": {"Bearer x"}}, form: url.Values{"client_id": {"web"}, "client_secret": {"s"}}, code: oauthkit.InvalidRequest},
		"T-14 other client_id":     {header: good, form: url.Values{"client_id": {"evil"}}, code: oauthkit.InvalidRequest},
		"assertion, not supported": {form: url.Values{"client_id": {"web"}, "client_assertion": {"x"}}, code: oauthkit.InvalidClient},
		"assertion type alone":     {form: url.Values{"client_id": {"web"}, "client_assertion_type": {"x"}}, code: oauthkit.InvalidClient},
	} {
		t.Run(name, func(t *testing.T) { test.run(t, clients) })
	}
}

// fakeMethod is a method whose proof is the client_id and a colon in front of the rest,
// in its carrier. With the zero carrier it is the method of the TLS connection, which
// names no client.
type fakeMethod struct {
	name    string
	carrier oauthkit.ProofCarrier
	err     error // of Verify
}

func (m fakeMethod) Method() string { return m.name }

func (m fakeMethod) Carrier() oauthkit.ProofCarrier { return m.carrier }

func (m fakeMethod) Claim(r *http.Request, form url.Values) (claim oauthkit.ClientClaim, used bool, err error) {
	proof := form.Get(m.carrier.Parameter) + r.Header.Get(m.carrier.Header)
	if scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " "); m.carrier.Scheme != "" && scheme == m.carrier.Scheme {
		proof = credentials
	}
	if m.carrier == (oauthkit.ProofCarrier{}) {
		return oauthkit.ClientClaim{ClientID: form.Get("client_id")}, r.Header.Get("Certificate") != "", nil
	}
	clientID, _, used := strings.Cut(proof, ":")
	return oauthkit.ClientClaim{ClientID: clientID, Proof: proof}, used, nil
}

func (m fakeMethod) Verify(context.Context, oauthkit.Application, oauthkit.ClientClaim, time.Time) error {
	return m.err
}

// TestReadClientClaims_Own shows the claims of methods of a host. Two read the parameter
// client_assertion, and one reads the TLS connection.
func TestReadClientClaims_Own(t *testing.T) {
	clients := authenticationBy(t, oauthkit.ClientNone(),
		fakeMethod{name: "scheme", carrier: oauthkit.ProofCarrier{Scheme: "Proof"}},
		fakeMethod{name: "header", carrier: oauthkit.ProofCarrier{Header: "Client-Proof"}},
		fakeMethod{name: "private_key_jwt", carrier: oauthkit.ProofCarrier{Parameter: "client_assertion"}},
		fakeMethod{name: "client_secret_jwt", carrier: oauthkit.ProofCarrier{Parameter: "client_assertion"}},
		fakeMethod{name: "tls_client_auth"})
	scheme, header := http.Header{"Authorization": {"Proof web:x"}}, http.Header{"Client-Proof": {"web:x"}}
	certificate := http.Header{"Certificate": {"x"}}
	assertion := url.Values{"client_assertion": {"web:x"}, "client_assertion_type": {"jwt"}}
	for name, test := range map[string]claimTest{
		"scheme":                           {header: scheme, want: wantedClaim{"web", "web:x", "scheme"}},
		"header":                           {header: header, form: url.Values{"client_id": {"web"}}, want: wantedClaim{"web", "web:x", "header"}},
		"shared parameter":                 {form: assertion, want: wantedClaim{"web", "web:x", "private_key_jwt client_secret_jwt"}},
		"connection or none":               {header: certificate, form: url.Values{"client_id": {"web"}}, want: wantedClaim{"web", "", "none tls_client_auth"}},
		"connection and a proof":           {header: certificate, form: assertion, want: wantedClaim{"web", "web:x", "private_key_jwt client_secret_jwt"}},
		"connection without client_id":     {header: certificate, code: oauthkit.InvalidClient},
		"T-13 scheme and parameter":        {header: scheme, form: assertion, code: oauthkit.InvalidRequest},
		"T-13 header and parameter":        {header: header, form: assertion, code: oauthkit.InvalidRequest},
		"T-13 scheme and header":           {header: http.Header{"Authorization": {"Proof web:x"}, "Client-Proof": {"web:x"}}, code: oauthkit.InvalidRequest},
		"T-13 header and malformed":        {header: header, form: url.Values{"client_assertion": {"malformed"}}, code: oauthkit.InvalidRequest},
		"T-13 scheme and unlisted secret":  {header: scheme, form: url.Values{"client_secret": {"x"}}, code: oauthkit.InvalidRequest},
		"T-13 scheme and unlisted scheme":  {header: http.Header{"Authorization": {"Basic d2ViOnNlY3JldA=="}, "Client-Proof": {"web:x"}}, code: oauthkit.InvalidRequest},
		"T-14 scheme and other client_id":  {header: scheme, form: url.Values{"client_id": {"evil"}}, code: oauthkit.InvalidRequest},
		"unlisted scheme":                  {header: basic("web:secret"), form: url.Values{"client_id": {"web"}}, code: oauthkit.InvalidClient},
		"unlisted secret":                  {form: url.Values{"client_id": {"web"}, "client_secret": {"x"}}, code: oauthkit.InvalidClient},
		"malformed, and so read by none":   {form: url.Values{"client_id": {"web"}, "client_assertion": {"malformed"}}, code: oauthkit.InvalidClient},
		"malformed header, read by none":   {header: http.Header{"Client-Proof": {"malformed"}}, form: url.Values{"client_id": {"web"}}, code: oauthkit.InvalidClient},
		"certificate and an unlisted part": {header: certificate, form: url.Values{"client_id": {"web"}, "client_secret": {"x"}}, code: oauthkit.InvalidClient},
	} {
		t.Run(name, func(t *testing.T) { test.run(t, clients) })
	}
}

// TestReadClientClaims_TwoClients shows that two methods which read one carrier must read
// the same client_id.
func TestReadClientClaims_TwoClients(t *testing.T) {
	clients := authenticationBy(t, oauthkit.ClientSecretPost(), renamed{fakeMethod{name: "own", carrier: oauthkit.ProofCarrier{Parameter: "client_secret"}}})
	test := claimTest{form: url.Values{"client_id": {"web"}, "client_secret": {"s"}}, code: oauthkit.InvalidRequest}
	test.run(t, clients)
}

// renamed is a method that claims to be another client than the form says.
type renamed struct{ fakeMethod }

func (renamed) Claim(*http.Request, url.Values) (claim oauthkit.ClientClaim, used bool, err error) {
	return oauthkit.ClientClaim{ClientID: "evil"}, true, nil
}

// TestVerifyClaim shows that an error of Verify refuses the client only with
// InvalidClient. With any other, the claim could not be verified.
func TestVerifyClaim(t *testing.T) {
	app := &oauthkit.AbstractApplication{ClientID: "web", ClientType: oauthkit.Confidential, TokenEndpointAuthMethod: "own"}
	for name, test := range map[string]struct {
		err  error
		want oauthkit.ErrorCode
	}{
		"false":             {oauthkit.Errorf(oauthkit.InvalidClient, "the proof is wrong"), oauthkit.InvalidClient},
		"failed":            {context.DeadlineExceeded, oauthkit.TemporarilyUnavailable},
		"unavailable":       {oauthkit.Unavailable(context.DeadlineExceeded), oauthkit.TemporarilyUnavailable},
		"not found, failed": {oauthkit.ErrNotFound, oauthkit.TemporarilyUnavailable},
		"another code":      {oauthkit.Errorf(oauthkit.InvalidGrant, "x"), oauthkit.TemporarilyUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			claim := clientClaim{oauthkit.ClientClaim{ClientID: "web"}, fakeMethod{name: "own", err: test.err}}
			if err := claim.verify(t.Context(), app, time.Time{}); err == nil || oauthkit.CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestIsClaimed shows which requests count as those of a client.
func TestIsClaimed(t *testing.T) {
	clients := authenticationBy(t, oauthkit.ClientNone(), fakeMethod{name: "header", carrier: oauthkit.ProofCarrier{Header: "Client-Proof"}},
		fakeMethod{name: "parameter", carrier: oauthkit.ProofCarrier{Parameter: "client_proof"}})
	for name, test := range map[string]struct {
		header http.Header
		body   string
		want   bool
	}{
		"nothing":                {nil, "client_id=web", false},
		"Authorization":          {basic("web:secret"), "", true},
		"listed header":          {http.Header{"Client-Proof": {"x"}}, "", true},
		"listed parameter":       {nil, "client_id=web&client_proof=x", true},
		"empty parameter":        {nil, "client_proof=&client_id=web", false},
		"longer name":            {nil, "client_proof_of=x", false},
		"name without value":     {nil, "client_proof", false},
		"parameter not listed":   {nil, "client_secret=x", false},
		"name within a value":    {nil, "client_id=client_proof=x", false},
		"parameter after others": {nil, "a=b&c=d&client_proof=x&e", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := clients.isClaimed(&http.Request{Header: test.header}, &body{read: []byte(test.body)}); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
	if r := httptest.NewRequest(http.MethodPost, "https://as.test/o/token", nil); clients.isClaimed(r, &body{}) {
		t.Error("got a claim in a TLS connection without a client certificate")
	}
}

// TestChallenge shows the challenges for a refused Authorization header (RFC 6749 §5.2).
func TestChallenge(t *testing.T) {
	own := fakeMethod{name: "scheme", carrier: oauthkit.ProofCarrier{Scheme: "Proof"}}
	refused := oauthkit.Errorf(oauthkit.InvalidClient, "x")
	for name, test := range map[string]struct {
		listed []oauthkit.ClientAuthenticator
		header http.Header
		err    error
		want   []string
	}{
		"basic":           {nil, basic("web:x"), refused, []string{`Basic realm="oauth", charset="UTF-8"`}},
		"two schemes":     {[]oauthkit.ClientAuthenticator{oauthkit.ClientSecretBasic(), own}, basic("web:x"), refused, []string{`Basic realm="oauth", charset="UTF-8", Proof realm="oauth", charset="UTF-8"`}},
		"shared scheme":   {[]oauthkit.ClientAuthenticator{own, fakeMethod{name: "other", carrier: own.carrier}}, basic("web:x"), refused, []string{`Proof realm="oauth", charset="UTF-8"`}},
		"no scheme":       {[]oauthkit.ClientAuthenticator{oauthkit.ClientSecretPost()}, basic("web:x"), refused, nil},
		"without header":  {nil, nil, refused, nil},
		"another failure": {nil, basic("web:x"), oauthkit.Errorf(oauthkit.InvalidGrant, "x"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			recorder, clients := httptest.NewRecorder(), authenticationBy(t, test.listed...)
			clients.challenge(recorder, &http.Request{Header: test.header}, test.err)
			if got := recorder.Header().Values("WWW-Authenticate"); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// applicationEndpoint is an extension with an endpoint for applications.
type applicationEndpoint struct{}

func (applicationEndpoint) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{
		Path: "par", Methods: []string{http.MethodPost}, Metadata: "pushed_authorization_request_endpoint",
		CrossOrigin: oauthkit.CrossOriginApplication,
		Application: func(w http.ResponseWriter, _ *http.Request, _ url.Values, _ oauthkit.Application) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		},
	})
	return nil
}

// TestListedMethods shows that the metadata, preflight responses and the form of an
// application follow the list of methods, also for an endpoint of an extension.
func TestListedMethods(t *testing.T) {
	provider, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{
		Extensions: []oauthkit.Extension{applicationEndpoint{}},
		ClientAuthenticators: []oauthkit.ClientAuthenticator{
			oauthkit.ClientNone(), fakeMethod{name: "header", carrier: oauthkit.ProofCarrier{Header: "Client-Proof"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHandler(provider, Config{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := h.describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[string][]string{
		"token": {"none", "header"}, "revocation": {"none", "header"}, "introspection": {"header"},
		"pushed_authorization_request": {"none", "header"},
	} {
		if got, _ := document[endpoint+"_endpoint_auth_methods_supported"].([]string); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", endpoint, got, want)
		}
	}
	preflight := httptest.NewRequest(http.MethodOptions, "https://as.test/o/par", nil)
	preflight.Header.Set("Origin", "https://spa.test")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, preflight)
	if got := recorder.Header().Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type, Client-Proof" {
		t.Errorf("got headers %q, want the method's as well", got)
	}
	var offered []string
	before := oauthkit.ApplicationForm{TokenEndpointAuthMethod: "gone"}
	for _, choice := range h.authMethodChoices(h.translator(preflight), before, before) {
		offered = append(offered, choice.Value)
	}
	if want := []string{"", "none", "header", "gone"}; !slices.Equal(offered, want) {
		t.Errorf("got the choices %q, want %q", offered, want)
	}
}

// TestX03_ClaimedID shows which client a request names before its proof is verified.
func TestX03_ClaimedID(t *testing.T) {
	clients := authenticationBy(t, oauthkit.ClientSecretBasic(), oauthkit.ClientNone(), fakeMethod{name: "header", carrier: oauthkit.ProofCarrier{Header: "Client-Proof"}})
	good := basic("web:secret")
	for name, test := range map[string]struct {
		header http.Header
		form   url.Values
		want   string
	}{
		"nothing":           {nil, nil, ""},
		"form":              {nil, url.Values{"client_id": {"spa"}}, "spa"},
		"basic":             {good, nil, "web"},
		"basic, same":       {good, url.Values{"client_id": {"web"}}, "web"},
		"basic, other":      {good, url.Values{"client_id": {"spa"}}, ""},
		"malformed basic":   {basic("web"), url.Values{"client_id": {"spa"}}, "spa"},
		"two headers":       {http.Header{"Authorization": {good.Get("Authorization"), "x"}}, url.Values{"client_id": {"spa"}}, "spa"},
		"own method":        {http.Header{"Client-Proof": {"web:x"}}, nil, "web"},
		"own method, other": {http.Header{"Client-Proof": {"web:x"}}, url.Values{"client_id": {"spa"}}, ""},
	} {
		if got := clients.claimedID(&http.Request{Header: test.header}, test.form); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
