package oauthhttp

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// Texts are the texts of the pages in one language by key, as in the library's folder
// http/texts. A text must have the fmt verbs of the English text in the same order.
//
// A host can add texts with these keys:
//
//   - scope.NAME for a scope
//   - error.reason.REASON for a reason of an error
//   - applications.field.fields.NAME and applications.help.fields.NAME for the label and
//     the help of a form field of its applications
//   - problem.ENGLISH for a problem with an application, where ENGLISH is the message of
//     the error or the format passed to [oauthkit.Problems.Add]
//   - any key that one of its templates uses
//
// [NewHandler] returns an error for other keys, which no page uses, and for other verbs.
type Texts map[string]string

// The library's languages. English is complete and replaces texts that another language
// lacks.
//
//go:embed texts
var libraryTexts embed.FS

// translator returns the text of a key in one language, formatted with args.
type translator func(key string, args ...any) string

// catalogue holds the texts in every language.
type catalogue struct {
	matcher   language.Matcher
	languages []string // BCP 47 tags; the first one is the default
	texts     []Texts  // by language
	own       []Texts  // without the host's texts
}

// newCatalogue merges the host's texts into those of the library and of extensions. Its
// languages are those of the library and of the host. It returns an error if a language
// is not a BCP 47 tag.
func newCatalogue(own *ownPages, host map[string]Texts) (*catalogue, error) {
	all, names := maps.Clone(own.texts), slices.Clone(own.languages)
	for given, texts := range host {
		tag, err := language.Parse(given)
		if err != nil {
			return nil, fmt.Errorf("Config.Texts: %q is not a language (BCP 47): %w", given, err)
		}
		name := tag.String()
		merged := maps.Clone(all[name])
		if merged == nil {
			merged = Texts{}
		}
		maps.Copy(merged, texts)
		all[name], names = merged, append(names, name)
	}
	c := &catalogue{languages: []string{"en"}}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if name != "en" {
			c.languages = append(c.languages, name)
		}
	}
	var tags []language.Tag
	for _, name := range c.languages {
		tag := language.Make(name)
		tags = append(tags, tag)
		c.texts = append(c.texts, withFallbacks(all, tag))
		c.own = append(c.own, withFallbacks(own.texts, tag))
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// readLibraryTexts returns the library's texts by language.
func readLibraryTexts() (map[string]Texts, error) {
	library := map[string]Texts{}
	files, err := libraryTexts.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		document, err := libraryTexts.ReadFile(path.Join("texts", file.Name()))
		if err != nil {
			return nil, err
		}
		var texts Texts
		if err := json.Unmarshal(document, &texts); err != nil {
			return nil, err
		}
		library[strings.TrimSuffix(file.Name(), ".json")] = texts
	}
	return library, nil
}

// withFallbacks returns the texts in a language. A missing text is taken from the parent
// language, such as German for de-AT, and finally from English.
func withFallbacks(all map[string]Texts, tag language.Tag) Texts {
	if tag.IsRoot() {
		return maps.Clone(all["en"])
	}
	texts := withFallbacks(all, tag.Parent())
	maps.Copy(texts, all[tag.String()])
	return texts
}

// choose returns the index of the language for a request. The ui_locales of the
// application (OpenID Connect Core §3.1.2.1), which knows its user, win over the
// browser's Accept-Language. If uiLocales is empty, they are read from the query.
func (c *catalogue) choose(r *http.Request, uiLocales string) int {
	preferred := joinLanguages(strings.Fields(cmp.Or(uiLocales, queryLocales(r))))
	accepted := r.Header.Get("Accept-Language")
	if len(accepted) > maxLocales {
		accepted = ""
	}
	_, index := language.MatchStrings(c.matcher, preferred, joinLanguages(strings.Split(accepted, ",")))
	return index
}

// joinLanguages joins the first ten valid languages. MatchStrings ignores a list with an
// invalid one.
func joinLanguages(list []string) string {
	list = slices.DeleteFunc(list[:min(len(list), 50)], func(entry string) bool {
		_, _, err := language.ParseAcceptLanguage(entry)
		return err != nil
	})
	return strings.Join(list[:min(len(list), 10)], ",")
}

// maxLocales is the maximum number of bytes of a list of languages.
const maxLocales = 1000

// queryLocales returns ui_locales from the query of a request, or the empty string if
// there is no valid one.
func queryLocales(r *http.Request) string {
	query, err := parseForm(r.URL.RawQuery)
	if uiLocales := query.Get("ui_locales"); err == nil && len(uiLocales) <= maxLocales && wire.IsText(uiLocales) {
		return uiLocales
	}
	return ""
}

// translator returns the template function t for one language. It returns a key that
// has no text unchanged.
func (c *catalogue) translator(index int) translator {
	return func(key string, args ...any) string {
		text, found := c.texts[index][key]
		switch {
		case !found:
			return key
		case len(args) == 0:
			return text
		default:
			return fmt.Sprintf(text, args...)
		}
	}
}

// or returns the text of key, or fallback if there is none.
func (t translator) or(key, fallback string) string {
	if text := t(key); text != key {
		return text
	}
	return fallback
}

// problem returns the message of a problem. The key of its text is "problem." and the
// English message.
func (t translator) problem(problem oauthkit.Problem) string {
	return problem.Text(func(format string, args ...any) string {
		text := t.or("problem."+format, format)
		if len(args) == 0 {
			return text
		}
		return fmt.Sprintf(text, args...)
	})
}

// claim returns the name of a claim about a user in a language. A claim without a text
// has its own name.
func (c *catalogue) claim(index int, claim string) string {
	name, language, tagged := strings.Cut(claim, "#")
	text, found := c.texts[index]["claim."+name]
	switch {
	case !found:
		return claim
	case tagged:
		return text + " (" + language + ")"
	default:
		return text
	}
}

// scope returns the description of a scope in a language. A text of the host wins
// over description, which the provider's scopes give. If that is the library's
// English text for a scope of OpenID Connect, the library's text in the language is
// returned.
func (c *catalogue) scope(index int, name, description string) string {
	key := "scope." + name
	text, found := c.texts[index][key]
	isHosts := found && text != c.own[index][key]
	if isHosts || found && description == c.own[0][key] {
		return text
	}
	return description
}
