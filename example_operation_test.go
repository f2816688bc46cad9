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

// A program lists the settings that are weaker than recommended.
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

// Before a program serves, it logs the findings that it does not accept. It stops if
// the provider cannot work.
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
	// The example may lose its data at exit, so it accepts a store in memory.
	if err := provider.CheckAtStart(context.Background(), "memstore.W001"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready")
	// Output:
	// level=WARN msg="Config.Observe is nil, so replays, failed authentication, consent and revocation are not recorded" id=oauthkit.W003 hint="Set it to a function that writes an audit log"
	// ready
}

// A timer removes expired rows. Progress reports the number of each table.
func ExampleProvider_Cleanup() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	authorization := &oauthkit.Authorization{ID: "1", ClientID: "shop"} // expired for ever
	token := &oauthkit.AccessToken{Hash: "1", Authorization: authorization}
	if err := store.SaveTokens(ctx, authorization, oauthkit.Tokens{Access: token}); err != nil {
		fmt.Println(err)
		return
	}
	for _, dryRun := range []bool{true, false} {
		removed, err := provider.Cleanup(ctx, oauthkit.CleanupLimits{
			Batch: 500, Batches: 20, DryRun: dryRun,
			Progress: func(table string, rows int) { fmt.Println("  ", rows, table) },
		})
		fmt.Println("dry run:", dryRun, "access tokens:", removed["access_tokens"], "complete:", err == nil)
	}
	// Output:
	//    1 access_tokens
	//    1 authorizations
	// dry run: true access tokens: 1 complete: true
	//    1 access_tokens
	//    1 authorizations
	// dry run: false access tokens: 1 complete: true
}

// A server runs the upkeep beside its requests and waits for its end.
func ExampleRun() {
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- oauthkit.Run(ctx, provider, oauthkit.RunConfig{}) }()

	// The program serves requests here.

	stop()
	fmt.Println(<-done)
	// Output:
	// <nil>
}

// Every event goes to two functions: one prints it, one counts it.
func ExampleObservers() {
	count := map[string]int{}
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{
		Observe: oauthkit.Observers(
			func(_ context.Context, event oauthkit.Event) {
				fmt.Println(oauthkit.EventName(event), oauthkit.EventAttributes(event))
			},
			func(_ context.Context, event oauthkit.Event) { count[oauthkit.EventName(event)]++ },
		),
	})
	if err != nil {
		panic(err)
	}
	_, err = provider.NewAuthorizeRequest(context.Background(), map[string][]string{"client_id": {"nobody"}})
	fmt.Println(err)
	fmt.Println(count)
	// Output:
	// authorize.rejected [code=invalid_request reason=application_unknown description=the application is not known shown=true]
	// invalid_request: the application is not known
	// map[authorize.rejected:1]
}
