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

// checkTexts returns an error if a text of the host's has a key that no page uses or other
// verbs than the English text, or if a template of the host's uses a text that does not exist.
func (c *catalogue) checkTexts(host map[string]Texts, templates hostTemplates) error {
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
			if err := c.checkText(language, key, text, asked[key] != ""); err != nil {
				return err
			}
		}
	}
	for key, name := range asked {
		if _, known := c.own[0][key]; !known && !said[key] {
			return fmt.Errorf("Config.Templates: %s uses the text %q, which no language has", name, key)
		}
	}
	return nil
}

func (c *catalogue) checkText(language, key, text string, asked bool) error {
	english, known := c.own[0][key]
	message, isProblem := strings.CutPrefix(key, "problem.")
	switch {
	case known:
	case isProblem:
		english = message
	case asked, slices.ContainsFunc(openTexts(), func(start string) bool { return strings.HasPrefix(key, start) }):
		return nil
	default:
		return fmt.Errorf("Config.Texts: %s has the text %q, which no page uses", language, key)
	}
	if got, want := textVerb.FindAllString(text, -1), textVerb.FindAllString(english, -1); !slices.Equal(got, want) {
		return fmt.Errorf("Config.Texts: %q has the verbs %q in %s, want %q as in English: %q", key, got, language, want, english)
	}
	return nil
}
