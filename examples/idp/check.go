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

// checkCommand prints the findings that serve would log at its start, and fails if
// serve would not start. It changes nothing.
func checkCommand(flags *flag.FlagSet) action {
	issuer := flags.String("issuer", operatorIssuer, "`URL` of the issuer")
	seedFile := flags.String("seed", "", "JSON `file` that idp serve uses; its users and applications are not read")
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		seed, err := readSeed(*seedFile)
		if err != nil {
			return err
		}
		silent := slog.New(slog.NewTextHandler(io.Discard, nil)) // Check reports slog.DiscardHandler
		provider, _, err := newProvider(database, settings{issuer: *issuer, seed: seed, keys: oidc.ReadOnlyKeys(database.store), logger: silent})
		if err != nil {
			return err
		}
		findings, failed := provider.Check(ctx), false
		for _, finding := range findings {
			fmt.Fprintf(out, "%s %s\n", finding.Severity, finding)
			failed = failed || finding.Severity != oauthkit.SeverityWarning
		}
		if failed {
			return errors.New("the provider would not start")
		}
		_, err = fmt.Fprintf(out, "warnings: %d\n", len(findings))
		return err
	})
}
