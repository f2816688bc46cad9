// Package oauthotel exports the events of a provider to OpenTelemetry, as a counter
// and as events on the span of the request.
//
// Many people and external services see traces, so spans identify no user and no
// address. A span event has the id of the Authorization instead, by which the log can
// be searched. The counter has few attributes, and requests cannot add values without
// limit.
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

// Config configures the counter. The zero value creates the fewest time series.
type Config struct {
	// ByApplication adds the attribute client_id of existing and former applications
	// to the counter. If anyone may register applications, anyone can add time
	// series.
	ByApplication bool
}

// New creates the counter oauthkit.events and returns a function for Config.Observe. The
// function counts events and adds them to the span in their context, if there is one. The
// counter's attributes are event, which is the name of the event, and those of
// [oauthkit.EventLabels].
func New(meter metric.Meter, config Config) (func(ctx context.Context, event oauthkit.Event), error) {
	counter, err := meter.Int64Counter("oauthkit.events",
		metric.WithUnit("{event}"), metric.WithDescription("Events of the OAuth provider by name."))
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

// isPersonal reports whether an attribute identifies a user.
func isPersonal(a slog.Attr) bool { return a.Key == "subject" || a.Key == "by" }

// keyValues converts attributes to OpenTelemetry. The key of an attribute in a group
// begins with the group's name.
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
