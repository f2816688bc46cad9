//go:build linux || darwin

package nemesis

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The environment variables of TestNemesis.
const (
	formVariable = "NEMESIS"      // "long": every case in full, with limits, and a table at the end
	caseVariable = "NEMESIS_CASE" // a regular expression that selects cases by name

	writeVariable = "NEMESIS_WRITE" // if not empty, the long form writes its figures to docs/reliability.md
)

// cases lists all faults.
var cases = slices.Concat(processCases, databaseCases, serverCases, hangUpCases, loadCases, endingCases)

// TestNemesis runs the cases. Without the long form it runs the short form of the
// quick or selected cases and asserts only conditions that hold on any machine.
func TestNemesis(t *testing.T) {
	long := os.Getenv(formVariable) == "long"
	selected := os.Getenv(caseVariable)
	chosen, err := regexp.Compile(cmp.Or(selected, "."))
	if err != nil {
		t.Fatal(err)
	}
	lab := newLab(t)
	var names []string
	figures := map[string]string{}
	for _, one := range cases {
		names = append(names, one.Name)
		if !chosen.MatchString(one.Name) || !long && selected == "" && !one.Short {
			continue
		}
		t.Run(one.Name, func(t *testing.T) {
			t.Log(one.Fault)
			run := &Run{TB: t, Long: long, lab: lab}
			defer func() { figures[one.Name] = rows(one.Name, run.figures) }()
			one.Run(run)
		})
	}
	if !long {
		return
	}
	fmt.Fprint(os.Stdout, "\n", report(names, figures))
	if os.Getenv(writeVariable) != "" {
		writeFigures(t, names, figures)
	}
}

// writeFigures writes figures to the table of docs/reliability.md.
func writeFigures(t *testing.T, names []string, figures map[string]string) {
	t.Helper()
	const path = "../../docs/reliability.md"
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := update(string(document), names, figures)
	if err == nil {
		err = os.WriteFile(path, []byte(updated), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestUpdate shows that new figures replace the old ones of the same case, in the
// order of the cases.
func TestUpdate(t *testing.T) {
	names := []string{"one", "two"}
	document := "text\n" + tableBegin + tableHead + rows("two", []Figure{{Name: "a", Got: 1, Met: true}, {Name: "b", Got: 2, Met: true}}) +
		rows("three", []Figure{{Name: "c"}}) + tableEnd + "more\n"
	for _, step := range []struct{ name, want string }{
		{"one", rows("one", []Figure{{Name: "x", Got: 9}}) + rows("two", []Figure{{Name: "a", Got: 1, Met: true}, {Name: "b", Got: 2, Met: true}})},
		{"two", rows("one", []Figure{{Name: "x", Got: 9}}) + rows("two", []Figure{{Name: "x", Got: 9}})},
	} {
		updated, err := update(document, names, map[string]string{step.name: rows(step.name, []Figure{{Name: "x", Got: 9}})})
		if want := "text\n" + tableBegin + tableHead + step.want + tableEnd + "more\n"; err != nil || updated != want {
			t.Errorf("%s: got %v and\n%s\nwant\n%s", step.name, err, updated, want)
		}
		document = updated
	}
	if _, err := update("text", names, nil); err == nil {
		t.Error("a document without the marks: got no error, want one")
	}
}

// TestCases shows that each case has a distinct name and a description.
func TestCases(t *testing.T) {
	var names []string
	for _, one := range cases {
		if one.Fault == "" || one.Run == nil || slices.Contains(names, one.Name) {
			t.Errorf("%q: got %q, want a distinct name, a description and a function", one.Name, one.Fault)
		}
		names = append(names, one.Name)
	}
}
