package oauthhttp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestB15_ReturnPath(t *testing.T) {
	tests := map[string]string{ // the return path by next
		"/o/consent?interaction=oin_x":  "/o/consent?interaction=oin_x",
		"/":                             "/",
		"/a%20b":                        "/a%20b",
		"":                              "/",
		"o/consent":                     "/",
		"//evil.test":                   "/",
		"///evil.test":                  "/",
		"/\\evil.test":                  "/",
		"\\\\evil.test":                 "/",
		"/%5cevil.test":                 "/",
		"/%2fevil.test":                 "/",
		"/%2f%2fevil.test":              "/",
		"https://evil.test":             "/",
		"https:evil.test":               "/",
		"javascript:1":                  "/",
		"/\tevil.test":                  "/",
		"/%09/evil.test":                "/",
		"/\r\nSet-Cookie: a=b":          "/",
		"/?a\x00b":                      "/",
		"/" + strings.Repeat("a", 9000): "/",
	}
	for next, want := range tests {
		get := httptest.NewRequest(http.MethodGet, "/login?"+url.Values{"next": {next}}.Encode(), nil)
		if got := ReturnPath(get); got != want {
			t.Errorf("GET %.40q: got %q, want %q", next, got, want)
		}
		post := httptest.NewRequest(http.MethodPost, "/login?next=/query", strings.NewReader(url.Values{"next": {next}}.Encode()))
		post.Header.Set("Content-Type", formType)
		if got := ReturnPath(post); got != want {
			t.Errorf("POST %.40q: got %q, want %q", next, got, want)
		}
	}
}

// FuzzReturnPath resolves accepted paths like a browser. They must stay on the site.
func FuzzReturnPath(f *testing.F) {
	for _, seed := range []string{"/", "//", "/a?b#c", "//x", "/\\x", "/%2f", "/.//x", "/..//x", "http:x"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "as.test", Path: "/login"}
	f.Fuzz(func(t *testing.T, next string) {
		if !isLocalPath(next) {
			return
		}
		resolved, err := base.Parse(next)
		if err != nil || resolved.Host != "as.test" || resolved.Scheme != "https" {
			t.Errorf("%q resolves to %v (%v), want a URL of this site", next, resolved, err)
		}
		if strings.ContainsAny(next, "\\\t\r\n") || len(next) > 1 && (next[1] == '/' || next[1] == '\\') {
			t.Errorf("%q was accepted, but is another host to some browsers", next)
		}
	})
}
