package nemesis

import (
	"fmt"
	"io"
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

// report writes the table of all figures, in Markdown.
func report(to io.Writer, names []string, figures map[string][]Figure) {
	fmt.Fprintln(to, "| case | figure | got | bar | before |\n|---|---|---|---|---|")
	for _, name := range names {
		for number, figure := range figures[name] {
			if number > 0 {
				name = ""
			}
			missed := ""
			if !figure.Met {
				missed = " MISSED"
			}
			fmt.Fprintf(to, "| %s | %s | %s%s | %s | %s |\n", name, figure.Name, figure.value(), missed, figure.Bar, figure.Before)
		}
	}
}
