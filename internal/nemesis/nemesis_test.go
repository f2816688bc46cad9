//go:build linux || darwin

package nemesis

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The environment variables of TestNemesis.
const (
	formVariable = "NEMESIS"      // "long": every case in full, with bars, and a table at the end
	caseVariable = "NEMESIS_CASE" // a regular expression that selects cases by name
)

// cases are all faults.
var cases = slices.Concat(processCases, databaseCases, serverCases, hangUpCases, loadCases, endingCases)

// TestNemesis runs the cases. Without the long form it runs the short form of those that are quick, or selected, and asserts
// what holds on any machine.
func TestNemesis(t *testing.T) {
	long := os.Getenv(formVariable) == "long"
	selected := os.Getenv(caseVariable)
	chosen, err := regexp.Compile(cmp.Or(selected, "."))
	if err != nil {
		t.Fatal(err)
	}
	lab := newLab(t)
	var names []string
	figures := map[string][]Figure{}
	for _, one := range cases {
		if !chosen.MatchString(one.Name) || !long && selected == "" && !one.Short {
			continue
		}
		names = append(names, one.Name)
		t.Run(one.Name, func(t *testing.T) {
			t.Log(one.What)
			run := &Run{TB: t, Long: long, lab: lab}
			defer func() { figures[one.Name] = run.figures }()
			one.Run(run)
		})
	}
	if long {
		report(os.Stdout, names, figures)
	}
}

// TestCases shows that each case has a name of its own and says what it does.
func TestCases(t *testing.T) {
	var names []string
	for _, one := range cases {
		if one.What == "" || one.Run == nil || slices.Contains(names, one.Name) {
			t.Errorf("%q: got %q, want a name of its own, what is done, and how", one.Name, one.What)
		}
		names = append(names, one.Name)
	}
}
