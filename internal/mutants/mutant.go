package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one deliberate mistake in one place of the code, with the test that
// detects it.
type mutant struct {
	// name names the mistake.
	name string
	// folder holds the package, relative to the root of the module.
	folder string
	// text is the code to replace: a line or a part of one, with lines around it if
	// the line occurs twice. It must occur exactly once in the package.
	text string
	// becomes replaces text.
	becomes string
	// killer is the test that must fail.
	killer killer
}

// killer names a test: the folder of its package and its path, such as
// TestCodeBinding/memory/C-06. The name of the test must be complete. A subtest is
// given by the beginning of its name.
type killer struct{ folder, test string }

// place is the place of a mutant in the code.
type place struct {
	mutant
	file   string // relative to the root
	source []byte // content of the file
	offset int    // of the text in the source
	// function is the declaration with the text in its body. It is nil if the text is
	// outside functions, for example in a constant.
	function *ast.FuncDecl
	base     int // base of the positions in function
}

// locate finds the place of a mutant below root. The error reports how often the
// text occurs.
func locate(root string, m mutant) (*place, error) {
	entries, err := os.ReadDir(filepath.Join(root, m.folder))
	if err != nil {
		return nil, err
	}
	var found []*place
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file := filepath.Join(m.folder, name)
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return nil, err
		}
		for at := 0; ; at++ {
			next := strings.Index(string(source[at:]), m.text)
			if next < 0 {
				break
			}
			at += next
			found = append(found, &place{mutant: m, file: file, source: source, offset: at})
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the text occurs %d times in %s, want once:\n\t%s", len(found), m.folder, m.text)
	}
	return found[0], found[0].findFunction()
}

// findFunction finds the function around the text.
func (p *place) findFunction() error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, p.file, p.source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p.base = files.File(file.FileStart).Base()
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Body != nil && p.position(function.Body.Lbrace) < p.offset &&
			p.offset+len(p.text) <= p.position(function.Body.Rbrace) {
			p.function = function
		}
	}
	return nil
}

// position returns the offset of a position in the source.
func (p *place) position(pos token.Pos) int { return int(pos) - p.base }

// mutated returns a part of the source with the mistake in it.
func (p *place) mutated(from, to int) string {
	return string(p.source[from:p.offset]) + p.becomes + string(p.source[p.offset+len(p.text):to])
}

// switched reports whether the mutant can be switched on in a program with other
// mutants. A mutant outside functions needs its own program.
func (p *place) switched() bool { return p.function != nil }

// copied returns a statement for the beginning of the function. If the mutant is
// switched on, the statement runs a copy of the body with the mistake and returns
// its results.
//
// The copy is a function literal with the function's parameters and results, so that
// names have the same meaning.
func (p *place) copied() string {
	var parameters, arguments []string
	for _, field := range p.function.Type.Params.List {
		for _, name := range field.Names {
			if name.Name == "_" {
				continue
			}
			parameters = append(parameters, name.Name+" "+string(p.source[p.position(field.Type.Pos()):p.position(field.Type.End())]))
			argument := name.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				argument += "..."
			}
			arguments = append(arguments, argument)
		}
	}
	results := ""
	if list := p.function.Type.Results; list != nil {
		results = string(p.source[p.position(list.Pos()):p.position(list.End())])
	}
	body := p.mutated(p.position(p.function.Body.Lbrace), p.position(p.function.Body.Rbrace)+1)
	call := fmt.Sprintf("func(%s) %s %s(%s)", strings.Join(parameters, ", "), results, body, strings.Join(arguments, ", "))
	if results == "" {
		return fmt.Sprintf("\n//line mutant-%s:1\nif mutantIs(%q) { %s; return }\n", p.name, p.name, call)
	}
	return fmt.Sprintf("\n//line mutant-%s:1\nif mutantIs(%q) { return %s }\n", p.name, p.name, call)
}

// withSwitches returns the source of a file with all of its mutants, each
// switched off.
func withSwitches(places []*place) string {
	places = slices.Clone(places)
	slices.SortFunc(places, func(a, b *place) int {
		return cmp.Compare(a.position(a.function.Body.Lbrace), b.position(b.function.Body.Lbrace))
	})
	var text strings.Builder
	written := 0
	for _, p := range places {
		at := p.position(p.function.Body.Lbrace) + 1
		text.Write(p.source[written:at])
		text.WriteString(p.copied())
		fmt.Fprintf(&text, "//line %s:%d\n", filepath.Base(p.file), 1+bytes.Count(p.source[:at], []byte{'\n'}))
		written = at
	}
	text.Write(places[0].source[written:])
	return text.String()
}
