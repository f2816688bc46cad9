package oauthkit

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// TestST04_SecretsDoNotPrint prints every type that holds a secret in all ways in
// which it could reach a log.
func TestST04_SecretsDoNotPrint(t *testing.T) {
	const hidden = "must-never-be-printed-anywhere-at-all"
	provider, err := New("https://as.test", nothing{}, Config{Secret: hidden})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"Config":            Config{Secret: hidden},
		"Provider":          provider,
		"TokenRequest":      TokenRequest{Form: url.Values{"code": {hidden}}},
		"*TokenRequest":     &TokenRequest{Form: url.Values{"code": {hidden}}},
		"TokenResponse":     TokenResponse{AccessToken: hidden},
		"*TokenResponse":    &TokenResponse{RefreshToken: hidden},
		"Issued":            Issued{Response: TokenResponse{AccessToken: hidden}},
		"*Issued":           &Issued{Response: TokenResponse{RefreshToken: hidden}},
		"SigningKey":        SigningKey{Private: []byte(hidden)},
		"list of keys":      []*SigningKey{{Private: []byte(hidden)}},
		"SecretHash":        SecretHash(hidden),
		"in an application": &AbstractApplication{ClientSecret: hidden, PreviousSecret: hidden},
	}
	bytesOf := strings.Trim(fmt.Sprint([]byte(hidden)), "[]")
	for name, value := range values {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("seen", "value", value)
		for _, text := range []string{fmt.Sprintf("%v %+v %s %q", value, value, value, value), fmt.Sprintf("%#v %x", value, value), log.String()} {
			if strings.Contains(text, hidden) || strings.Contains(text, bytesOf) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%s: got %s", name, text)
			}
		}
	}
}
