package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// listKeysCommand shows nothing of the private parts, and needs no IDP_SECRET.
func listKeysCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, listKeys)
}

func listKeys(ctx context.Context, database *database, _ []string, out io.Writer) error {
	keys, err := database.store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(keys, func(a, b *oauthkit.SigningKey) int {
		return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), cmp.Compare(a.Generation, b.Generation))
	})
	table := newTable(out)
	fmt.Fprintln(table, "KID\tALGORITHM\tCREATED\tSIGNS FROM")
	for _, key := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, key.Algorithm, key.CreatedAt.Format(time.RFC3339), key.ActiveAt.Format(time.RFC3339))
	}
	return table.Flush()
}

// rotateKeysCommand is for a timer: instances that serve take new keys over by themselves.
func rotateKeysCommand(flags *flag.FlagSet) action {
	return changeKeys(flags, func(ctx context.Context, openID *oidc.Extension, _ []string) error { return openID.RotateKeys(ctx) })
}

// removeKeyCommand is for a key that has become known to somebody.
func removeKeyCommand(flags *flag.FlagSet) action {
	return changeKeys(flags, func(ctx context.Context, openID *oidc.Extension, arguments []string) error {
		return openID.RemoveKey(ctx, arguments[0])
	})
}

// changeKeys needs the IDP_SECRET of the instances that serve, and shows the keys that there are then.
func changeKeys(flags *flag.FlagSet, change func(ctx context.Context, openID *oidc.Extension, arguments []string) error) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		_, openID, err := newProvider(operatorIssuer, database, nil, logger)
		if err != nil {
			return err
		}
		if err := change(ctx, openID, arguments); err != nil {
			return err
		}
		return listKeys(ctx, database, nil, out)
	})
}
