package clienttest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestB21_IDPSignInAndOut tests the pages of examples/idp: other sites cannot submit
// their forms, a sign-in starts a new session, and a sign-out ends it.
func TestB21_IDPSignInAndOut(t *testing.T) {
	idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"), "-seed", seedFile(t))
	password := url.Values{"username": {"alice"}, "password": {alicesWords}}
	for name, test := range map[string]struct {
		path   string
		form   url.Values
		header map[string]string
		status int
	}{
		"B-21 sign in from another site":             {"/login", password, map[string]string{"Origin": "https://evil.test"}, http.StatusForbidden},
		"B-21 sign in, cross-site by Sec-Fetch-Site": {"/login", password, map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"B-21 sign out from another site":            {"/o/logout", url.Values{"logout": {"yes"}}, map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"wrong password":                             {"/login", url.Values{"username": {"alice"}, "password": {"x"}}, nil, http.StatusUnauthorized},
		"unknown user":                               {"/login", url.Values{"username": {"nobody"}, "password": {"x"}}, nil, http.StatusUnauthorized},
		"a name that no database can keep":           {"/login", url.Values{"username": {"\x00"}, "password": {"x"}}, nil, http.StatusUnauthorized},
		"right password":                             {"/login", password, map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusSeeOther},
	} {
		if status, _ := post(t, idp, test.path, test.form, test.header); status != test.status {
			t.Errorf("%s: got %d, want %d", name, status, test.status)
		}
	}

	planted := "idp=planted"
	_, header := post(t, idp, "/login", password, map[string]string{"Cookie": planted})
	set := header.Values("Set-Cookie") // the first one deletes the old cookie
	cookie, _, _ := strings.Cut(set[len(set)-1], ";")
	if cookie == planted || !isSignedIn(t, idp, cookie) || isSignedIn(t, idp, planted) {
		t.Errorf("B-07: got the session %q, want a new valid one, and %q to be invalid", cookie, planted)
	}
	signOut(t, idp, cookie)
	if isSignedIn(t, idp, cookie) {
		t.Error("got a valid session after the sign-out, want none")
	}
}

// signOut opens the sign-out page with the cookie of a session and presses
// its button.
func signOut(t *testing.T, idp *process, cookie string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, idp.issuer()+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookie)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	response.Body.Close()
	token := formHidden.FindSubmatch(page)
	if err != nil || token == nil {
		t.Fatalf("got %v and %s, want a page with a form", err, page)
	}
	browser, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	form := url.Values{string(token[1]): {string(token[2])}}
	status, header := post(t, idp, "/o/logout", form, map[string]string{"Cookie": cookie + "; " + browser})
	if status != http.StatusSeeOther || len(header.Values("Set-Cookie")) != 2 {
		t.Errorf("got %d and cookies %q, want 303 and both cookies deleted", status, header.Values("Set-Cookie"))
	}
}

// post submits a form like a browser, without following redirects.
func post(t *testing.T, idp *process, path string, form url.Values, header map[string]string) (status int, answered http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, idp.origin+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode, response.Header
}

// isSignedIn requests a code without a page (prompt=none).
func isSignedIn(t *testing.T, idp *process, cookie string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, webConfig(idp).AuthCodeURL("s")+
		"&prompt=none&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookie)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	switch location := response.Header.Get("Location"); {
	case strings.Contains(location, "error=consent_required"):
		return true
	case strings.Contains(location, "error=login_required"):
		return false
	default:
		t.Fatalf("got %s to %q, want login_required or consent_required", response.Status, location)
		return false
	}
}

// TestIDPOverTLS serves https with a certificate from files. It must refuse forms
// from pages loaded over plain http.
func TestIDPOverTLS(t *testing.T) {
	borrowed := httptest.NewTLSServer(nil) // its certificate is for example.com and 127.0.0.1
	borrowed.Close()
	certificate := borrowed.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	idp := launch(t, "idp", "-db", filepath.Join(folder, "idp.db"), "-tls-cert", filepath.Join(folder, "cert.pem"), "-tls-key", filepath.Join(folder, "key.pem"))
	idp.wait(t) // the answer to a plain http request counts
	roots := x509.NewCertPool()
	roots.AddCert(borrowed.Certificate())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}}
	issuer := strings.Replace(idp.issuer(), "http:", "https:", 1)
	response, err := client.Get(issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	decode(t, response, &metadata)
	if metadata.Issuer != issuer {
		t.Errorf("got issuer %s, want %s", metadata.Issuer, issuer)
	}
	checkPlainHTTP(t, client, strings.TrimSuffix(issuer, "/o"))
}

// checkPlainHTTP submits the sign-in form like a browser that sends only an
// Origin header.
func checkPlainHTTP(t *testing.T, client *http.Client, own string) {
	t.Helper()
	for origin, want := range map[string]int{own: http.StatusUnauthorized, strings.Replace(own, "https:", "http:", 1): http.StatusForbidden} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, own+"/login", strings.NewReader("username=nobody&password=x"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", origin)
		answered, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answered.Body.Close()
		if answered.StatusCode != want {
			t.Errorf("sign in from a page of %s: got %d, want %d", origin, answered.StatusCode, want)
		}
	}
}

// TestIDPOffersScopes expects the registration form to offer the scopes of the seed
// file and those of OpenID Connect.
func TestIDPOffersScopes(t *testing.T) {
	idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"), "-seed", seedFile(t))
	alice := newPerson(t)
	signIn(t, webConfig(idp), alice)
	response, err := alice.client.Get(idp.issuer() + "/applications/register/")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	response.Body.Close()
	for _, scope := range []string{"read", "openid"} {
		if err != nil || !strings.Contains(string(page), `name="scopes" value="`+scope+`"`) {
			t.Errorf("got %v and\n%s\nwant the scope %s offered", err, page, scope)
		}
	}
}
