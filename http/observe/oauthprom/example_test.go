package oauthprom_test

import (
	"context"
	"fmt"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthprom"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func ExampleNew() {
	registry := prometheus.NewRegistry() // a program with metrics already has one
	observe, err := oauthprom.New(registry, oauthprom.Config{})
	if err != nil {
		panic(err)
	}
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{Observe: observe})
	if err != nil {
		panic(err)
	}
	_, _ = provider.NewAuthorizeRequest(context.Background(), url.Values{"client_id": {"nobody"}})

	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	metric := families[0].GetMetric()[0]
	for _, label := range metric.GetLabel() {
		if label.GetValue() != "" {
			fmt.Printf("%s=%q\n", label.GetName(), label.GetValue())
		}
	}
	fmt.Println(families[0].GetName(), metric.GetCounter().GetValue())
	// Output:
	// code="invalid_request"
	// event="authorize.rejected"
	// reason="application_unknown"
	// oauthkit_events_total 1
}
