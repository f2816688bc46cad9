package attacktest

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// killedDatabase names the environment variable with the database of the process that
// TestL11_KilledProcess kills.
const killedDatabase = "OAUTHKIT_KILLED_DATABASE"

// TestL11_KilledProcess kills a process with SIGKILL while an application reads its
// logout token, and expects that another process delivers the notice.
func TestL11_KilledProcess(t *testing.T) {
	came, release := make(chan map[string]any, 10), make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- logoutClaims(r.PostFormValue("logout_token"))
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "oauth.db")
	certificate := filepath.Join(t.TempDir(), "ca.der")
	if err := os.WriteFile(certificate, server.Certificate().Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
	process.Env = append(os.Environ(), killedDatabase+"="+path, "OAUTHKIT_KILLED_CA="+certificate, "OAUTHKIT_KILLED_URI="+server.URL)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	var first map[string]any
	select {
	case first = <-came:
	case <-time.After(time.Minute):
		t.Error("got no logout token from the process")
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	close(release)
	if t.Failed() {
		return
	}
	provider := killedProvider(t, path, certificate, func() time.Time { return time.Now().Add(2 * time.Minute) })
	if err := provider.DeliverNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case second := <-came:
		if second["sid"] != first["sid"] || second["sid"] == nil || second["jti"] == first["jti"] {
			t.Errorf("got %v, want a new token about the session of %v", second, first)
		}
	default:
		t.Error("got no logout token from the second process")
	}
}

// TestKilledProcess is the process that TestL11_KilledProcess starts: it signs a user in,
// ends the session, and delivers until it is killed. Otherwise it does nothing.
func TestKilledProcess(t *testing.T) {
	path := os.Getenv(killedDatabase)
	if path == "" {
		return
	}
	provider := killedProvider(t, path, os.Getenv("OAUTHKIT_KILLED_CA"), time.Now)
	user := &oauthkit.User{Subject: "alice", SessionID: "one"}
	request, err := provider.NewAuthorizeRequest(t.Context(), map[string][]string{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://rp.test/cb"}, "scope": {"openid"},
		// RFC 7636 appendix B
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err == nil {
		_, err = provider.Respond(t.Context(), request, user, oauthkit.Decision{})
	}
	if err == nil {
		_, err = provider.EndSession(t.Context(), oauthkit.Session{Subject: "alice", ID: provider.SessionID(user)})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := oauthkit.Run(t.Context(), provider, oauthkit.RunConfig{}); err != nil {
		t.Fatal(err)
	}
}

// killedProvider returns a provider on a SQLite database, which it creates if necessary.
func killedProvider(t *testing.T, path, certificate string, now func() time.Time) *oauthkit.Provider {
	t.Helper()
	_, err := os.Stat(path)
	isNew := err != nil
	store, err := sqlite.OpenWith[*oauthkit.AbstractApplication](path, gormstore.Config{})
	if err == nil && isNew {
		err = store.Migrate(t.Context())
	}
	if err == nil && isNew {
		err = store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
			ClientID: "web", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
			RedirectURIs: oauthkit.URIs{"https://rp.test/cb"}, Scopes: oauthkit.Scopes{"openid"}, BackChannelLogoutURI: os.Getenv("OAUTHKIT_KILLED_URI"),
		}, now())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	der, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
		Fetch:      oauthkit.FetchConfig{AllowLoopback: true, RootCAs: roots},
		Now:        now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}
