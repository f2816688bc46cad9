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

// This file reads the host's templates, and finds mistakes that would otherwise leave a page as it is without a word. All of them
// panic.

// Files of templates that are no page.
const (
	layoutFile = "layout.html"
	partsFile  = "parts.html"
)

// hostTemplates are the texts of the host's files, by name.
type hostTemplates map[string]string

// readHostTemplates reads every file that is ours to read. What is in folders or begins with a dot is nobody's.
func readHostTemplates(files fs.FS) hostTemplates {
	if files == nil {
		return nil
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(fmt.Errorf("oauthhttp: Config.Templates cannot be listed; a path is relative to where the program runs: %w", err))
	}
	host, names, folders := hostTemplates{}, templateFiles(), []string{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case slices.Contains(names, name):
			text, err := fs.ReadFile(files, name)
			if err != nil {
				panic(fmt.Errorf("oauthhttp: Config.Templates: %w", err))
			}
			host[name] = string(text)
		case entry.IsDir():
			folders = append(folders, name)
		case name == stylesheetPath:
			panic("oauthhttp: Config.Templates: the stylesheet " + name + " cannot be replaced; link one of yours in the block head, in " + partsFile)
		default:
			panic(fmt.Sprintf("oauthhttp: Config.Templates: %s is not one of %s; keep other files elsewhere", name, strings.Join(names, ", ")))
		}
	}
	if len(host) == 0 && len(folders) > 0 {
		panic(fmt.Sprintf("oauthhttp: Config.Templates has folders (%s) and no files; give it fs.Sub of the one that has them", strings.Join(folders, ", ")))
	}
	host.check()
	return host
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
func (host hostTemplates) check() {
	for name, text := range host {
		defined := blocksOf("Config.Templates", name, text)
		required := "content"
		switch name {
		case partsFile:
			host.checkBlocks(defined)
			continue
		case layoutFile:
			required = "layout"
		}
		if !slices.Contains(defined, required) {
			panic(fmt.Sprintf("oauthhttp: Config.Templates: %s defines no block %q", name, required))
		}
	}
}

// shownBlock finds the blocks that a template shows.
var shownBlock = regexp.MustCompile("{{-?\\s*(?:template|block)\\s+[\"`]([^\"`]+)")

func (host hostTemplates) checkBlocks(defined []string) {
	var known []string
	for _, name := range templateFiles() {
		if name != layoutFile {
			known = append(known, blocksOf("templates", name, ownTemplate(name))...)
		}
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
			panic(fmt.Sprintf("oauthhttp: Config.Templates: %s defines the block %q, which no page shows; there are %s", partsFile, block, strings.Join(known, ", ")))
		}
	}
}

// blocksOf returns the names of the blocks that a file defines, in order.
func blocksOf(folder, name, text string) []string {
	file, err := template.New(name).Funcs(template.FuncMap{"t": fmt.Sprint}).Parse(text)
	if err != nil {
		panic(fmt.Errorf("oauthhttp: %s: %w", folder, err))
	}
	blocks := map[string]bool{}
	for _, block := range file.Templates() {
		blocks[block.Name()] = true
	}
	delete(blocks, name) // what stands outside of all blocks
	return slices.Sorted(maps.Keys(blocks))
}

// ownTemplate returns a file of the library's.
func ownTemplate(name string) string {
	text, err := templates.ReadFile(path.Join("templates", name))
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}
