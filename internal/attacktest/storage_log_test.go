package attacktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm/logger"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestLog tests what the log reveals. Every case of this package ends with a search
// for issued secrets in the log at the debug level; these cases also search for
// secrets presented in failed requests.
func TestLog(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "ST-03 log at the debug level", Test: quietLog},
		panicking(),
	})
}

// presented holds secrets that the provider did not issue but that must not
// be logged.
const presented = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2"

func quietLog(t *testing.T, s *fixture.Server) {
	everything(s)
	wrong := *s.Web
	wrong.Secret = presented
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	wrong.Redeem(code)
	s.Web.Redeem(code, "code_verifier="+presented)
	s.Web.Redeem(presented)
	s.Web.Refresh(presented)
	s.Web.ClientCredentials("grant_type=" + presented)
	s.WebPost.Refresh("x", "client_secret="+presented)
	s.RS.Introspect(presented)
	s.Web.Revoke(presented)
	for _, path := range protected {
		s.Bearer(path, presented)
		call(s, path+"?access_token="+presented)
	}
	s.Do(fixture.NewRequest(http.MethodGet, "/o/token", url.Values{"code": {presented}}))
	s.Browser("alice").Get("/o/consent?interaction=" + presented)
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("redirect_uri=https://evil.test/cb?" + presented))
	s.Store.Fail(0)
	s.Web.Refresh(presented)
	s.Web.Refresh(secret.New(secret.RefreshToken))
	text := s.Log.String()
	for _, part := range []string{presented, "Basic ", "Bearer ", "Cookie", "__Host-", "grant_type=", "code_verifier=", "the secret of every server"} {
		if strings.Contains(text, part) {
			t.Errorf("got %q in the log, want it absent:\n%s", part, text)
		}
	}
	for _, part := range []string{"level=DEBUG", "level=ERROR", "path=/o/token"} {
		if !strings.Contains(text, part) {
			t.Errorf("got a log without %s, want it: otherwise the test checks nothing:\n%s", part, text)
		}
	}
}

// panicking tests a hook of the host that panics during a token request. The value
// and the stack are logged.
func panicking() fixture.Case {
	var stack []byte
	var armed bool
	return fixture.Case{
		Name:        "ST-11 crash in the middle of a request",
		ExpectPanic: true,
		Configure: func(config *oauthkit.Config, _ storetest.Store) {
			armed = false
			config.UserIsActive = func(context.Context, string) (bool, error) {
				if armed {
					stack = debug.Stack()
					panic("mistake in the host")
				}
				return true, nil
			}
		},
		Test: func(t *testing.T, s *fixture.Server) {
			tokens := s.Browser("alice").Tokens(s.Web)
			armed = true
			request := s.Web.Request("/o/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}})
			answer := httptest.NewRecorder()
			fixture.NewHandler(t, s.Provider, oauthhttp.Config{}).ServeHTTP(answer, request)
			log := s.Log.String()
			if answer.Code != http.StatusInternalServerError || !strings.Contains(log, "mistake in the host") {
				t.Errorf("got %d and the log\n%s\nwant 500 and the panic in the log", answer.Code, log)
			}
			for _, text := range []string{tokens.Refresh, s.Web.Secret, request.Header.Get("Authorization")} {
				if len(stack) == 0 || strings.Contains(string(stack), text) || strings.Contains(log, text) {
					t.Errorf("got a stack of %d bytes that is empty or has a secret, and the log\n%s", len(stack), log)
				}
			}
		},
	}
}

// TestST03_GORMLogger uses a database whose GORM logger writes statements with
// their values.
func TestST03_GORMLogger(t *testing.T) {
	db, err := sqlite.OpenDB(filepath.Join(t.TempDir(), "oauth.db"))
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	db.Logger = logger.New(log.New(&logged, "", 0), logger.Config{LogLevel: logger.Info})
	if err := db.Exec("SELECT 'seen'").Error; err != nil || !strings.Contains(logged.String(), "seen") {
		t.Fatalf("got %v and log %q, want GORM to log its statements", err, &logged)
	}
	logged.Reset()
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	app := &oauthkit.AbstractApplication{ClientID: "web", ClientType: oauthkit.Confidential}
	app.GenerateSecret()
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.ApplicationTable.Create(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Application(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.RefreshToken(t.Context(), "hash"); err == nil {
		t.Error("got a refresh token that was not saved, want an error")
	}
	if logged.Len() > 0 {
		t.Errorf("got the store's statements in the host's log, want none:\n%s", &logged)
	}
}

// TestST04_TypesThatHoldSecrets formats each value with every verb.
func TestST04_TypesThatHoldSecrets(t *testing.T) {
	const hidden = "a secret of at least 32 bytes, in clear"
	config := oauthkit.Config{Secret: hidden}
	provider, err := oauthkit.New(fixture.Issuer, memstore.New(), config)
	if err != nil {
		t.Fatal(err)
	}
	request := oauthkit.TokenRequest{Form: url.Values{"client_secret": {hidden}}}
	response := oauthkit.TokenResponse{AccessToken: hidden, RefreshToken: hidden, Extra: map[string]any{"id_token": hidden}}
	for _, value := range []any{provider, config, &config, request, &request, response, &response} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%T with %s: got a secret in %s", value, verb, text)
			}
		}
		var text, document bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&document, nil)).Info("x", "value", value)
		if strings.Contains(text.String()+document.String(), hidden) {
			t.Errorf("%T: got a secret in %s %s", value, &text, &document)
		}
	}
	answer, err := json.Marshal(&response)
	if err != nil || !strings.Contains(string(answer), hidden) {
		t.Errorf("got %s, %v; want the tokens in the response", answer, err)
	}
}
