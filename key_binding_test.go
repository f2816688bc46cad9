package oauthkit

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func accepting(context.Context, PresentedToken) (string, error) { return "", nil }

func TestKeyBindingsValidate(t *testing.T) {
	dpop := KeyBinding{Method: "jkt", TokenType: "DPoP", ChallengeParameters: `algs="ES256"`, Verify: accepting}
	tls := KeyBinding{Method: "x5t#S256", Verify: accepting}
	with := func(change func(binding *KeyBinding)) KeyBindings {
		changed := dpop
		change(&changed)
		return KeyBindings{changed}
	}
	tests := map[string]struct {
		bindings KeyBindings
		want     string // part of the error; empty if they are valid
	}{
		"none":                    {nil, ""},
		"two":                     {KeyBindings{dpop, tls}, ""},
		"two of type Bearer":      {KeyBindings{tls, {Method: "other", TokenType: "Bearer", Verify: accepting}}, ""},
		"no method":               {with(func(b *KeyBinding) { b.Method = "" }), "Method"},
		"a method with a space":   {with(func(b *KeyBinding) { b.Method = "a b" }), "Method"},
		"a long method":           {with(func(b *KeyBinding) { b.Method = strings.Repeat("a", 256) }), "Method"},
		"the same method":         {KeyBindings{tls, tls}, "twice"},
		"the same type":           {KeyBindings{dpop, {Method: "other", TokenType: "dpop", Verify: accepting}}, "another key binding"},
		"no Verify":               {with(func(b *KeyBinding) { b.Verify = nil }), "Verify"},
		"a type of two words":     {with(func(b *KeyBinding) { b.TokenType = "D PoP" }), "not a scheme"},
		"type Basic":              {with(func(b *KeyBinding) { b.TokenType = "basic" }), "not a scheme"},
		"type bearer":             {with(func(b *KeyBinding) { b.TokenType = "bearer" }), "must be empty"},
		"parameters of two lines": {with(func(b *KeyBinding) { b.ChallengeParameters = "algs=\"a\"\r\nSet-Cookie: a=b" }), "not printable"},
		"parameters not ASCII":    {with(func(b *KeyBinding) { b.ChallengeParameters = "algs=\"\u00e9\"" }), "not printable"},
		"more headers":            {with(func(b *KeyBinding) { b.RequestHeaders, b.ResponseHeaders = []string{"DPoP"}, []string{"DPoP-Nonce"} }), ""},
		"every request header":    {with(func(b *KeyBinding) { b.RequestHeaders = []string{"DPoP", "*"} }), "not the name of a header"},
		"every response header":   {with(func(b *KeyBinding) { b.ResponseHeaders = []string{"*"} }), "not the name of a header"},
		"a header without a name": {with(func(b *KeyBinding) { b.RequestHeaders = []string{""} }), "not the name of a header"},
		"two names in one":        {with(func(b *KeyBinding) { b.ResponseHeaders = []string{"a, b"} }), "not the name of a header"},
		"parameters of Bearer":    {with(func(b *KeyBinding) { b.TokenType = "" }), "require a TokenType"},
		"parameters named Bearer": {with(func(b *KeyBinding) { b.TokenType = "Bearer" }), "require a TokenType"},
	}
	for name, test := range tests {
		err := test.bindings.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}

func TestKeyBindingsConfirm(t *testing.T) {
	proves := func(method, value string, err error) KeyBinding {
		return KeyBinding{Method: method, Confirm: func(http.ResponseWriter, *http.Request, Application) (string, error) { return value, err }}
	}
	gone := Unavailable(errors.New("gone"))
	none, jkt, tls := proves("none", "", nil), proves("jkt", "a", nil), proves("x5t#S256", "b", nil)
	tests := map[string]struct {
		bindings KeyBindings
		want     Confirmation
		code     ErrorCode // empty if there is no error
	}{
		"no bindings": {nil, Confirmation{}, ""},
		"no proof":    {KeyBindings{none}, Confirmation{}, ""},
		"one proof":   {KeyBindings{none, jkt}, Confirmation{"jkt", "a"}, ""},
		"two proofs":  {KeyBindings{tls, none, jkt}, Confirmation{}, InvalidRequest},
		"a failure":   {KeyBindings{jkt, proves("m", "", gone)}, Confirmation{}, TemporarilyUnavailable},
		"a long key":  {KeyBindings{proves("jkt", strings.Repeat("a", 256), nil)}, Confirmation{}, InvalidRequest},
		"no text":     {KeyBindings{proves("jkt", "a\x00", nil)}, Confirmation{}, InvalidRequest},
	}
	for name, test := range tests {
		got, err := test.bindings.Confirm(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil), nil)
		if err == nil && got != test.want || err != nil && CodeOf(err) != test.code || (err == nil) != (test.code == "") {
			t.Errorf("%s: got %q, %v, want %q, %q", name, got, err, test.want, test.code)
		}
	}
}

func TestConfirmationScan(t *testing.T) {
	jkt := Confirmation{Method: "jkt", Value: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	tests := map[string]struct {
		column any
		want   Confirmation
		ok     bool
	}{
		"NULL":               {nil, Confirmation{}, true},
		"text":               {jkt.String(), jkt, true},
		"bytes":              {[]byte(jkt.String()), jkt, true},
		"empty":              {"", jkt, false},
		"no value":           {"jkt", jkt, false},
		"an empty value":     {"jkt ", jkt, false},
		"no method":          {" x", jkt, false},
		"a space":            {"jkt a b", jkt, false},
		"not ASCII":          {"jkt \u00e9", jkt, false},
		"too long":           {"jkt " + strings.Repeat("a", 256), jkt, false},
		"as long as allowed": {"jkt " + strings.Repeat("a", 255), Confirmation{"jkt", strings.Repeat("a", 255)}, true},
		"a number":           {int64(1), jkt, false},
	}
	for name, test := range tests {
		got := jkt
		if err := got.Scan(test.column); (err == nil) != test.ok || got != test.want {
			t.Errorf("%s: got %q, %v, want %q, error: %t", name, got, err, test.want, !test.ok)
		}
	}
	if got := (Confirmation{}).String(); got != "" {
		t.Errorf("String of zero: got %q, want none", got)
	}
}
