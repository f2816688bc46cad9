package oauthslog_test

import (
	"context"
	"log/slog"
	"net/url"
	"os"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthslog"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func ExampleNew() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{Observe: oauthslog.New(logger)})
	if err != nil {
		panic(err)
	}
	_, _ = provider.NewAuthorizeRequest(context.Background(), url.Values{"client_id": {"nobody"}})
	// Output:
	// level=INFO msg=authorize.rejected code=invalid_request reason=application_unknown description="the application is not known" shown=true
}

func withoutTime(_ []string, attribute slog.Attr) slog.Attr {
	if attribute.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attribute
}
