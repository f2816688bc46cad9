package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// checkCommand prints what serving with these flags would log at its start, and fails where it would not start. It changes
// nothing.
func checkCommand(flags *flag.FlagSet) action {
	issuer := flags.String("issuer", operatorIssuer, "`URL` of the issuer that serves")
	seedFile := flags.String("seed", "", "JSON `file` that it is served with, for its scopes; nothing of it is stored")
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		seed, err := readSeed(*seedFile)
		if err != nil {
			return err
		}
		unheard := slog.New(slog.NewTextHandler(io.Discard, nil)) // not slog.DiscardHandler, which Check would find
		provider, _, err := newProvider(*issuer, database, oidc.ReadOnlyKeys(database.store), seed.Scopes, unheard)
		if err != nil {
			return err
		}
		findings, failed := provider.Check(ctx), false
		for _, finding := range findings {
			fmt.Fprintf(out, "%s %s\n", finding.Severity, finding)
			failed = failed || finding.Severity != oauthkit.SeverityWarning
		}
		if failed {
			return errors.New("the provider cannot be started like this")
		}
		_, err = fmt.Fprintf(out, "warnings: %d\n", len(findings))
		return err
	})
}
