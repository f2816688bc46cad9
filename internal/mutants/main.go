// Mutants makes one deliberate mistake at a time in the security-critical code, and
// expects a test to fail for each.
//
//	go run ./internal/mutants [-j 2] [REGEXP]
//
// With a regular expression, only the mutants with matching names are tried. It
// prints a table, and exits with status 1 if a mutant survives or cannot be tried.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	atOnce := flags.Int("j", runtime.NumCPU(), "how many mutants to try at the same time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	places, err := chosen(flags.Arg(0))
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // a temporary folder
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	w, err := newWorkshop(root, folder)
	if err != nil {
		return err
	}
	begun := time.Now()
	verdicts, err := try(ctx, w, places, *atOnce)
	if err != nil {
		return err
	}
	return report(out, verdicts, time.Since(begun))
}

// chosen returns the mutants with matching names and their places. The working
// directory is the root of the module.
func chosen(pattern string) ([]*place, error) {
	matches, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var places []*place
	for _, m := range all() {
		if !matches.MatchString(m.name) {
			continue
		}
		p, err := locate(".", m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		places = append(places, p)
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("no mutant has a name matching %q", pattern)
	}
	return places, nil
}

// verdict is the result of a mutant.
type verdict struct {
	place *place
	// killedBy is the test that failed. If empty, the mutant survived, or
	// problem is set.
	killedBy string
	// problem says why it could not be tried.
	problem string
	took    time.Duration
}

// try tries mutants concurrently, after all killers have passed without mutants.
func try(ctx context.Context, w *workshop, places []*place, atOnce int) ([]verdict, error) {
	var switched []*place
	for _, p := range places {
		if p.switched() {
			switched = append(switched, p)
		}
	}
	if err := w.buildSwitched(ctx, switched, packagesOf(places)); err != nil {
		return nil, err
	}
	if err := w.checkKillers(ctx, places); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(places))
	slots, waiting := make(chan struct{}, max(1, atOnce)), sync.WaitGroup{}
	for i, p := range places {
		slots <- struct{}{}
		waiting.Go(func() {
			begun := time.Now()
			verdicts[i] = w.judge(ctx, p)
			verdicts[i].took = time.Since(begun)
			<-slots
		})
	}
	waiting.Wait()
	return verdicts, ctx.Err()
}

// checkKillers runs every killer without a mutant.
func (w *workshop) checkKillers(ctx context.Context, places []*place) error {
	var problems []error
	for _, pkg := range packagesOf(places) {
		var patterns []string
		for _, p := range places {
			if p.killer.folder == pkg {
				patterns = append(patterns, p.killer.pattern())
			}
		}
		output, passed, err := w.run(ctx, "switched", pkg, strings.Join(patterns, "|"), "")
		if err != nil {
			return err
		}
		if !passed {
			return fmt.Errorf("without a mutant the tests of %s fail:\n%s", pkg, output)
		}
		for _, p := range places {
			if p.killer.folder == pkg && !ran(p.killer, output) {
				problems = append(problems, fmt.Errorf("%s: test %s does not exist in %s or was skipped", p.name, p.killer.test, pkg))
			}
		}
	}
	return errors.Join(problems...)
}

// ran reports whether the killer passed.
func ran(k killer, output string) bool {
	for _, r := range results(output) {
		if r.outcome == "PASS" && k.includes(r.name) {
			return true
		}
	}
	return false
}

// judge runs the killer of a mutant.
func (w *workshop) judge(ctx context.Context, p *place) verdict {
	build := "switched"
	if !p.switched() {
		build = p.name
		if err := w.buildAlone(ctx, p); err != nil {
			return verdict{place: p, problem: err.Error()}
		}
	}
	output, passed, err := w.run(ctx, build, p.killer.folder, p.killer.pattern(), p.name)
	switch names := failed(output); {
	case err != nil:
		return verdict{place: p, problem: err.Error()}
	case passed:
		return verdict{place: p}
	case len(names) > 0:
		return verdict{place: p, killedBy: names[0]}
	case strings.Contains(output, "panic:"):
		return verdict{place: p, killedBy: "a panic in " + p.killer.test}
	default:
		return verdict{place: p, problem: "no test failed, but the program did:\n" + output}
	}
}

// report prints the table. It returns an error if a mutant was not killed.
func report(out io.Writer, verdicts []verdict, took time.Duration) error {
	table, killed := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), 0
	fmt.Fprintln(table, "MUTANT\tIN\tKILLED BY\tSECONDS")
	for _, v := range verdicts {
		by := v.killedBy
		switch {
		case v.problem != "":
			by = "NOT TRIED"
		case by == "":
			by = "SURVIVED " + v.place.killer.test
		default:
			killed++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.1f\n", v.place.name, v.place.file, by, v.took.Seconds())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.problem != "" {
			fmt.Fprintf(out, "\n%s: %s\n", v.place.name, v.problem)
		}
	}
	fmt.Fprintf(out, "\n%d mutants, %d killed, in %s\n", len(verdicts), killed, took.Round(time.Second))
	if killed != len(verdicts) {
		return fmt.Errorf("%d of %d mutants were not killed", len(verdicts)-killed, len(verdicts))
	}
	return nil
}
