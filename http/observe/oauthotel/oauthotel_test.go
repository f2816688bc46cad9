package oauthotel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthotel"
	"github.com/oauthkit/oauthkit/internal/oauthtest/events"
)

// counted returns the attributes of every point of the counter, by event.
func counted(t *testing.T, reader sdkmetric.Reader) map[string]attribute.Set {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	found := map[string]attribute.Set{}
	for _, scope := range data.ScopeMetrics {
		for _, one := range scope.Metrics {
			for _, point := range one.Data.(metricdata.Sum[int64]).DataPoints {
				name, _ := point.Attributes.Value("event")
				found[name.AsString()] = point.Attributes
				if one.Name != "oauthkit.events" || point.Value != 1 {
					t.Errorf("got %s %v with value %d, want the counter with 1", one.Name, point.Attributes.ToSlice(), point.Value)
				}
			}
		}
	}
	return found
}

// TestEvents checks that an event of each type is counted with bounded attributes,
// and that the span has every attribute that does not identify a user.
func TestEvents(t *testing.T) {
	for _, byApplication := range []bool{false, true} {
		reader, spans := sdkmetric.NewManualReader(), tracetest.NewSpanRecorder()
		meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
		observe, err := oauthotel.New(meter, oauthotel.Config{ByApplication: byApplication})
		if err != nil {
			t.Fatal(err)
		}
		ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test").Start(t.Context(), "request")
		for _, event := range events.All() {
			observe(ctx, event)
		}
		span.End()
		points, onSpan := counted(t, reader), spans.Ended()[0].Events()
		if len(points) != len(events.All()) || len(onSpan) != len(events.All()) {
			t.Fatalf("got %d points and %d events, want %d of each", len(points), len(onSpan), len(events.All()))
		}
		for i, event := range events.All() {
			checkPoint(t, event, points[oauthkit.EventName(event)], byApplication)
			checkSpanEvent(t, event, onSpan[i])
		}
	}
}

func checkPoint(t *testing.T, event oauthkit.Event, point attribute.Set, byApplication bool) {
	t.Helper()
	want := []string{"event"}
	for _, a := range oauthkit.EventAttributes(event) {
		if slices.Contains(oauthkit.EventLabels(), a.Key) || byApplication && a.Key == "client_id" {
			want = append(want, a.Key)
		}
	}
	slices.Sort(want)
	if got := keys(point.ToSlice()); !slices.Equal(got, want) {
		t.Errorf("%T: got the counter attributes %v, want %v", event, got, want)
	}
}

func checkSpanEvent(t *testing.T, event oauthkit.Event, got sdktrace.Event) {
	t.Helper()
	want := 0
	for _, a := range oauthkit.EventAttributes(event) {
		if a.Key != "subject" && a.Key != "by" {
			want++
		}
	}
	text := fmt.Sprint(got.Attributes)
	if got.Name != oauthkit.EventName(event) || len(got.Attributes) != want {
		t.Errorf("%T: got %s with %s, want %d attributes", event, got.Name, text, want)
	}
	if strings.Contains(text, ".Subject") || strings.Contains(text, ".By") {
		t.Errorf("%T: got the user in %s", event, text)
	}
}

func keys(attributes []attribute.KeyValue) []string {
	var names []string
	for _, a := range attributes {
		names = append(names, string(a.Key))
	}
	slices.Sort(names)
	return names
}

// TestNoSpan checks that an event without a span is counted.
func TestNoSpan(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	observe, err := oauthotel.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"), oauthotel.Config{})
	if err != nil {
		t.Fatal(err)
	}
	observe(t.Context(), oauthkit.StorageUnavailable{Endpoint: "token"})
	if points := counted(t, reader); len(points) != 1 {
		t.Errorf("got %v, want one point", points)
	}
}

// brokenMeter is a meter that cannot create counters.
type brokenMeter struct{ noop.Meter }

func (brokenMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errors.New("no counters here")
}

func TestBrokenMeter(t *testing.T) {
	if _, err := oauthotel.New(brokenMeter{}, oauthotel.Config{}); err == nil || err.Error() != "oauthotel: no counters here" {
		t.Errorf("got %v, want the meter's error", err)
	}
}

// TestUser checks that a span has no attribute that identifies a user.
func TestUser(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	observe, err := oauthotel.New(noop.Meter{}, oauthotel.Config{ByApplication: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := oauthkit.WithRequestInfo(context.Background(), oauthkit.RequestInfo{RemoteIP: "192.0.2.1", UserAgent: "a browser"})
	ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test").Start(ctx, "request")
	observe(ctx, oauthkit.ConsentGranted{ClientID: "web", Subject: "alice", Scopes: oauthkit.Scopes{"openid", "read"}})
	span.End()
	got := spans.Ended()[0].Events()[0].Attributes
	want := []attribute.KeyValue{attribute.String("client_id", "web"), attribute.String("scopes", "openid read")}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
