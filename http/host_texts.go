package oauthhttp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// openTexts are what keys begin with whose end is a name that a host may add: of a scope, a reason, a field of its applications, a
// grant type, or a value that an application of another program has.
func openTexts() []string {
	return []string{
		"scope.", "problem.", "error.reason.", "applications.field.fields.", "applications.help.fields.",
		"applications.grant_types.", "applications.token_endpoint_auth_method.", "applications.algorithm.",
	}
}

// askedText finds the texts that a template asks for by their whole key, and textVerb the verbs in a text.
var (
	askedText = regexp.MustCompile(`\bt\s+"([^"]+)"`)
	textVerb  = regexp.MustCompile(`%[-+#.0-9]*[bcdefgopqstvx]`)
)

// checkTexts panics at a text of the host's under a key that nothing asks for, at one with other verbs than the English one, and at
// a template of the host's that asks for a text which nobody has.
func (c *catalogue) checkTexts(host map[string]Texts, templates hostTemplates) {
	asked := map[string]string{} // the file, by key
	for name, text := range templates {
		for _, found := range askedText.FindAllStringSubmatch(text, -1) {
			asked[found[1]] = name
		}
	}
	said := map[string]bool{}
	for language, texts := range host {
		for key, text := range texts {
			said[key] = true
			c.checkText(language, key, text, asked[key] != "")
		}
	}
	for key, name := range asked {
		if _, known := c.own[0][key]; !known && !said[key] {
			panic(fmt.Sprintf("oauthhttp: Config.Templates: %s asks for the text %q, which is in no language", name, key))
		}
	}
}

func (c *catalogue) checkText(language, key, text string, asked bool) {
	english, known := c.own[0][key]
	message, isProblem := strings.CutPrefix(key, "problem.")
	switch {
	case known:
	case isProblem:
		english = message
	case asked, slices.ContainsFunc(openTexts(), func(start string) bool { return strings.HasPrefix(key, start) }):
		return
	default:
		panic(fmt.Sprintf("oauthhttp: Config.Texts: no page asks for %q, which is in %s", key, language))
	}
	if got, want := textVerb.FindAllString(text, -1), textVerb.FindAllString(english, -1); !slices.Equal(got, want) {
		panic(fmt.Sprintf("oauthhttp: Config.Texts: %q has the verbs %q in %s, want %q as in English: %q", key, got, language, want, english))
	}
}
