package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// Behind a proxy, the host sets the address of the client from a header. Only the
// host knows that the header comes from the proxy and not from the browser.
func Example_proxy() {
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{
		Observe: func(ctx context.Context, event oauthkit.Event) {
			info := oauthkit.RequestInfoFrom(ctx)
			fmt.Println(oauthkit.EventName(event), "from", info.RemoteIP, "with", info.UserAgent, "in", info.TraceID)
		},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{})
	if err != nil {
		panic(err)
	}
	behindProxy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := oauthkit.WithRequestInfo(r.Context(), oauthkit.RequestInfo{
			RemoteIP: r.Header.Get("X-Real-IP"),
			TraceID:  r.Header.Get("X-Request-ID"),
		})
		handler.ServeHTTP(w, r.WithContext(ctx))
	})

	request := httptest.NewRequest(http.MethodGet, "https://example.com/o/authorize?client_id=nobody", nil)
	request.Header = http.Header{"X-Real-Ip": {"203.0.113.9"}, "X-Request-Id": {"4f2c"}, "User-Agent": {"a-browser"}}
	behindProxy.ServeHTTP(httptest.NewRecorder(), request)
	// Output:
	// authorize.rejected from 203.0.113.9 with a-browser in 4f2c
}
