package oauthkit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A program lists what is weaker than recommended.
func ExampleProvider_Check() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: []oauthkit.Grant{
			grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{Lifetime: 10 * time.Minute}),
		},
		AccessTokenLifetime: 12 * time.Hour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range provider.Check(context.Background()) {
		fmt.Println(finding.Severity, finding.ID)
	}
	// Output:
	// warning grants.W001
	// warning memstore.W001
	// warning oauthkit.W003
	// warning oauthkit.W004
	// warning oauthkit.W005
	// warning oauthkit.W007
}

// A program that is about to serve logs what it has not accepted, and stops where the provider cannot work.
func ExampleProvider_CheckAtStart() {
	withoutTime := func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:       grants.Standard(store),
		UserIsActive: func(context.Context, string) (bool, error) { return true, nil },
		Logger:       slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Everything may be forgotten when this program ends, so that the store is in memory is accepted.
	if err := provider.CheckAtStart(context.Background(), "memstore.W001"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready")
	// Output:
	// level=WARN msg="Config.Observe is nil, so nobody is told of replays, failed authentication, consent and revocation" id=oauthkit.W003 hint="Set it to a function that keeps an audit log"
	// ready
}
