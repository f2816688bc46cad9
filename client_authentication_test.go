package oauthkit

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzBasic checks that decodeBasic reads only credentials that a client encodes by
// RFC 6749 §2.3.1, and reads them unchanged.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"web:secret", "1PpG%2FQ+1:z%2FtZ9V%3AX2%2F8b%2Bw%3D", "web", ":", "a:b:c", "%00:x", "%:x", "\xff:x"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(seed)))
	}
	f.Add("d2Vi\nOnNlY3JldA==")
	f.Add(" ")
	f.Fuzz(func(t *testing.T, encoded string) {
		claim, ok := decodeBasic(encoded)
		if !ok {
			return
		}
		if claim.ClientID == "" || !isText(claim.ClientID) || !isText(claim.Proof) {
			t.Fatalf("accepted %q and %q", claim.ClientID, claim.Proof)
		}
		again := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(claim.ClientID) + ":" + url.QueryEscape(claim.Proof)))
		if read, ok := decodeBasic(again); !ok || read != claim {
			t.Errorf("wrote %+v, read %+v", claim, read)
		}
	})
}

// TestClientSecretBasicUnencoded_Nil checks that no application is an exception without
// a function that allows it.
func TestClientSecretBasicUnencoded_Nil(t *testing.T) {
	app := &AbstractApplication{ClientID: "a%zz", ClientType: Confidential}
	app.ImportSecret("a+b")
	for password, want := range map[string]bool{"a%2Bb": true, "a+b": false, "a%2Bb%zz": false, "": false} {
		r := &http.Request{Header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("a%zz:"+password))}}}
		method := ClientSecretBasicUnencoded(nil)
		claim, used, err := method.Claim(r, nil)
		if err != nil || !used || claim.ClientID != "a%zz" { // the id cannot be form-encoded
			t.Fatalf("got %+v, %t, %v", claim, used, err)
		}
		if err := method.Verify(t.Context(), app, claim, time.Time{}); (err == nil) != want {
			t.Errorf("%q: got %v, want right: %t", password, err, want)
		}
	}
}

// listed is a method with a carrier.
type listed struct {
	ClientAuthenticator
	method  string
	carrier ProofCarrier
}

func (l listed) Method() string { return l.method }

func (l listed) Carrier() ProofCarrier { return l.carrier }

func TestClientAuthenticators(t *testing.T) {
	long := strings.Repeat("a", 255)
	for name, test := range map[string]struct {
		listed []ClientAuthenticator
		want   []string // the methods; if nil, New fails
	}{
		"default":                     {nil, []string{"client_secret_basic", "client_secret_post", "none"}},
		"one":                         {[]ClientAuthenticator{ClientSecretPost()}, []string{"client_secret_post"}},
		"order":                       {[]ClientAuthenticator{ClientNone(), ClientSecretBasic()}, []string{"none", "client_secret_basic"}},
		"own":                         {[]ClientAuthenticator{listed{method: long, carrier: ProofCarrier{Header: "Client-Proof"}}}, []string{long}},
		"empty":                       {listed: []ClientAuthenticator{}},
		"nil":                         {listed: []ClientAuthenticator{ClientNone(), nil}},
		"twice":                       {listed: []ClientAuthenticator{ClientNone(), listed{method: "none"}}},
		"no name":                     {listed: []ClientAuthenticator{listed{}}},
		"blank":                       {listed: []ClientAuthenticator{listed{method: "a b"}}},
		"too long":                    {listed: []ClientAuthenticator{listed{method: long + "a"}}},
		"two places":                  {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Scheme: "A", Parameter: "a"}}}},
		"header":                      {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Header: "authorization"}}}},
		"one scheme in two spellings": {listed: []ClientAuthenticator{ClientSecretBasic(), listed{method: "a", carrier: ProofCarrier{Scheme: "BASIC"}}}},
		"one header in two spellings": {listed: []ClientAuthenticator{
			listed{method: "a", carrier: ProofCarrier{Header: "Client-Proof"}}, listed{method: "b", carrier: ProofCarrier{Header: "client-proof"}},
		}},
		"scheme of two words": {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Scheme: "A B"}}}},
		"scheme and a line":   {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Scheme: "A\r\nB:"}}}},
		"header of two words": {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Header: "A B"}}}},
		"client_id as proof":  {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Parameter: "client_id"}}}},
		"one scheme for two":  {[]ClientAuthenticator{ClientSecretBasic(), listed{method: "a", carrier: ProofCarrier{Scheme: "Basic"}}}, []string{"client_secret_basic", "a"}},
		"three place":         {listed: []ClientAuthenticator{listed{method: "a", carrier: ProofCarrier{Scheme: "A", Header: "B", Parameter: "a"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := withDefaults(Config{ClientAuthenticators: test.listed})
			provider := &Provider{config: config}
			switch {
			case err == nil && test.want == nil:
				t.Errorf("got methods %v, want an error", provider.AuthMethods())
			case test.want != nil && (err != nil || !slices.Equal(provider.AuthMethods(), test.want)):
				t.Errorf("got methods %v and %v, want %v", provider.AuthMethods(), err, test.want)
			}
		})
	}
}

// TestT18_MethodsVerify shows which claims the library's methods accept of an application
// that is registered for the method.
func TestT18_MethodsVerify(t *testing.T) {
	confidential := &AbstractApplication{ClientID: "web", ClientType: Confidential}
	confidential.ImportSecret("secret")
	public := &AbstractApplication{ClientID: "spa", ClientType: Public}
	for name, test := range map[string]struct {
		method ClientAuthenticator
		app    Application
		proof  string
		want   bool
	}{
		"basic":                     {ClientSecretBasic(), confidential, "secret", true},
		"basic, wrong secret":       {ClientSecretBasic(), confidential, "other", false},
		"basic, no secret":          {ClientSecretBasic(), confidential, "", false},
		"basic of a public client":  {ClientSecretBasic(), public, "", false},
		"post":                      {ClientSecretPost(), confidential, "secret", true},
		"post, wrong secret":        {ClientSecretPost(), confidential, "other", false},
		"post of a public client":   {ClientSecretPost(), public, "", false},
		"none":                      {ClientNone(), public, "", true},
		"none of a confidential":    {ClientNone(), confidential, "", false},
		"none, with another secret": {ClientNone(), confidential, "secret", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.method.Verify(t.Context(), test.app, ClientClaim{ClientID: test.app.GetID(), Proof: test.proof}, time.Time{})
			if (err == nil) != test.want || err != nil && CodeOf(err) != InvalidClient {
				t.Errorf("got %v, want true: %t", err, test.want)
			}
		})
	}
}

// TestMethodsClaim shows that no method of the library reads the query of a request.
func TestMethodsClaim(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://as.test/o/token?client_id=web&client_secret=secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []ClientAuthenticator{ClientSecretBasic(), ClientSecretPost(), ClientNone()} {
		if claim, used, err := method.Claim(r, url.Values{}); used || err != nil {
			t.Errorf("%s: got %+v, %t and %v, want no claim", method.Method(), claim, used, err)
		}
	}
}
