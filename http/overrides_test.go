package oauthhttp_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// TestMistakesInTemplatesAndTexts checks that NewHandler reports mistakes that would
// leave a page unchanged or break it, and says where they are.
func TestMistakesInTemplatesAndTexts(t *testing.T) {
	template := func(name, text string) oauthhttp.Config {
		return oauthhttp.Config{Templates: files(map[string]string{name: text})}
	}
	text := func(language, key, words string) oauthhttp.Config {
		return oauthhttp.Config{Texts: map[string]oauthhttp.Texts{language: {key: words}}}
	}
	tests := map[string]struct {
		config oauthhttp.Config
		want   []string // parts of the error
	}{
		"no such folder":                         {oauthhttp.Config{Templates: os.DirFS(filepath.Join(t.TempDir(), "none"))}, []string{"Config.Templates", "no such file"}},
		"the parent folder":                      {template("templates/consent.html", ""), []string{"Config.Templates", "templates", "fs.Sub"}},
		"an unknown page":                        {template("concent.html", ""), []string{"concent.html", "consent.html"}},
		"the stylesheet":                         {template("oauthkit.css", ""), []string{"oauthkit.css", "head"}},
		"an unknown block":                       {template("parts.html", `{{define "footr"}}x{{end}}`), []string{"parts.html", `"footr"`, "footer"}},
		"the content of every page":              {template("parts.html", `{{define "content"}}x{{end}}`), []string{"parts.html", `"content"`}},
		"the layout in another file":             {template("parts.html", `{{define "layout"}}x{{end}}`), []string{"parts.html", `"layout"`}},
		"a page outside of the block":            {template("consent.html", `<h1>Hello</h1>`), []string{"consent.html", `"content"`}},
		"a layout under another name":            {template("layout.html", `{{define "page"}}x{{end}}`), []string{"layout.html", `"layout"`}},
		"a template with an unknown text":        {template("error.html", `{{define "content"}}{{t "error.cod"}}{{end}}`), []string{"error.html", `"error.cod"`}},
		"syntax in a block":                      {template("parts.html", "\n{{define \"mark\"}}{{if}}{{end}}"), []string{"parts.html:2"}},
		"a field in a block":                     {template("parts.html", "\n{{define \"scopes\"}}{{.Nonsense}}{{end}}"), []string{"parts.html:2", "Nonsense"}},
		"a field in a block that few pages show": {template("parts.html", `{{define "account"}}{{if .SignOutURL}}{{.Nonsense}}{{end}}{{end}}`), []string{"parts.html:1", "Nonsense"}},
		"an unknown key":                         {text("de", "consent.hedding", "x"), []string{`"consent.hedding"`, "de"}},
		"a key that only the library may add":    {text("en", "applications.field.nickname", "x"), []string{`"applications.field.nickname"`, "en"}},
		"an additional verb":                     {text("fr", "consent.heading", "%s demande"), []string{`"consent.heading"`, "fr", "%s"}},
		"a missing verb":                         {text("fr", "applications.previous_secret", "L'ancien reste valable."), []string{`"applications.previous_secret"`, "%s"}},
		"another verb":                           {text("fr", "applications.previous_secret", "Valable %d."), []string{`"applications.previous_secret"`, "%d", "%s"}},
		"another verb in a problem":              {text("fr", "problem.must not be longer than %d bytes", "%s"), []string{"must not be longer", "%d", "fr"}},
		"another verb in the host's problem":     {text("fr", "problem.%d is taken by %s", "pris : %s"), []string{"%d is taken by %s", "fr"}},
		"an invalid language":                    {text("no such language", "consent.heading", "x"), []string{"Config.Texts", "no such language"}},
		"a text in backquotes":                   {template("error.html", "{{define \"content\"}}{{if .Detail}}{{else}}{{t `error.cod`}}{{end}}{{end}}"), []string{"error.html", `"error.cod"`}},
		"a text in parentheses":                  {template("error.html", `{{define "content"}}{{with .Detail}}{{print (t "error.cod")}}{{end}}{{end}}`), []string{"error.html", `"error.cod"`}},
		"a layout that shows an unknown block":   {template("layout.html", `{{define "layout"}}{{template "contents" .}}{{end}}`), []string{"contents"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tryPages(t, test.config)
			for _, want := range append(test.want, "oauthhttp: ") {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("got the error %v, want one that says %s", err, want)
				}
			}
		})
	}
}

// TestTextsOfTheHost adds texts under every kind of key that a host can choose, texts
// with a % that is not a verb, and a template whose own words look like a call of t.
func TestTextsOfTheHost(t *testing.T) {
	page := showConsent(t, oauthhttp.Config{
		Templates: files(map[string]string{"parts.html": `{{define "footer"}}<footer>{{t "gallery.imprint" "Gallery"}}</footer><!-- don't "look" -->{{end}}`}),
		Texts: map[string]oauthhttp.Texts{
			"en": {"gallery.imprint": "By %s", "scope.photos": "see 100% of your photos", "error.reason.closed": "Closed."},
			"de": {
				"gallery.imprint": "Von %s", "applications.field.fields.logo": "Logo", "applications.help.fields.logo": "Eine Adresse.",
				"applications.grant_types.urn:example:swap": "Tausch", "applications.algorithm.ES256": "Die kürzere (ES256)",
				"problem.%q is taken": "%q ist vergeben", "problem.must be ugly": "muss hässlich sein",
			},
		},
	}, "de", "")
	if want := "<footer>Von Gallery</footer>"; !strings.Contains(page.Body.String(), want) {
		t.Errorf("got a page without %s:\n%s", want, page.Body)
	}
}

// TestOwnTemplatesReplaceThemselves replaces each of the library's files by a copy of it,
// because hosts begin with copies.
func TestOwnTemplatesReplaceThemselves(t *testing.T) {
	names, err := fs.Glob(os.DirFS("templates"), "*.html")
	if err != nil || len(names) < 10 {
		t.Fatalf("got %v, %v; want the library's files", names, err)
	}
	copied := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("templates", name))
		if err != nil {
			t.Fatal(err)
		}
		copied[name] = string(text)
	}
	own, hosts := showConsent(t, oauthhttp.Config{}, "de", ""), showConsent(t, oauthhttp.Config{Templates: files(copied)}, "de", "")
	blank := func(page string) string {
		return hiddenInput.ReplaceAllString(strings.Join(strings.Fields(page), " "), "")
	}
	if got, want := blank(hosts.Body.String()), blank(own.Body.String()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
