package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A host limits requests to two seconds and to 50 at the same time, has a readiness
// probe for its load balancer, and counts refused requests.
func ExampleConfig_maxInFlight() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:  grants.Standard(store),
		Timeout: 2 * time.Second,
		Observe: func(_ context.Context, event oauthkit.Event) {
			if refused, ok := event.(oauthkit.RequestsRefused); ok {
				fmt.Println("refused", refused.Refused)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{MaxInFlight: 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/o/", handler)
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := provider.Ready(r.Context()); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	fmt.Println(provider.Ready(context.Background()))
	// Output:
	// <nil>
}
