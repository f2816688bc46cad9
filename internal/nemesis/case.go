package nemesis

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Case is one fault and the conditions that must hold during it.
type Case struct {
	// Name begins with the id in the catalogue of faults, if it has one.
	Name string
	// Fault describes the fault.
	Fault string
	// Short includes the case in `go test`, in a form that takes a few seconds.
	Short bool
	// Run runs the case.
	Run func(r *Run)
}

// Run is a running Case.
type Run struct {
	testing.TB
	// Long is set if figures are compared with their limits.
	Long bool

	lab     *lab
	figures []Figure
}

// Figure is one result of a Case.
type Figure struct {
	Name   string
	Got    float64
	Unit   string
	Bar    string // such as "<= 5"
	Before string // the same figure before the provider handled the fault
	Met    bool
}

// Start starts a World.
func (r *Run) Start(setup Setup) *World {
	r.Helper()
	return r.lab.start(r, setup)
}

// AtMost records a figure with a maximum. Only the long form fails if the figure
// exceeds it, because other work on the machine affects it.
func (r *Run) AtMost(name string, got float64, unit string, bar float64, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: got, Unit: unit, Bar: fmt.Sprintf("<= %g", bar), Before: before, Met: got <= bar}, r.Long)
}

// AtLeast records a figure with a minimum, like AtMost.
func (r *Run) AtLeast(name string, got float64, unit string, bar float64, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: got, Unit: unit, Bar: fmt.Sprintf(">= %g", bar), Before: before, Met: got >= bar}, r.Long)
}

// None records a count that must be 0 on any machine.
func (r *Run) None(name string, got int, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: float64(got), Bar: "0", Before: before, Met: got == 0}, true)
}

// Tell records a figure without a limit.
func (r *Run) Tell(name string, got float64, unit, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: got, Unit: unit, Before: before, Met: true}, false)
}

func (r *Run) record(figure Figure, asserted bool) {
	r.Helper()
	r.figures = append(r.figures, figure)
	switch {
	case !figure.Met && asserted:
		r.Errorf("%s: got %s, want %s", figure.Name, figure.value(), figure.Bar)
	default:
		r.Logf("%s: %s (%s)", figure.Name, figure.value(), figure.Bar)
	}
}

func (f *Figure) value() string {
	text := fmt.Sprintf("%.0f", f.Got)
	if f.Got < 100 && f.Got != float64(int(f.Got)) {
		text = fmt.Sprintf("%.2f", f.Got)
	}
	return strings.TrimSpace(text + " " + f.Unit)
}

// The head of the table and the marks around it in a document.
const (
	tableHead  = "| case | figure | got | bar | before |\n|---|---|---|---|---|\n"
	tableBegin = "<!-- figures: make nemesis WRITE=yes -->\n"
	tableEnd   = "<!-- end of the figures -->\n"
)

// rows returns the rows of a case as Markdown.
func rows(name string, figures []Figure) string {
	var lines strings.Builder
	for number, figure := range figures {
		if number > 0 {
			name = ""
		}
		missed := ""
		if !figure.Met {
			missed = " MISSED"
		}
		fmt.Fprintf(&lines, "| %s | %s | %s%s | %s | %s |\n", name, figure.Name, figure.value(), missed, figure.Bar, figure.Before)
	}
	return lines.String()
}

// report returns the table of the cases that have rows, in the order of names.
func report(names []string, rows map[string]string) string {
	var table strings.Builder
	table.WriteString(tableHead)
	for _, name := range names {
		table.WriteString(rows[name])
	}
	return table.String()
}

// errNoTable is returned for a document without the marks.
var errNoTable = errors.New("nemesis: no table of figures in the document")

// update replaces the rows of some cases in the table of a document. Rows of other
// cases stay, unless the case no longer exists.
func update(document string, names []string, changed map[string]string) (string, error) {
	before, rest, begins := strings.Cut(document, tableBegin)
	table, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		return "", errNoTable
	}
	all, name := map[string]string{}, ""
	for line := range strings.Lines(strings.TrimPrefix(table, tableHead)) {
		if cells := strings.Split(line, " | "); len(cells) > 1 && !strings.HasPrefix(line, "|  |") {
			name = strings.TrimPrefix(cells[0], "| ")
		}
		all[name] += line
	}
	maps.Copy(all, changed)
	return before + tableBegin + report(names, all) + tableEnd + after, nil
}
