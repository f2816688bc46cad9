package attacktest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthotel"
	"github.com/oauthkit/oauthkit/http/observe/oauthprom"
	"github.com/oauthkit/oauthkit/http/observe/oauthslog"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestObservers tests what metrics, traces and the audit log reveal.
func TestObservers(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		observed("ST-10 secrets and users", quietObservers),
		observed("ST-10 cardinality", boundedLabels),
	})
}

// adapters holds every adapter for observation and its output.
type adapters struct {
	log      bytes.Buffer
	registry *prometheus.Registry
	reader   *sdkmetric.ManualReader
	spans    *tracetest.SpanRecorder
}

// observed returns a case whose provider is observed by all adapters, with a span for
// each event.
func observed(name string, test func(*testing.T, *fixture.Server, *adapters)) fixture.Case {
	var all *adapters
	return fixture.Case{
		Name: name,
		Configure: func(config *oauthkit.Config, _ storetest.Store) {
			all = &adapters{registry: prometheus.NewRegistry(), reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
			config.Observe = oauthkit.Observers(config.Observe, all.observer())
		},
		Test: func(t *testing.T, s *fixture.Server) { test(t, s, all) },
	}
}

func (a *adapters) observer() func(context.Context, oauthkit.Event) {
	counted, err := oauthprom.New(a.registry, oauthprom.Config{ByApplication: true})
	if err != nil {
		panic(err) // cannot happen with a new registry
	}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(a.reader)).Meter("test")
	traced, err := oauthotel.New(meter, oauthotel.Config{ByApplication: true})
	if err != nil {
		panic(err) // cannot happen with a new meter
	}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(a.spans)).Tracer("test")
	logged := oauthslog.New(slog.New(slog.NewJSONHandler(&a.log, nil)))
	return func(ctx context.Context, event oauthkit.Event) {
		ctx, span := tracer.Start(ctx, "request")
		defer span.End()
		oauthkit.Observers(logged, counted, traced)(ctx, event)
	}
}

// metrics returns the text of both counters and the number of series of each.
func (a *adapters) metrics(t *testing.T) (text string, series int) {
	t.Helper()
	families, err := a.registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("got %d metrics, %v; want one", len(families), err)
	}
	var data metricdata.ResourceMetrics
	if err := a.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	points := data.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints
	if got, want := len(points), len(families[0].GetMetric()); got != want {
		t.Errorf("got %d series of OpenTelemetry, want the %d of Prometheus", got, want)
	}
	for _, point := range points {
		text += fmt.Sprintln(point.Attributes.ToSlice())
	}
	return families[0].String() + text, len(points)
}

// traces returns the text of the spans.
func (a *adapters) traces() string {
	var text strings.Builder
	for _, span := range a.spans.Ended() {
		fmt.Fprintln(&text, span.Attributes(), span.Events())
	}
	return text.String()
}

// quietObservers makes requests of every kind, valid and invalid, and looks for
// issued secrets, and for users outside the log.
func quietObservers(t *testing.T, s *fixture.Server, all *adapters) {
	tokens := everything(s)
	s.Web.Redeem(presented)
	s.Web.Refresh(presented)
	s.Evil.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	s.Evil.Introspect(tokens.Access).Inactive()
	s.Web.ClientCredentials("client_secret=" + presented)
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("client_id=" + presented)).ErrorPage(400)
	swapped := *s.WebPost // an application that swaps its id and its secret
	swapped.ID, swapped.Secret = s.WebPost.Secret, s.WebPost.ID
	swapped.ClientCredentials().Unauthorized()
	replayed := s.Browser("bob").Tokens(s.Web)
	s.Web.Refresh(s.Web.Refresh(replayed.Refresh).Tokens().Refresh).Tokens()
	s.Web.Refresh(replayed.Refresh).ErrorJSON(400, "invalid_grant")

	metrics, _ := all.metrics(t)
	traces, log := all.traces(), all.log.String()
	for _, value := range append(s.Secrets(), fixture.Verifier, presented) {
		for form, written := range spellings(value) {
			for place, text := range map[string]string{"metrics": metrics, "traces": traces, "log": log} {
				if strings.Contains(text, written) {
					t.Errorf("got the secret %s, as %s, in the %s, want none", value, form, place)
				}
			}
		}
	}
	for _, user := range []string{"alice", "bob", "127.0.0.1", "Go-http-client"} {
		if strings.Contains(metrics, user) || strings.Contains(traces, user) || user != "bob" && !strings.Contains(log, user) {
			t.Errorf("got %s in metrics or traces or not in the log, want it only in the log", user)
		}
	}
	for place, text := range map[string]string{"metrics": metrics, "traces": traces, "log": log} {
		for _, name := range []string{"token.issued", "credential.replayed", "introspection.denied", "client_auth.failed", "web"} {
			if !strings.Contains(text, name) {
				t.Errorf("got %s without %s, want it: otherwise the test checks nothing", place, name)
			}
		}
	}
}

// boundedLabels sends varying values in every place that takes them.
func boundedLabels(t *testing.T, s *fixture.Server, all *adapters) {
	send := func() {
		other := *s.WebPost
		other.ID = "nobody-" + secret.NewID()
		other.ClientCredentials().Unauthorized()
		s.Web.ClientCredentials("grant_type="+secret.NewID()).ErrorJSON(400, "unsupported_grant_type")
		s.Web.Redeem("x", "client_secret="+secret.NewID())
		alice := s.Browser("alice")
		alice.Authorize(s.Web.AuthorizeRequest("client_id=" + secret.NewID())).ErrorPage(400)
		alice.Authorize(s.Web.AuthorizeRequest("scope=" + secret.NewID())).Refused("invalid_scope")
		alice.Authorize(s.Web.AuthorizeRequest("response_type=" + secret.NewID())).Refused("unsupported_response_type")
		alice.Get("/o/applications/" + secret.NewID()).ErrorPage(404)
		request := fixture.NewRequest("POST", "/o/applications/"+secret.NewID()+"/delete", nil)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		request.Header.Set("Origin", "https://"+strings.ToLower(secret.NewID())+".test")
		alice.Do(request).ErrorPage(403)
		alice.Decide(alice.Open(s.Web.AuthorizeRequest()).Consent(), "allow", "token="+secret.NewID()).ErrorPage(403)
	}
	send()
	_, before := all.metrics(t)
	for range 5 {
		send()
	}
	if text, after := all.metrics(t); after != before || before < 5 {
		t.Errorf("got %d series, then %d; want the same, and at least 5:\n%s", before, after, text)
	}
}
