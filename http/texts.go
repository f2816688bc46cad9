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

// Texts are the words of the pages in one language, by their key, as in the library's folder http/texts. A text may have verbs of
// package fmt for what is put into it: those of the English one, in the same order.
//
// What a host adds has keys as well: a scope scope.NAME, a reason error.reason.REASON, a field of its applications
// applications.field.fields.NAME and applications.help.fields.NAME, and what it finds wrong with one problem.ENGLISH, where ENGLISH
// is the message of the error or the format that was given to [oauthkit.Problems.Add]. What one of its templates asks for may have
// any key. [NewHandler] returns an error for other keys, which no page uses, and for other verbs.
type Texts map[string]string

// The library's own languages. English is complete, and stands in where another language has no words.
//
//go:embed texts
var ownTexts embed.FS

// words returns a text in one language, with args put into it.
type words func(key string, args ...any) string

// catalogue is the words in every language.
type catalogue struct {
	matcher   language.Matcher
	languages []string // BCP 47; the first one is the default
	texts     []Texts
	own       []Texts // without the host's words
}

// newCatalogue adds the host's words to the library's own, by language. It returns an error
// if a language is not a BCP 47 tag.
func newCatalogue(host map[string]Texts) (*catalogue, error) {
	own, err := readOwnTexts()
	if err != nil {
		return nil, err
	}
	words := maps.Clone(own)
	for given, texts := range host {
		tag, err := language.Parse(given)
		if err != nil {
			return nil, fmt.Errorf("Config.Texts: %q is not a language (BCP 47): %w", given, err)
		}
		name := tag.String()
		merged := maps.Clone(words[name])
		if merged == nil {
			merged = Texts{}
		}
		maps.Copy(merged, texts)
		words[name] = merged
	}
	c := &catalogue{languages: []string{"en"}}
	for _, name := range slices.Sorted(maps.Keys(words)) {
		if name != "en" {
			c.languages = append(c.languages, name)
		}
	}
	var tags []language.Tag
	for _, name := range c.languages {
		tag := language.Make(name)
		tags = append(tags, tag)
		c.texts = append(c.texts, completed(words, tag))
		c.own = append(c.own, completed(own, tag))
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// readOwnTexts returns the library's own words by language.
func readOwnTexts() (map[string]Texts, error) {
	own := map[string]Texts{}
	files, err := ownTexts.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		document, err := ownTexts.ReadFile(path.Join("texts", file.Name()))
		if err != nil {
			return nil, err
		}
		var texts Texts
		if err := json.Unmarshal(document, &texts); err != nil {
			return nil, err
		}
		own[strings.TrimSuffix(file.Name(), ".json")] = texts
	}
	return own, nil
}

// completed returns the words in a language. What it lacks is in the language that it is a kind of, as German for de-AT, or else in
// English.
func completed(words map[string]Texts, tag language.Tag) Texts {
	if tag.IsRoot() {
		return maps.Clone(words["en"])
	}
	complete := completed(words, tag.Parent())
	maps.Copy(complete, words[tag.String()])
	return complete
}

// choose returns the index of the language for a request: ui_locales of the application that sent the browser (OpenID Connect
// Core §3.1.2.1), which knows its user, and which is in the query where no request was kept; before the browser's Accept-Language.
func (c *catalogue) choose(r *http.Request, uiLocales string) int {
	wishes := known(strings.Fields(cmp.Or(uiLocales, askedLocales(r))))
	accepted := r.Header.Get("Accept-Language")
	if len(accepted) > maxLocales {
		accepted = ""
	}
	_, index := language.MatchStrings(c.matcher, wishes, known(strings.Split(accepted, ",")))
	return index
}

// known joins the first ten languages that exist: a list with one that does not would be refused as a whole.
func known(wishes []string) string {
	wishes = slices.DeleteFunc(wishes[:min(len(wishes), 50)], func(wish string) bool {
		_, _, err := language.ParseAcceptLanguage(wish)
		return err != nil
	})
	return strings.Join(wishes[:min(len(wishes), 10)], ",")
}

// maxLocales is the number of bytes of a list of languages that is read.
const maxLocales = 1000

// askedLocales is ui_locales in the query of a request; empty: there is none that anybody would read.
func askedLocales(r *http.Request) string {
	query, err := parseForm(r.URL.RawQuery)
	if uiLocales := query.Get("ui_locales"); err == nil && len(uiLocales) <= maxLocales && wire.IsText(uiLocales) {
		return uiLocales
	}
	return ""
}

// text returns the function t of the templates in one language. A key without words is shown as it is.
func (c *catalogue) text(index int) words {
	return func(key string, args ...any) string {
		words, known := c.texts[index][key]
		switch {
		case !known:
			return key
		case len(args) == 0:
			return words
		default:
			return fmt.Sprintf(words, args...)
		}
	}
}

// or returns a text, and in other words what has none.
func (t words) or(key, otherwise string) string {
	if text := t(key); text != key {
		return text
	}
	return otherwise
}

// problem returns what is wrong, as far as there are texts for it. The key of one is the English after problem.
func (t words) problem(problem oauthkit.Problem) string {
	return problem.Text(func(format string, args ...any) string {
		text := t.or("problem."+format, format)
		if len(args) == 0 {
			return text
		}
		return fmt.Sprintf(text, args...)
	})
}

// scope returns what a scope means in a language: in the host's text for it, or else as the provider's scopes describe it. Where
// they have nothing but the library's own English for a scope of OpenID Connect, its words in that language stand in.
func (c *catalogue) scope(index int, name, description string) string {
	key := "scope." + name
	words, known := c.texts[index][key]
	hosts := known && words != c.own[index][key]
	if hosts || known && description == c.own[0][key] {
		return words
	}
	return description
}
