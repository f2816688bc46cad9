// Package oauthprom counts the events of a provider for Prometheus.
//
// The counter is oauthkit_events_total. Its labels are event, which is the name of
// the event, and those of [oauthkit.EventLabels]. A label that an event lacks is
// empty. No label identifies a user, and requests cannot add label values without
// limit.
package oauthprom

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oauthkit/oauthkit"
)

// Config configures the counter. The zero value creates the fewest time series.
type Config struct {
	// ByApplication adds the label client_id of existing and former applications. If
	// anyone may register applications, anyone can add time series.
	ByApplication bool
}

// New registers the counter and returns a function for Config.Observe that counts
// events. It returns an error if the registerer already has the counter. Each
// provider in a program needs its own registerer, such as one from
// prometheus.WrapRegistererWith.
func New(registerer prometheus.Registerer, config Config) (func(ctx context.Context, event oauthkit.Event), error) {
	labels := append([]string{"event"}, oauthkit.EventLabels()...)
	if config.ByApplication {
		labels = append(labels, "client_id")
	}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oauthkit_events_total",
		Help: "Events of the OAuth provider by name.",
	}, labels)
	if err := registerer.Register(counter); err != nil {
		return nil, fmt.Errorf("oauthprom: %w", err)
	}
	return func(_ context.Context, event oauthkit.Event) {
		counter.WithLabelValues(labelValues(labels, event)...).Inc()
	}, nil
}

// labelValues returns the values of the labels. The first label is the event's name.
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
