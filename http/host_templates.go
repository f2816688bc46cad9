package oauthhttp

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// This file reads the host's templates, and finds mistakes that would otherwise leave a page
// unchanged without a word.

// Files of templates that are no page.
const (
	layoutFile = "layout.html"
	partsFile  = "parts.html"
)

// hostTemplates are the texts of the host's files, by name.
type hostTemplates map[string]string

// readHostTemplates reads every file that is ours to read. What is in folders or begins with a dot is nobody's.
func readHostTemplates(files fs.FS) (hostTemplates, error) {
	if files == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("Config.Templates cannot be listed (a path is relative to the working directory): %w", err)
	}
	host, names, folders := hostTemplates{}, templateFiles(), []string{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case slices.Contains(names, name):
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, fmt.Errorf("Config.Templates: %w", err)
			}
			host[name] = string(text)
		case entry.IsDir():
			folders = append(folders, name)
		case name == stylesheetPath:
			return nil, fmt.Errorf("Config.Templates: the stylesheet %s cannot be replaced; link your own in the block head of %s", name, partsFile)
		default:
			return nil, fmt.Errorf("Config.Templates: %s is not one of %s; keep other files elsewhere", name, strings.Join(names, ", "))
		}
	}
	if len(host) == 0 && len(folders) > 0 {
		return nil, fmt.Errorf("Config.Templates has folders (%s) but no files; pass fs.Sub of the folder with the files", strings.Join(folders, ", "))
	}
	return host, host.check()
}

// templateFiles are the names that the host's files can have.
func templateFiles() []string {
	names := []string{layoutFile, partsFile}
	for name := range pageSamples() {
		names = append(names, name+".html")
	}
	return slices.Sorted(slices.Values(names))
}

// check wants each file to define what it is read for: the layout layout, a page content, and parts.html blocks that the library
// or a file of the host's shows.
func (host hostTemplates) check() error {
	for name, text := range host {
		defined, err := blocksOf(name, text)
		if err != nil {
			return fmt.Errorf("Config.Templates: %w", err)
		}
		required := "content"
		switch name {
		case partsFile:
			if err := host.checkBlocks(defined); err != nil {
				return err
			}
			continue
		case layoutFile:
			required = "layout"
		}
		if !slices.Contains(defined, required) {
			return fmt.Errorf("Config.Templates: %s does not define the block %q", name, required)
		}
	}
	return nil
}

// shownBlock finds the blocks that a template shows.
var shownBlock = regexp.MustCompile("{{-?\\s*(?:template|block)\\s+[\"`]([^\"`]+)")

func (host hostTemplates) checkBlocks(defined []string) error {
	var known []string
	for _, name := range templateFiles() {
		if name == layoutFile {
			continue
		}
		text, err := ownTemplate(name)
		if err != nil {
			return err
		}
		blocks, err := blocksOf(name, text)
		if err != nil {
			return err
		}
		known = append(known, blocks...)
	}
	known = slices.DeleteFunc(known, func(block string) bool { return block == "content" }) // each page has one of its own
	for _, text := range host {
		for _, shown := range shownBlock.FindAllStringSubmatch(text, -1) {
			known = append(known, shown[1])
		}
	}
	for _, block := range defined {
		if !slices.Contains(known, block) {
			known = slices.Compact(slices.Sorted(slices.Values(known)))
			return fmt.Errorf("Config.Templates: %s defines the block %q, which no page shows; pages show %s", partsFile, block, strings.Join(known, ", "))
		}
	}
	return nil
}

// blocksOf returns the names of the blocks that a file defines, in order.
func blocksOf(name, text string) ([]string, error) {
	file, err := template.New(name).Funcs(template.FuncMap{"t": fmt.Sprint}).Parse(text)
	if err != nil {
		return nil, err
	}
	blocks := map[string]bool{}
	for _, block := range file.Templates() {
		blocks[block.Name()] = true
	}
	delete(blocks, name) // what stands outside of all blocks
	return slices.Sorted(maps.Keys(blocks)), nil
}

// ownTemplate returns a file of the library's.
func ownTemplate(name string) (string, error) {
	text, err := templates.ReadFile(path.Join("templates", name))
	return string(text), err
}
