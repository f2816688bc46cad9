package oauthkit

import (
	"strings"
	"testing"
)

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
