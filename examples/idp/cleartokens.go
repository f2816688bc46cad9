package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// clearTokensCommand is for a timer. What was removed before it was interrupted, or failed, is said too.
func clearTokensCommand(flags *flag.FlagSet) action {
	var limits oauthkit.CleanupLimits
	flags.IntVar(&limits.Batch, "batch", 1000, "`number` of rows that one transaction removes")
	flags.IntVar(&limits.Batches, "batches", 0, "`number` of transactions for each table (default: until nothing is left)")
	flags.BoolVar(&limits.DryRun, "dry-run", false, "remove nothing: count what would be removed")
	wrong := func() string {
		if limits.Batch < 1 || limits.Batches < 0 {
			return "-batch must be at least 1, and -batches cannot be negative"
		}
		return ""
	}
	return checked(wrong, onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		provider, err := newOperator(database, nil)
		if err != nil {
			return err
		}
		line := &progressLine{out: os.Stderr, shown: map[string]int{}}
		if isTerminal(os.Stderr) {
			limits.Progress = line.add
		}
		removed, err := provider.Cleanup(ctx, limits)
		line.clear()
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted; what is listed was done, and the next run goes on from there")
		}
		return errors.Join(err, printCleared(out, removed, limits.DryRun))
	}))
}

func printCleared(out io.Writer, removed map[string]int, dryRun bool) error {
	table, what := newTable(out), "REMOVED"
	if dryRun {
		what = "TO BE REMOVED"
	}
	fmt.Fprintln(table, "TABLE\t"+what)
	for _, name := range slices.Sorted(maps.Keys(removed)) {
		fmt.Fprintf(table, "%s\t%d\n", name, removed[name])
	}
	return table.Flush()
}

// progressLine is one line of a terminal that is written again and again. What else is written, such as the log, takes its place.
type progressLine struct {
	out   io.Writer
	shown map[string]int // rows by table
}

func (p *progressLine) add(table string, rows int) {
	p.shown[table] += rows
	fmt.Fprintf(p.out, "%-60s\r", fmt.Sprintf("%s: %d", table, p.shown[table]))
}

// clear makes room for what comes next.
func (p *progressLine) clear() {
	if len(p.shown) > 0 {
		fmt.Fprintf(p.out, "%-60s\r", "")
	}
}

// isTerminal reports whether somebody may be looking.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
