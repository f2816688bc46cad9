// Package oauthotel puts the events of a provider into OpenTelemetry: a counter, and an event on the span of the request.
//
// Traces are seen by many and leave the house, so they tell of no user: neither who did something, nor to whom it happened, nor
// from which address. A span's event names the Authorization instead, by which a log can be searched. The counter has few
// attributes with few values, whatever anybody sends to the provider.
package oauthotel

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/oauthkit/oauthkit"
)

// Config says what is counted apart. The zero value costs the fewest time series.
type Config struct {
	// ByApplication adds the attribute client_id to the counter, of applications that exist or did. False: all are counted together.
	// Where anybody may register applications, anybody can add time series.
	ByApplication bool
}

// New makes the counter oauthkit.events and returns what counts events and adds them to the span in their context, if there is
// one, for Config.Observe of the provider. The counter's attributes are event, the name, and what [oauthkit.EventLabels] lists.
func New(meter metric.Meter, config Config) (func(ctx context.Context, event oauthkit.Event), error) {
	counter, err := meter.Int64Counter("oauthkit.events",
		metric.WithUnit("{event}"), metric.WithDescription("What has happened in the OAuth provider, by the name of the event."))
	if err != nil {
		return nil, fmt.Errorf("oauthotel: %w", err)
	}
	labels := oauthkit.EventLabels()
	if config.ByApplication {
		labels = append(labels, "client_id")
	}
	return func(ctx context.Context, event oauthkit.Event) {
		name, attributes := oauthkit.EventName(event), oauthkit.EventAttributes(event)
		counted := slices.DeleteFunc(slices.Clone(attributes), func(a slog.Attr) bool { return !slices.Contains(labels, a.Key) })
		counter.Add(ctx, 1, metric.WithAttributes(append(keyValues("", counted), attribute.String("event", name))...))
		if span := trace.SpanFromContext(ctx); span.IsRecording() {
			span.AddEvent(name, trace.WithAttributes(keyValues("", slices.DeleteFunc(attributes, isPersonal))...))
		}
	}, nil
}

// isPersonal reports whether an attribute names a user.
func isPersonal(a slog.Attr) bool { return a.Key == "subject" || a.Key == "by" }

// keyValues are attributes in OpenTelemetry's form. The members of a group have its name before theirs.
func keyValues(prefix string, attributes []slog.Attr) []attribute.KeyValue {
	var all []attribute.KeyValue
	for _, a := range attributes {
		key, value := prefix+a.Key, a.Value
		texts, isTexts := value.Any().([]string)
		switch {
		case value.Kind() == slog.KindGroup:
			all = append(all, keyValues(key+".", value.Group())...)
		case value.Kind() == slog.KindBool:
			all = append(all, attribute.Bool(key, value.Bool()))
		case value.Kind() == slog.KindInt64:
			all = append(all, attribute.Int64(key, value.Int64()))
		case isTexts:
			all = append(all, attribute.StringSlice(key, texts))
		default:
			all = append(all, attribute.String(key, value.String()))
		}
	}
	return all
}
