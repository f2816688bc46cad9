package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRegistrationText tests the text in a registration.
func TestRegistrationText(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "N-05 ambiguous JSON", Test: ambiguousJSON},
		{Name: "N-12 misleading names", Test: spoofedNames},
	})
}

// ambiguousJSON sends JSON that programs read differently and encoding/json alone
// would accept (RFC 8259 §4, §8.1).
func ambiguousJSON(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	refused := map[string]string{
		"another case":                    registration(`"Redirect_URIs":["https://evil.test/cb"]`),
		"another case alone":              strings.Replace(registration(""), `"name"`, `"NAME"`, 1),
		"a long s, which folds to s":      registration(`"redirect_uri` + "\u017f" + `":["https://evil.test/cb"]`),
		"an escaped long s":               registration(`"redirect_uri\u017f":["https://evil.test/cb"]`),
		"a Kelvin sign, which folds to k": registration(`"fields":{},"fieldſ":{}`),
		"twice":                           registration(`"redirect_uris":["https://evil.test/cb"]`),
		"twice, one escaped":              registration(`"redirect_\u0075ris":["https://evil.test/cb"]`),
		"twice, not known":                registration(`"x":1,"x":2`),
		"twice, further in":               registration(`"fields":{"logo":"a","logo":"b"}`),
		"trailing data":                   registration("") + registration(""),
		"a trailing bracket":              registration("") + "}",
		"a byte order mark":               "\ufeff" + registration(""),
		"a raw NUL":                       registration("\"x\x00\":1"),
		"not UTF-8":                       registration("\"x\":\"\xff\""),
		"UTF-16":                          "\xfe\xff\x00{\x00}",
		"depth 10000":                     registration(`"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)),
		"depth 10000, objects":            registration(`"x":` + strings.Repeat(`{"x":`, 10_000) + "1" + strings.Repeat("}", 10_000)),
		"a comment":                       "/**/" + registration(""),
		"a trailing comma":                strings.TrimSuffix(registration(""), "}") + ",}",
		"single quotes":                   strings.ReplaceAll(registration(""), `"`, `'`),
		"null":                            "null", "a list": "[]", "a string": `"x"`, "a number": "1", "nothing": "", "blanks": "  ",
		"NaN": registration(`"x":NaN`),
	}
	id, _ := registerJSON(t, s, alice, registration(""))
	s.Store.ClearCalls()
	for name, document := range refused {
		for _, act := range [][2]string{{http.MethodPost, "/o/api/applications"}, {http.MethodPut, "/o/api/applications/" + id}} {
			if got := sendJSON(alice, act[0], act[1], document); got.Status != http.StatusBadRequest || got.Members()["error"] != "invalid_request" {
				t.Errorf("%s, %s: got %d %s, want 400 invalid_request", name, act[0], got.Status, got.Body)
			}
		}
	}
	for _, document := range []string{`null`, `{"x":1,"x":2}`, `{}{}`} {
		sendJSON(alice, http.MethodPost, "/o/api/applications/"+id+"/secret", document).ErrorJSON(400, "invalid_request")
	}
	sendJSON(alice, http.MethodPost, "/o/api/applications", registration(`"x":"`+strings.Repeat("x", 64<<10)+`"`)).ErrorJSON(413, "invalid_request")
	for _, mediaType := range []string{"", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "application/json, text/plain"} {
		request := managedRoute{http.MethodPost, "/o/api/applications", mediaType, registration("")}.request("")
		alice.Do(request).ErrorJSON(415, "invalid_request")
	}
	for _, text := range []string{`\u0000`, `a\u0000b`, `\ud800`} { // a name is printable text
		document := strings.Replace(registration(""), `"Mine"`, `"`+text+`"`, 1)
		sendJSON(alice, http.MethodPost, "/o/api/applications", document).ErrorJSON(422, "invalid_request")
	}
	checkUnchanged(t, s)
	// Unknown members are ignored.
	registerJSON(t, s, alice, registration(`"x\u0000":1,"X":2,"deep":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)))
}

// spoofedNames sends names that look different on the consent page (Unicode TR 36).
func spoofedNames(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	refused := []string{
		"elgoo\u202eG", "Goo\u202dgle", "\u2066Google\u2069", "\u200fGoogle", "\u061cGoogle", // reversed
		// Invisible characters.
		"Goo\u200bgle", "Goo\u200dgle", "Goo\u200cgle", "Goo\u2060gle", "\ufeffGoogle", "Goo\u00adgle", "Goo\u034fgle", "Goo\u3164gle", "Goo\U000e0067gle",
		// Control characters.
		"Goo\x1bgle", "Goo\x7fgle", "Goo\u0085gle", "Goo\ngle", "Goo\rgle", "Goo\tgle", "Goo\u2028gle", "Goo\u2029gle", "Goo\ufffdgle",
		"\u3000\u2003", "\u2800", "\U0001d159", "\u0301", "\ufe0f", "\U000e0101", "\u3164", // blank
		strings.Repeat("x", 101), strings.Repeat("é", 101), strings.Repeat("x", 10<<10),
	}
	for _, name := range refused {
		document := strings.Replace(registration(""), "Mine", strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\u001b`).Replace(name), 1)
		sendJSON(alice, http.MethodPost, "/o/api/applications", document).ErrorJSON(422, "invalid_request")
		form := url.Values{"name": {name}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb"}}
		if strings.TrimSpace(name) != "" { // the page trims spaces, so the name is empty
			if got := submit(alice, "/o/applications/register/", form); got.Status != http.StatusUnprocessableEntity {
				t.Errorf("%.40q: got %d, want the form again", name, got.Status)
			}
		}
		app := &oauthkit.AbstractApplication{ClientID: oauthkit.NewClientID(), Name: name, ClientType: oauthkit.Public}
		if _, err := s.Register(app); err == nil {
			t.Errorf("%.40q: got no error in Go, want one as well", name)
		}
	}
	checkUnchanged(t, s)
	for _, name := range []string{
		"Google", `<b>Google</b><script>alert(1)</script>`, `"><img src=x>`, "{{.}}", "", strings.Repeat("é", 100), "Фото", "照片", "صور", "می\u200cخواهم", "👩\u200d💻 Photos", "Photos ✈\ufe0f",
	} {
		id, _ := registerJSON(t, s, alice, strings.Replace(registration(""), "Mine", strings.ReplaceAll(name, `"`, `\"`), 1))
		client := s.AddUnchecked(storedApplication(t, s, id))
		page := s.Browser("bob").Open(client.AuthorizeRequest()).Consent()
		if shown := textOf(t, page); !strings.Contains(shown, "Unverified") || !strings.Contains(shown, "mine.test") || !strings.Contains(shown, name) {
			t.Errorf("%q: got a page without the unchanged name, the note that it is unverified, or the redirect URI:\n%s", name, shown)
		}
		if strings.Contains(page.Body, "<b>") || strings.Contains(page.Body, "<script") || strings.Contains(page.Body, "<img") {
			t.Errorf("%q: got the name as markup, want text:\n%s", name, page.Body)
		}
	}
}
