package oauthhttp_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func readTexts(t *testing.T, language string) oauthhttp.Texts {
	t.Helper()
	document, err := os.ReadFile("texts/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var texts oauthhttp.Texts
	if err := json.Unmarshal(document, &texts); err != nil {
		t.Fatalf("texts/%s.json: %v", language, err)
	}
	return texts
}

var verb = regexp.MustCompile(`%[^ ]`)

// TestTextsAreComplete checks that each language has the keys of English, and that
// each text has the same verbs.
func TestTextsAreComplete(t *testing.T) {
	english := readTexts(t, "en")
	names, err := filepath.Glob("texts/*.json")
	if err != nil || len(names) < 2 {
		t.Fatalf("got %v, %v; want English and another language", names, err)
	}
	for _, name := range names {
		texts := readTexts(t, strings.TrimSuffix(filepath.Base(name), ".json"))
		if got, want := slices.Sorted(maps.Keys(texts)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s: got the keys\n%q, want\n%q", name, got, want)
		}
		for key, text := range texts {
			if got, want := verb.FindAllString(text, -1), verb.FindAllString(english[key], -1); text == "" || !slices.Equal(got, want) {
				t.Errorf("%s: %s is %q, want a text with the verbs %q", name, key, text, want)
			}
		}
	}
}

// used matches the keys that a template or Go code uses as constants.
var used = regexp.MustCompile(`"((?:account|consent|error|form_post|signout)\.[a-z_.]*[a-z])"`)

// TestTextsAreUsed checks that each key that a page uses exists, since a missing one
// would be shown as is, and that no key is unused.
func TestTextsAreUsed(t *testing.T) {
	english, asked := readTexts(t, "en"), map[string]bool{}
	templates, _ := filepath.Glob("templates/*.html")
	code, _ := filepath.Glob("*.go")
	for _, name := range append(templates, code...) {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, match := range used.FindAllStringSubmatch(string(source), -1) {
			asked[match[1]] = true
			if english[match[1]] == "" {
				t.Errorf("%s: got a text %s that does not exist", name, match[1])
			}
		}
	}
	for key := range english {
		if used.MatchString(`"`+key+`"`) && !strings.HasPrefix(key, reasonText) && !asked[key] {
			t.Errorf("got a text %s that no page uses", key)
		}
	}
}

// TestLibraryScopes checks which scopes the library adds, and that their English texts
// equal their descriptions. offline_access exists with refresh tokens too, without
// package oidc.
func TestLibraryScopes(t *testing.T) {
	store := memstore.New()
	openID := func() []oauthkit.Extension { return []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})} }
	english := readTexts(t, "en")
	for _, test := range []struct {
		config oauthkit.Config
		want   int
	}{
		{oauthkit.Config{Extensions: openID()}, 6},
		{oauthkit.Config{Extensions: openID(), Grants: grants.Standard(store)}, 6},
		{oauthkit.Config{Grants: grants.Standard(store)}, 1},
		{oauthkit.Config{}, 0},
	} {
		provider, err := oauthkit.New("https://as.test/o", store, test.config)
		if err != nil {
			t.Fatal(err)
		}
		scopes, err := provider.ScopeTexts(t.Context())
		if err != nil || len(scopes) != test.want {
			t.Fatalf("got %v, %v; want %d scopes", scopes, err, test.want)
		}
		for name, words := range scopes {
			if english["scope."+name] != words {
				t.Errorf("%s: got %q in texts/en.json, want %q", name, english["scope."+name], words)
			}
		}
	}
}

// TestLanguage opens the consent page with languages of the application and of the
// browser.
func TestLanguage(t *testing.T) {
	const english, german, french = "An application asks for access", "Eine Anwendung bittet um Zugriff", "Une application demande un accès"
	host := map[string]oauthhttp.Texts{
		"fr":    {"consent.heading": french, "scope.read": "lire vos messages"},
		"en":    {"consent.allow": "Go ahead"},
		"pt-br": {"consent.heading": "Um aplicativo"},
		"de-CH": {"consent.allow": "Gestatten"},
	}
	tests := []struct {
		name, uiLocales, accepted string
		language                  string
		want                      []string
	}{
		{"nothing said", "", "", "en", []string{english, "Go ahead", "read your messages", "sign you in"}},
		{"the browser's", "", "de-AT,en;q=0.5", "de", []string{german, "Erlauben", "read your messages", "Sie anmelden"}},
		{"the application's before the browser's", "de", "en-US,en", "de", []string{german}},
		{"the application's English before the browser's", "en", "de", "en", []string{english}},
		{"the first of the application's that there is", "ja fr de", "", "fr", []string{french}},
		{"the browser's where the application's is unknown", "ja", "de", "de", []string{german}},
		{"a language of the host's, English where it has no words", "fr-CA", "", "fr", []string{french, "Go ahead", "lire vos messages", "sign you in"}},
		{"a regional one", "", "pt-BR", "pt-BR", []string{"Um aplicativo"}},
		{"a regional one of the library's", "de-CH", "", "de-CH", []string{german, "Gestatten", "Sie anmelden"}},
		{"unknown ones before the application's", "xx de", "", "de", []string{german}},
		{"unknown ones before the browser's", "", "xx;q=0.9, zz-ZZ, de-DE;q=0.8", "de", []string{german}},
		{"unknown", "ja", "xx, zz;q=0.1", "en", []string{english}},
		{"no languages", "<script> ../de %s", "\"><script>", "en", []string{english}},
		{"far too many", strings.Repeat("xx ", 5000), strings.Repeat("de,", 5000), "en", []string{english}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := showConsent(t, oauthhttp.Config{Texts: host}, test.uiLocales, test.accepted)
			if got := page.Header().Get("Content-Language"); got != test.language || !strings.Contains(page.Body.String(), `<html lang="`+test.language+`">`) {
				t.Errorf("got a page in %s, want %s", got, test.language)
			}
			for _, want := range test.want {
				if !strings.Contains(page.Body.String(), want) {
					t.Errorf("got a page without %q:\n%s", want, page.Body)
				}
			}
		})
	}
}

