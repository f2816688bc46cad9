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

// clearTokensCommand removes expired rows. It prints what it has removed even if it
// fails or is interrupted.
func clearTokensCommand(flags *flag.FlagSet) action {
	var limits oauthkit.CleanupLimits
	flags.IntVar(&limits.Batch, "batch", 1000, "maximum `number` of rows removed by one transaction")
	flags.IntVar(&limits.Batches, "batches", 0, "maximum `number` of transactions for each table (default: no limit)")
	flags.BoolVar(&limits.DryRun, "dry-run", false, "count the rows without removing them")
	check := func() string {
		if limits.Batch < 1 || limits.Batches < 0 {
			return "-batch must be at least 1, and -batches must not be negative"
		}
		return ""
	}
	return checkFirst(check, onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
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
			err = errors.New("interrupted; the listed rows were removed, run the command again for the rest")
		}
		return errors.Join(err, printCleared(out, removed, limits.DryRun))
	}))
}

func printCleared(out io.Writer, removed map[string]int, dryRun bool) error {
	table, heading := newTable(out), "REMOVED"
	if dryRun {
		heading = "TO BE REMOVED"
	}
	fmt.Fprintln(table, "TABLE\t"+heading)
	for _, name := range slices.Sorted(maps.Keys(removed)) {
		fmt.Fprintf(table, "%s\t%d\n", name, removed[name])
	}
	return table.Flush()
}

// progressLine is one line of a terminal that is overwritten repeatedly. Other output,
// such as the log, overwrites it too.
type progressLine struct {
	out   io.Writer
	shown map[string]int // rows by table
}

func (p *progressLine) add(table string, rows int) {
	p.shown[table] += rows
	fmt.Fprintf(p.out, "%-60s\r", fmt.Sprintf("%s: %d", table, p.shown[table]))
}

// clear removes the line.
func (p *progressLine) clear() {
	if len(p.shown) > 0 {
		fmt.Fprintf(p.out, "%-60s\r", "")
	}
}

// isTerminal reports whether file is a terminal.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
