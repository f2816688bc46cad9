package main

import (
	"regexp"
	"slices"
	"strings"
)

// pattern returns the test as a pattern for the flag -run.
func (k killer) pattern() string {
	names := k.names()
	for i, name := range names {
		name = "^" + regexp.QuoteMeta(strings.ReplaceAll(name, " ", "_"))
		if i == 0 {
			name += "$"
		}
		names[i] = name
	}
	return strings.Join(names, "/")
}

// names returns the name of the test and of the subtests.
func (k killer) names() []string { return strings.Split(k.test, "/") }

// includes reports whether a test that ran is the killer or a part of it.
func (k killer) includes(ran string) bool {
	wanted, names := k.names(), strings.Split(ran, "/")
	if len(names) < len(wanted) || names[0] != wanted[0] {
		return false
	}
	for i, name := range wanted {
		if !strings.HasPrefix(names[i], strings.ReplaceAll(name, " ", "_")) {
			return false
		}
	}
	return true
}

// result is the result of a test, as printed by go test -v.
type result struct{ name, outcome string }

var resultLine = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (\S+) \(`)

// results parses the output of tests.
func results(output string) []result {
	var all []result
	for _, match := range resultLine.FindAllStringSubmatch(output, -1) {
		all = append(all, result{name: match[2], outcome: match[1]})
	}
	return all
}

// failed returns the names of the failed tests, without those that failed only
// because of a subtest. It returns none if the program exited before printing them.
func failed(output string) []string {
	var names []string
	for _, r := range results(output) {
		if r.outcome == "FAIL" {
			names = append(names, r.name)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+"/") })
	})
}
