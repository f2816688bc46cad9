package oauthhttp

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

func basic(userinfo string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(userinfo))}}
}

func TestReadClientClaim(t *testing.T) {
	good := basic("web:secret")
	tests := map[string]struct {
		header http.Header
		form   url.Values
		want   clientClaim
		code   oauthkit.ErrorCode // the error; if empty, the claim is accepted
	}{
		"basic":                    {header: good, want: clientClaim{"web", "secret", "client_secret_basic"}},
		"basic, same client_id":    {header: good, form: url.Values{"client_id": {"web"}}, want: clientClaim{"web", "secret", "client_secret_basic"}},
		"T-10 form-encoded":        {header: basic("1PpG%2FQ+1:z%2FtZ9V%3AX2%2F8b%2Bw%3D"), want: clientClaim{"1PpG/Q 1", "z/tZ9V:X2/8b+w=", "client_secret_basic"}},
		"T-11 lower case":          {header: http.Header{"Authorization": {strings.Replace(good.Get("Authorization"), "Basic", "basic", 1)}}, want: clientClaim{"web", "secret", "client_secret_basic"}},
		"post":                     {form: url.Values{"client_id": {"web"}, "client_secret": {"s"}}, want: clientClaim{"web", "s", "client_secret_post"}},
		"none":                     {form: url.Values{"client_id": {"spa"}}, want: clientClaim{"spa", "", "none"}},
		"nothing":                  {code: oauthkit.InvalidClient},
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
		"T-12 two headers":         {header: http.Header{"Authorization": {good.Get("Authorization"), "Bearer x"}}, code: oauthkit.InvalidRequest},
		"T-13 basic and post":      {header: good, form: url.Values{"client_secret": {""}}, code: oauthkit.InvalidRequest},
		"T-13 basic and assertion": {header: good, form: url.Values{"client_assertion": {"x"}}, code: oauthkit.InvalidRequest},
		"T-13 post and assertion":  {form: url.Values{"client_id": {"web"}, "client_secret": {"s"}, "client_assertion": {"x"}}, code: oauthkit.InvalidRequest},
		"T-14 other client_id":     {header: good, form: url.Values{"client_id": {"evil"}}, code: oauthkit.InvalidRequest},
		"assertion, not supported": {form: url.Values{"client_id": {"web"}, "client_assertion": {"x"}}, code: oauthkit.InvalidClient},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readClientClaim(test.header, test.form)
			if test.code != "" {
				if err == nil || oauthkit.CodeOf(err) != test.code {
					t.Fatalf("got %+v, %v; want %s", got, err, test.code)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

// FuzzBasic checks that decodeBasic reads only credentials that a client encodes by
// RFC 6749 §2.3.1, and reads them unchanged.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"web:secret", "1PpG%2FQ+1:z%2FtZ9V%3AX2%2F8b%2Bw%3D", "web", ":", "a:b:c", "%00:x", "%:x", "\xff:x"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(seed)))
	}
	f.Add("d2Vi\nOnNlY3JldA==")
	f.Add(" ")
	f.Fuzz(func(t *testing.T, encoded string) {
		id, password, ok := decodeBasic(encoded)
		if !ok {
			return
		}
		if id == "" || !wire.IsText(id) || !wire.IsText(password) {
			t.Fatalf("accepted %q and %q", id, password)
		}
		again := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(password)))
		if id2, password2, ok := decodeBasic(again); !ok || id2 != id || password2 != password {
			t.Errorf("wrote %q and %q, read %q and %q", id, password, id2, password2)
		}
	})
}
