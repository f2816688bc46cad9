package oauthhttp

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/oauthkit/oauthkit"
)

//go:embed templates
var templates embed.FS

// pages holds the template of every page in every language.
type pages struct {
	catalogue *catalogue
	byName    []map[string]*template.Template // by language
}

// newPages parses every page and renders it in every language with sample data, so that a
// mistake in a template is found before a user sees the page.
func newPages(config Config, extensions []oauthkit.Extension) (*pages, error) {
	own, err := newOwnPages(extensions)
	if err != nil {
		return nil, err
	}
	host, err := readHostTemplates(config.Templates, own)
	if err != nil {
		return nil, err
	}
	catalogue, err := newCatalogue(own, config.Texts)
	if err != nil {
		return nil, err
	}
	if err := catalogue.checkOverrides(config.Texts, host); err != nil {
		return nil, err
	}
	p := &pages{catalogue: catalogue}
	for range catalogue.languages {
		p.byName = append(p.byName, map[string]*template.Template{})
	}
	for name, samples := range own.samples {
		if err := p.add(host, own, name, samples); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add parses one page and renders its samples in every language.
func (p *pages) add(host hostTemplates, own *ownPages, name string, samples []PageContent) error {
	page, err := parsePage(host, own, name+".html")
	if err != nil {
		return err
	}
	for index, language := range p.catalogue.languages {
		translated, err := page.Clone()
		if err != nil {
			return err
		}
		translated.Funcs(template.FuncMap{"t": p.catalogue.translator(index)})
		for _, sample := range samples {
			if err := translated.ExecuteTemplate(io.Discard, "layout", sample); err != nil {
				return fmt.Errorf("rendering the page %s in %s: %w", name, language, err)
			}
		}
		p.byName[index][name] = translated
	}
	return nil
}

// parsePage combines a page from the layout, the blocks of parts.html and the page's
// own file. The host's layout and page replace the library's and those of extensions.
// The host's parts.html is parsed last, so that each block in it replaces an earlier
// block of that name and the other blocks stay.
func parsePage(host hostTemplates, own *ownPages, file string) (*template.Template, error) {
	page := template.New("page").Funcs(template.FuncMap{"t": fmt.Sprint}) // a placeholder until the language is known
	for _, name := range []string{layoutFile, partsFile, file} {
		source, replaced := host[name]
		if !replaced || name == partsFile {
			source = own.files[name]
		}
		if _, err := page.New(name).Parse(source.text); err != nil {
			return nil, err
		}
	}
	if parts, ok := host[partsFile]; ok {
		if _, err := page.New(partsFile).Parse(parts.text); err != nil {
			return nil, err
		}
	}
	for _, fixed := range fixedBlocks() {
		if file != fixed.page+".html" {
			continue
		}
		if _, err := page.New(fixed.block).Parse(fixed.text); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// fixedBlock is a block of one page that a host cannot replace.
type fixedBlock struct{ page, block, text string }

// fixedBlocks returns the blocks with the scripts of the library.
func fixedBlocks() []fixedBlock {
	return []fixedBlock{
		{formPostPage, submitBlock, "<script>" + submitScript + "</script>"},
		{frontChannelPage, framesBlock, fmt.Sprintf(framesTemplate, continueScript)},
	}
}

// ownPages are the pages of the library and of extensions. The host's templates and
// texts replace them.
type ownPages struct {
	files     map[string]*templateFile // by file name, such as consent.html
	samples   map[string][]PageContent // sample data of each page, by its name
	languages []string                 // the library's
	texts     map[string]Texts         // by language
}

// newOwnPages reads the pages of the library and of extensions.
func newOwnPages(extensions []oauthkit.Extension) (*ownPages, error) {
	texts, err := readLibraryTexts()
	if err != nil {
		return nil, err
	}
	own := &ownPages{
		files: map[string]*templateFile{}, samples: pageSamples(), languages: slices.Collect(maps.Keys(texts)), texts: texts,
	}
	library, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	for _, name := range own.names() {
		if own.files[name], err = readTemplate(library, name); err != nil {
			return nil, err
		}
	}
	for _, extension := range extensions {
		if extension, ok := extension.(PageExtension); ok {
			if err := own.add(extension.Pages()); err != nil {
				return nil, fmt.Errorf("the pages of the extension %T: %w", extension, err)
			}
		}
	}
	for _, samples := range own.samples {
		for _, sample := range samples {
			*sample.page() = Page{Title: "x", SignedInAs: "x", SignOutURL: "x", HomeURL: "x"}
		}
	}
	return own, nil
}

// names returns the names of all files, sorted.
func (own *ownPages) names() []string {
	names := []string{layoutFile, partsFile}
	for name := range own.samples {
		names = append(names, name+".html")
	}
	return slices.Sorted(slices.Values(names))
}

// pageSamples returns sample data for each page of the library by its name. A page is a
// file in templates/ that defines the block content.
func pageSamples() map[string][]PageContent {
	samples := map[string][]PageContent{
		"consent": consentSamples(), "error": {&ErrorPage{Code: oauthkit.ReasonNotFound, Detail: "x", TraceID: "x"}},
		formPostPage: formPostSamples(),
	}
	maps.Copy(samples, signOutSamples())
	for name, sample := range managementSamples() {
		samples[name] = []PageContent{sample}
	}
	return samples
}
