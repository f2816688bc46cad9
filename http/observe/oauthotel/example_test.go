package oauthotel_test

import (
	"context"
	"fmt"
	"net/url"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthotel"
	"github.com/oauthkit/oauthkit/store/memstore"
)

func ExampleNew() {
	// A program with OpenTelemetry already has these, and middleware that starts a
	// span for each request.
	reader, spans := sdkmetric.NewManualReader(), tracetest.NewSpanRecorder()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("oauth")
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("oauth")

	observe, err := oauthotel.New(meter, oauthotel.Config{})
	if err != nil {
		panic(err)
	}
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{Observe: observe})
	if err != nil {
		panic(err)
	}
	ctx, span := tracer.Start(context.Background(), "GET /o/authorize")
	_, _ = provider.NewAuthorizeRequest(ctx, url.Values{"client_id": {"nobody"}})
	span.End()

	event := spans.Ended()[0].Events()[0]
	fmt.Println(event.Name)
	for _, a := range event.Attributes {
		fmt.Printf("  %s: %v\n", a.Key, a.Value.AsInterface())
	}
	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &metrics); err != nil {
		panic(err)
	}
	counter := metrics.ScopeMetrics[0].Metrics[0]
	fmt.Println(counter.Name, counter.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
	// Output:
	// authorize.rejected
	//   code: invalid_request
	//   reason: application_unknown
	//   description: the application is not known
	//   shown: true
	// oauthkit.events 1
}