// TestLanguageOfTheQuery checks that ui_locales in the query wins over
// Accept-Language if it is valid.
func TestLanguageOfTheQuery(t *testing.T) {
	l := newLeaving(t, "https://as.test/o")
	for _, path := range []string{"/o/authorize", "/o/logout", "/o/applications/", "/o/applications/register/", "/o/authorized_tokens/", "/o/none"} {
		for uiLocales, want := range map[string]string{
			"de": "de", "fr de-AT en": "de", "": "en", "xx": "en", "de " + strings.Repeat("x", 1000): "en", "de\x00": "en",
		} {
			l.language = "en-GB"
			recorder := httptest.NewRecorder()
			l.handler.ServeHTTP(recorder, l.sent(http.MethodGet, path+"?"+url.Values{"ui_locales": {uiLocales}}.Encode(), nil))
			if got := recorder.Header().Get("Content-Language"); got != want || !strings.Contains(recorder.Body.String(), `<html lang="`+want+`">`) {
				t.Errorf("%s for %.20q: got a page in %q, want %q", path, uiLocales, got, want)
			}
		}
	}
}

// TestLanguageOfTheLoginPage checks that the host's login page gets the request's
// ui_locales, unless there are none or too many.
func TestLanguageOfTheLoginPage(t *testing.T) {
	m := newManaged(t)
	m.add("printer", nil)
	m.user = nil
	authorize := "/o/authorize?client_id=printer&redirect_uri=https://printer.test/cb&response_type=code&code_challenge_method=S256&code_challenge=" + challenge
	for _, path := range []string{authorize, "/o/applications/?after=x"} {
		for _, uiLocales := range []string{"de", "fr-CA fr en", "", strings.Repeat("de ", 400)} {
			want := uiLocales
			if len(uiLocales) > 1000 {
				want = ""
			}
			location := m.do(http.StatusSeeOther, http.MethodGet, path+"&"+url.Values{"ui_locales": {uiLocales}}.Encode(), "", "").Header().Get("Location")
			login, err := url.Parse(location)
			if err != nil || login.Path != "/login" || login.Query().Get("next") == "" {
				t.Fatalf("got %s, %v; want the login page", location, err)
			}
			if got := login.Query().Get("ui_locales"); got != want || login.Query().Has("ui_locales") != (want != "") {
				t.Errorf("%.20s for %.20q: got %q, want %q", path, uiLocales, got, want)
			}
		}
	}
}

// TestScopeTexts checks that the host's texts for a scope win over the library's, in
// both places where the host can define them.
func TestScopeTexts(t *testing.T) {
	page := showConsent(t, oauthhttp.Config{Texts: map[string]oauthhttp.Texts{"de": {"scope.openid": "wissen, wer Sie sind"}}}, "de", "")
	if !strings.Contains(page.Body.String(), "wissen, wer Sie sind") {
		t.Errorf("got a page without the host's text:\n%s", page.Body)
	}
	page = showConsent(t, oauthhttp.Config{}, "de", "", func(config *oauthkit.Config) {
		config.Scopes = oauthkit.StaticScopes{"read": "read", "openid": "know you"}
	})
	if body := page.Body.String(); !strings.Contains(body, "know you") || strings.Contains(body, "Sie anmelden") {
		t.Errorf("got a page without the descriptions of the host's scopes:\n%s", body)
	}
}

func TestUnknownLanguage(t *testing.T) {
	if _, err := tryPages(t, oauthhttp.Config{Texts: map[string]oauthhttp.Texts{"no such language": {}}}); err == nil {
		t.Error("got a handler with an invalid language, want an error")
	}
}
