package nemesis

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Case is one fault and what must hold under it.
type Case struct {
	// Name begins with the id in the catalogue of faults, if it has one.
	Name string
	// What says what is done.
	What string
	// Short is set if the case is part of `go test`. Its short form takes a few seconds.
	Short bool
	// Run does it.
	Run func(r *Run)
}

// Run is a Case under way.
type Run struct {
	testing.TB
	// Long is set if figures are compared with their bars.
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
	Before string // the same figure before the provider was made to withstand the fault
	Met    bool
}

// Start starts a World.
func (r *Run) Start(setup Setup) *World {
	r.Helper()
	return r.lab.start(r, setup)
}

// AtMost records a figure whose bar is a maximum. Only the long form fails if it is missed, since other work on the machine
// can miss it.
func (r *Run) AtMost(name string, got float64, unit string, bar float64, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: got, Unit: unit, Bar: fmt.Sprintf("<= %g", bar), Before: before, Met: got <= bar}, r.Long)
}

// AtLeast is AtMost with a minimum.
func (r *Run) AtLeast(name string, got float64, unit string, bar float64, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: got, Unit: unit, Bar: fmt.Sprintf(">= %g", bar), Before: before, Met: got >= bar}, r.Long)
}

// None records a count that must be 0 on any machine.
func (r *Run) None(name string, got int, before string) {
	r.Helper()
	r.record(Figure{Name: name, Got: float64(got), Bar: "0", Before: before, Met: got == 0}, true)
}

// Tell records a figure that has no bar.
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

// The head of the table, and the marks around it in a document.
const (
	tableHead  = "| case | figure | got | bar | before |\n|---|---|---|---|---|\n"
	tableBegin = "<!-- figures: make nemesis WRITE=yes -->\n"
	tableEnd   = "<!-- end of the figures -->\n"
)

// rows returns the lines of a case in the table, in Markdown.
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
var errNoTable = errors.New("nemesis: the document has no place for figures")

// update replaces the rows of some cases in the table of a document. Those of other cases stay, unless there is no such case.
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
