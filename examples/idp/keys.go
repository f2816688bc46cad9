package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// listKeysCommand prints no private keys and needs no IDP_SECRET.
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
	fmt.Fprintln(table, "KID\tALGORITHM\tSTATE\tCREATED\tSIGNS FROM")
	states := oidc.KeyStates(keys, time.Now())
	for _, key := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n",
			key.ID, key.Algorithm, states[key.ID], key.CreatedAt.Format(time.RFC3339), key.ActiveAt.Format(time.RFC3339))
	}
	return table.Flush()
}

// rotateKeysCommand rotates the signing keys. Running instances load the new keys by
// themselves.
func rotateKeysCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		openID, err := openKeys(database)
		if err != nil {
			return err
		}
		if err := openID.RotateKeys(ctx); err != nil {
			return err
		}
		return listKeys(ctx, database, nil, out)
	})
}

// maxKeyFile is larger than every private key in PEM.
const maxKeyFile = 64 << 10

// importKeyCommand imports a private key.
func importKeyCommand(flags *flag.FlagSet) action {
	state := flags.String("state", string(oidc.KeyAnnounced), "`state` in which the key enters the ring: announced, active or retiring")
	algorithm := flags.String("algorithm", "", "`algorithm` of an RSA key: RS256 or PS256; empty for RS256")
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		text, err := readKey(arguments[0])
		if err != nil {
			return err
		}
		openID, err := openKeys(database)
		if err != nil {
			return err
		}
		imported := oidc.Import{PEM: text, Algorithm: *algorithm, State: oidc.KeyState(*state)}
		if _, err := openID.ImportKey(ctx, imported); err != nil {
			return err
		}
		return listKeys(ctx, database, nil, out)
	})
}

// readKey reads a file, or standard input if its name is -.
func readKey(name string) ([]byte, error) {
	in := os.Stdin
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, maxKeyFile+1))
}

// removeKeyCommand removes a compromised key.
func removeKeyCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		if err := checkKey(ctx, database, arguments[0]); err != nil {
			return err
		}
		openID, err := openKeys(database)
		if err != nil {
			return err
		}
		if err := openID.RemoveKey(ctx, arguments[0]); err != nil {
			return err
		}
		return listKeys(ctx, database, nil, out)
	})
}

// checkKey rejects an unknown kid, so that a typing error does not look like a removal.
func checkKey(ctx context.Context, database *database, kid string) error {
	keys, err := database.store.SigningKeys(ctx)
	if err == nil && !slices.ContainsFunc(keys, func(key *oauthkit.SigningKey) bool { return key.ID == kid }) {
		err = fmt.Errorf("signing key %q not found; run idp keys list to see all", kid)
	}
	return err
}

// openKeys returns the extension for changing keys. It needs the IDP_SECRET of the
// running instances.
func openKeys(database *database) (*oidc.Extension, error) {
	_, openID, err := newProvider(database, settings{issuer: operatorIssuer, seed: &seed{}, keys: database.store, logger: commandLogger()})
	return openID, err
}
