// Package oauthprom counts the events of a provider for Prometheus.
//
// The counter is oauthkit_events_total, with the name of the event as the label event and what [oauthkit.EventLabels] lists as further
// labels, empty where an event has no such thing. None of them tells of a user, and their values are few, whatever anybody sends
// to the provider.
package oauthprom

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oauthkit/oauthkit"
)

// Config says what is counted apart. The zero value costs the fewest time series.
type Config struct {
	// ByApplication adds the label client_id, of applications that exist or did. False: all are counted together. Where anybody may
	// register applications, anybody can add time series.
	ByApplication bool
}

// New registers the counter and returns what counts events, for Config.Observe of the provider. The error is the registerer's: it
// has such a counter already. Several providers in one program need a registerer each, as prometheus.WrapRegistererWith makes them.
func New(registerer prometheus.Registerer, config Config) (func(ctx context.Context, event oauthkit.Event), error) {
	labels := append([]string{"event"}, oauthkit.EventLabels()...)
	if config.ByApplication {
		labels = append(labels, "client_id")
	}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oauthkit_events_total",
		Help: "What has happened in the OAuth provider, by the name of the event.",
	}, labels)
	if err := registerer.Register(counter); err != nil {
		return nil, fmt.Errorf("oauthprom: %w", err)
	}
	return func(_ context.Context, event oauthkit.Event) {
		counter.WithLabelValues(labelValues(labels, event)...).Inc()
	}, nil
}

// labelValues returns the values of the labels, the first of which is the event's name.
func labelValues(labels []string, event oauthkit.Event) []string {
	values := make([]string, len(labels))
	values[0] = oauthkit.EventName(event)
	for _, attribute := range oauthkit.EventAttributes(event) {
		if i := slices.Index(labels, attribute.Key); i >= 0 {
			values[i] = attribute.Value.String()
		}
	}
	return values
}
