// Package readme tests the documents of the repository: their code compiles, their
// commands exist, and their links resolve.
package readme

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestQuickstart checks that the first block of code is a complete program of at most
// 40 lines.
func TestQuickstart(t *testing.T) {
	blocks := blocksOf(t, "README.md", "go")
	if len(blocks) == 0 {
		t.Fatal("README.md: got no block of Go code, want one")
	}
	if !strings.HasPrefix(blocks[0], "package main\n") || !strings.Contains(blocks[0], "\nfunc main() {\n") {
		t.Error("README.md: got a first block that is not a complete program")
	}
	if lines := strings.Count(blocks[0], "\n"); lines > 40 {
		t.Errorf("README.md: got a program of %d lines, want at most 40", lines)
	}
}

// TestCode compiles every block of Go code on the pages. A complete program is a
// separate package. The other blocks of a page form one package, so that one can use
// another's declarations.
func TestCode(t *testing.T) {
	code := &overlay{folder: t.TempDir(), Replace: map[string]string{}}
	for number, page := range pages(t) {
		for i, block := range blocksOf(t, page, "go") {
			folder := fmt.Sprintf("page%d", number)
			if strings.HasPrefix(block, "package ") {
				folder = fmt.Sprintf("program%d_%d", number, i)
			}
			file, err := complete(block)
			if err != nil {
				t.Errorf("%s: %v in\n%s", page, err, block)
				continue
			}
			if err := code.add(folder, file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if output, err := code.build(t.Context()); err != nil {
		t.Errorf("code on the pages does not compile: %v\n%s", err, output)
	}
}

// TestCommands checks that README.md has its two commands and that the commands on
// the pages exist.
func TestCommands(t *testing.T) {
	commands := strings.Join(blocksOf(t, "README.md", "sh"), "")
	for _, command := range []string{"go run ./examples/quickstart", "go test work"} {
		if !strings.Contains(commands, command) {
			t.Errorf("README.md: got no command %q, want it", command)
		}
	}
	makefile := read(t, "Makefile")
	target := regexp.MustCompile("`make ([a-z]+)|(?m:^make ([a-z]+))")
	program := regexp.MustCompile(`go run \./([a-z/-]+)`)
	for _, page := range pages(t) {
		text := read(t, page)
		for _, match := range target.FindAllStringSubmatch(text, -1) {
			if name := match[1] + match[2]; !strings.Contains(makefile, "\n"+name+":") {
				t.Errorf("%s: got make %s, which is not in the Makefile", page, name)
			}
		}
		for _, match := range program.FindAllStringSubmatch(text, -1) {
			if files, _ := filepath.Glob(filepath.Join(root, match[1], "*.go")); len(files) == 0 {
				t.Errorf("%s: got %s, where there is no program", page, match[0])
			}
		}
	}
}

// TestLinks checks the links from the pages to files of the repository
// and to headings.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#" ]*)(#[^)" ]*)?\)`)
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(fenced("[a-z]*").ReplaceAllString(read(t, page), ""), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			target := page
			if match[1] != "" {
				target = path.Join(path.Dir(page), match[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: got a link to %s: %v", page, match[1], err)
			} else if match[2] != "" && !slices.Contains(anchors(t, target), match[2]) {
				t.Errorf("%s: got a link to %s, which has no such heading", page, match[1]+match[2])
			}
		}
	}
}

// anchors returns the anchors of a page's headings.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	var anchors []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
		words := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors = append(anchors, "#"+strings.ReplaceAll(words, " ", "-"))
	}
	return anchors
}

// pages returns the names of the repository's pages.
func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "internal/docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("got no page %s: %v", pattern, err)
		}
		for _, name := range found {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(name), root+"/"))
		}
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocksOf returns the fenced blocks of a page in a language.
func blocksOf(t *testing.T, page, language string) []string {
	t.Helper()
	var blocks []string
	for _, match := range fenced(language).FindAllStringSubmatch(read(t, page), -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// fenced returns an expression that matches the blocks in a language.
func fenced(language string) *regexp.Regexp {
	return regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$")
}
