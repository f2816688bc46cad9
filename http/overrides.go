package oauthhttp

import (
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// This file reads the host's templates and texts. It reports mistakes that would
// otherwise leave a page silently unchanged.

// Template files that are not pages.
const (
	layoutFile = "layout.html"
	partsFile  = "parts.html"
)

// hostTemplates holds the host's template files by name.
type hostTemplates map[string]*templateFile

// readHostTemplates reads and checks the host's template files. It ignores folders
// and files that begin with a dot.
func readHostTemplates(files fs.FS, own *ownPages) (hostTemplates, error) {
	if files == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("Config.Templates cannot be listed (a path is relative to the working directory): %w", err)
	}
	host, names, folders := hostTemplates{}, own.names(), []string{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case slices.Contains(names, name):
			if host[name], err = readTemplate(files, name); err != nil {
				return nil, fmt.Errorf("Config.Templates: %w", err)
			}
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
	return host, host.check(own)
}

// check returns an error unless each file defines a block that pages show:
// layout.html the block layout, a page the block content, and parts.html only blocks
// of the library, of an extension or of another file.
func (host hostTemplates) check(own *ownPages) error {
	for name, file := range host {
		if slices.Contains(file.defined, submitBlock) {
			return fmt.Errorf("Config.Templates: %s defines the block %q, which cannot be replaced", name, submitBlock)
		}
		required := "content"
		switch name {
		case partsFile:
			if err := host.checkParts(file, own); err != nil {
				return err
			}
			continue
		case layoutFile:
			required = "layout"
		}
		if !slices.Contains(file.defined, required) {
			return fmt.Errorf("Config.Templates: %s does not define the block %q", name, required)
		}
	}
	return nil
}

// checkParts returns an error if parts.html defines a block that no page shows.
func (host hostTemplates) checkParts(parts *templateFile, own *ownPages) error {
	var shown []string
	for name, file := range own.files {
		if name != layoutFile {
			shown = append(shown, file.defined...)
		}
	}
	shown = slices.DeleteFunc(shown, func(block string) bool { return block == "content" }) // each page defines its own
	for _, file := range host {
		shown = append(shown, file.shown...)
	}
	for _, block := range parts.defined {
		if !slices.Contains(shown, block) {
			shown = slices.Compact(slices.Sorted(slices.Values(shown)))
			return fmt.Errorf("Config.Templates: %s defines the block %q, which no page shows; pages show %s", partsFile, block, strings.Join(shown, ", "))
		}
	}
	return nil
}

// templateFile is a parsed template file.
type templateFile struct {
	text    string
	defined []string // the blocks that it defines, sorted
	shown   []string // the blocks that it shows
	texts   []string // the keys of the texts that it uses
}

// readTemplate reads and parses a template file.
func readTemplate(files fs.FS, name string) (*templateFile, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	parsed, err := template.New(name).Funcs(template.FuncMap{"t": fmt.Sprint}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	file := &templateFile{text: string(text)}
	for _, block := range parsed.Templates() {
		if block.Name() != name { // name is the text outside of all blocks
			file.defined = append(file.defined, block.Name())
		}
		if block.Tree != nil {
			file.add(block.Tree.Root)
		}
	}
	slices.Sort(file.defined)
	return file, nil
}

// add records the blocks and texts below a node.
func (f *templateFile) add(node parse.Node) {
	switch node := node.(type) {
	case *parse.ListNode:
		if node == nil { // an if without an else
			return
		}
		for _, child := range node.Nodes {
			f.add(child)
		}
	case *parse.IfNode:
		f.addBranch(&node.BranchNode)
	case *parse.RangeNode:
		f.addBranch(&node.BranchNode)
	case *parse.WithNode:
		f.addBranch(&node.BranchNode)
	case *parse.ActionNode:
		f.add(node.Pipe)
	case *parse.TemplateNode:
		f.shown = append(f.shown, node.Name)
		f.add(node.Pipe)
	case *parse.PipeNode:
		if node == nil { // a template action without data
			return
		}
		for _, command := range node.Cmds {
			f.addCommand(command)
		}
	}
}

func (f *templateFile) addBranch(branch *parse.BranchNode) {
	f.add(branch.Pipe)
	f.add(branch.List)
	f.add(branch.ElseList)
}

// addCommand records the text of a call of the function t with a constant key.
func (f *templateFile) addCommand(command *parse.CommandNode) {
	for _, argument := range command.Args {
		f.add(argument) // a pipe in parentheses can have calls too
	}
	if function, ok := command.Args[0].(*parse.IdentifierNode); !ok || function.Ident != "t" || len(command.Args) < 2 {
		return
	}
	if key, ok := command.Args[1].(*parse.StringNode); ok {
		f.texts = append(f.texts, key.Text)
	}
}

// openTexts returns the prefixes of keys whose rest the host chooses: a scope, a
// reason, a form field of its applications, a grant type, or a value that another
// program has stored.
func openTexts() []string {
	return []string{
		"scope.", "claim.", "problem.", "error.reason.", "applications.field.fields.", "applications.help.fields.",
		"applications.grant_types.", "applications.token_endpoint_auth_method.", "applications.algorithm.",
	}
}

// textVerb matches the fmt verbs in a text.
var textVerb = regexp.MustCompile(`%[-+#.0-9]*[bcdefgopqstvx]`)

// checkOverrides returns an error if a text of the host has a key that no page uses,
// or other verbs than the English text, or if a template of the host uses a text that
// does not exist.
func (c *catalogue) checkOverrides(texts map[string]Texts, host hostTemplates) error {
	usedBy := map[string]string{} // from the key to the template file
	for name, file := range host {
		for _, key := range file.texts {
			usedBy[key] = name
		}
	}
	defined := map[string]bool{}
	for language, texts := range texts {
		for key, text := range texts {
			defined[key] = true
			if err := c.checkText(language, key, text, usedBy[key] != ""); err != nil {
				return fmt.Errorf("Config.Texts: %w", err)
			}
		}
	}
	for key, name := range usedBy {
		if _, found := c.own[0][key]; !found && !defined[key] {
			return fmt.Errorf("Config.Templates: %s uses the text %q, which no language has", name, key)
		}
	}
	return nil
}

// checkText checks a text of the host. Used reports whether one of its templates uses it.
func (c *catalogue) checkText(language, key, text string, used bool) error {
	english, found := englishOf(key, c.own[0])
	switch {
	case found:
		return checkVerbs(language, key, text, english)
	case used, isOpenText(key):
		return nil
	default:
		return fmt.Errorf("%s has the text %q, which no page uses", language, key)
	}
}

// englishOf returns the English text of a key. That of a problem is in its key.
func englishOf(key string, english Texts) (text string, found bool) {
	if text, found = english[key]; found {
		return text, true
	}
	return strings.CutPrefix(key, "problem.")
}

// isOpenText reports whether the rest of the key is not the library's to choose.
func isOpenText(key string) bool {
	return slices.ContainsFunc(openTexts(), func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// checkVerbs returns an error if a text has other verbs than the English text.
func checkVerbs(language, key, text, english string) error {
	if got, want := textVerb.FindAllString(text, -1), textVerb.FindAllString(english, -1); !slices.Equal(got, want) {
		return fmt.Errorf("%q has the verbs %q in %s, want %q as in English: %q", key, got, language, want, english)
	}
	return nil
}
