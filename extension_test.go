package oauthkit

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// extending is an [Extension] made from a function.
type extending func(registry *Registry) error

func (e extending) Extend(registry *Registry) error { return e(registry) }

// TestExtensionIsChecked checks that New rejects invalid extensions with an error
// that names the mistake.
func TestExtensionIsChecked(t *testing.T) {
	anyone := func(http.ResponseWriter, *http.Request) error { return nil }
	bearer := func(http.ResponseWriter, *http.Request, *AccessToken) error { return nil }
	get := []string{http.MethodGet}
	adding := func(endpoints ...Endpoint) extending {
		return func(registry *Registry) error {
			for _, endpoint := range endpoints {
				registry.Endpoint(endpoint)
			}
			return nil
		}
	}
	valid := Endpoint{Path: "hello", Methods: get, Anyone: anyone}
	tests := []struct {
		name      string
		extension extending
		want      string // in the error; empty: accepted
	}{
		{"valid", adding(valid), ""},
		{"no path", adding(Endpoint{Methods: get, Anyone: anyone}), "relative to the issuer"},
		{"absolute path", adding(Endpoint{Path: "/hello", Methods: get, Anyone: anyone}), "relative to the issuer"},
		{"slash at the end", adding(Endpoint{Path: "hello/", Methods: get, Anyone: anyone}), "relative to the issuer"},
		{"no method", adding(Endpoint{Path: "hello", Anyone: anyone}), "Methods is empty"},
		{"no caller", adding(Endpoint{Path: "hello", Methods: get}), "exactly one of"},
		{"two kinds of callers", adding(Endpoint{Path: "hello", Methods: get, Anyone: anyone, Bearer: bearer}), "exactly one of"},
		{"origins of no application", adding(Endpoint{Path: "hello", Methods: get, Anyone: anyone, CrossOrigin: CrossOriginApplication}), "requires Application"},
		{"twice", adding(valid, valid), "added twice"},
		{"scope", func(registry *Registry) error { registry.Scope("a b", "two words"); return nil }, "RFC 6749 §3.3"},
		{"no responder", func(registry *Registry) error { registry.Responder(nil); return nil }, "responder is nil"},
		{"no resolver", func(registry *Registry) error { registry.ResolveAuthorize(nil); return nil }, "ResolveAuthorize: the function is nil"},
		{"its own error", func(*Registry) error { return errors.New("no key store") }, "no key store"},
	}
	for _, test := range tests {
		_, err := New("https://as.test", nothing{}, Config{Extensions: []Extension{test.extension}})
		if test.want == "" && err != nil {
			t.Errorf("%s: got %v, want accepted", test.name, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
}
