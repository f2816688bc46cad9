package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// clearTokensCommand is for a timer. What was removed before a failure is said too.
func clearTokensCommand(flags *flag.FlagSet) action {
	batch := flags.Int("batch", 1000, "`number` of rows that one transaction removes")
	batches := flags.Int("batches", 0, "`number` of transactions for each table (default: until nothing is left)")
	wrong := func() string {
		if *batch < 1 || *batches < 0 {
			return "-batch must be at least 1, and -batches cannot be negative"
		}
		return ""
	}
	return checked(wrong, onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		removed, err := database.store.Cleanup(ctx, oauthkit.CleanupLimits{Batch: *batch, Batches: *batches})
		table := newTable(out)
		fmt.Fprintln(table, "TABLE\tREMOVED")
		for _, name := range slices.Sorted(maps.Keys(removed)) {
			fmt.Fprintf(table, "%s\t%d\n", name, removed[name])
		}
		return errors.Join(err, table.Flush())
	}))
}
