package oauthhttp

import (
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/oauthkit/oauthkit"
)

// This file adds the pages of extensions to the library's.

// PageExtension is an extension with pages in the library's design. A
// [oauthkit.Grant] that is an extension can be one too. Its endpoints write the pages
// with [Handler.WritePage], and hosts can replace them like the library's.
type PageExtension interface {
	oauthkit.Extension
	// Pages returns the pages. NewHandler calls it once.
	Pages() Pages
}

// Pages are the pages of an extension. [NewHandler] returns an error if one of them
// cannot be parsed or rendered, has the name of another page, or uses a text that has no
// English.
type Pages struct {
	// Templates has one file NAME.html for each page, which defines the block content.
	// It can use the blocks of the library's parts.html, and the function t for texts.
	// Begin the names with that of the extension. Folders are ignored. It may be nil.
	Templates fs.FS
	// Texts are the texts by BCP 47 tag and key. Each key must have an English text,
	// except those of scopes, reasons and problems (see [Texts]), and be new. A language
	// is used only if the library or the host has it. It may be nil.
	Texts map[string]Texts
	// Samples are data for each page by its name, at least one. Every page is rendered
	// with its samples at the start, so together they must reach every branch of the
	// template.
	Samples map[string][]PageContent
}

// add adds the pages of an extension.
func (own *ownPages) add(pages Pages) error {
	if err := own.addTexts(pages.Texts); err != nil {
		return err
	}
	var files []string
	if pages.Templates != nil {
		var err error
		if files, err = fs.Glob(pages.Templates, "*.html"); err != nil {
			return err
		}
	}
	for name := range pages.Samples {
		if !slices.Contains(files, name+".html") {
			return fmt.Errorf("the sample %q has no template %s.html (pass fs.Sub of the folder with the templates)", name, name)
		}
	}
	for _, file := range files {
		if err := own.addPage(pages, strings.TrimSuffix(file, ".html")); err != nil {
			return err
		}
	}
	return nil
}

// addPage adds one page of an extension.
func (own *ownPages) addPage(pages Pages, name string) error {
	file, samples := name+".html", pages.Samples[name]
	if own.files[file] != nil {
		return fmt.Errorf("the page %s exists already", file)
	}
	if len(samples) == 0 || slices.ContainsFunc(samples, isNilContent) {
		return fmt.Errorf("the page %s has no sample", file)
	}
	parsed, err := readTemplate(pages.Templates, file)
	if err != nil {
		return err
	}
	if !slices.Contains(parsed.defined, "content") {
		return fmt.Errorf("%s does not define the block %q", file, "content")
	}
	for _, key := range parsed.texts {
		if _, found := own.texts["en"][key]; !found {
			return fmt.Errorf("%s uses the text %q, which has no English", file, key)
		}
	}
	own.files[file], own.samples[name] = parsed, samples
	return nil
}

// isNilContent reports whether content has no [Page], like a nil pointer.
func isNilContent(content PageContent) bool {
	value := reflect.ValueOf(content)
	return !value.IsValid() || value.Kind() == reflect.Pointer && value.IsNil() || content.page() == nil
}

// addTexts adds the texts of an extension.
func (own *ownPages) addTexts(added map[string]Texts) error {
	texts := map[string]Texts{} // by canonical tag
	for given, words := range added {
		tag, err := language.Parse(given)
		if err != nil {
			return fmt.Errorf("%q is not a language (BCP 47): %w", given, err)
		}
		texts[tag.String()] = words
	}
	for language, words := range texts {
		for key, text := range words {
			if _, taken := own.texts[language][key]; taken || own.texts["en"][key] != "" {
				return fmt.Errorf("the text %q exists already", key)
			}
			english, found := englishOf(key, texts["en"])
			if !found && !isOpenText(key) {
				return fmt.Errorf("the text %q has no English", key)
			}
			if err := checkVerbs(language, key, text, english); found && err != nil {
				return err
			}
		}
	}
	own.merge(texts)
	return nil
}

// merge adds texts by language.
func (own *ownPages) merge(texts map[string]Texts) {
	for language, words := range texts {
		merged := maps.Clone(own.texts[language])
		if merged == nil {
			merged = Texts{}
		}
		maps.Copy(merged, words)
		own.texts[language] = merged
	}
}
