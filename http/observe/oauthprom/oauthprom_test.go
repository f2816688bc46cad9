package oauthprom_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthprom"
	"github.com/oauthkit/oauthkit/internal/oauthtest/events"
)

// series returns the non-empty labels of every series in the registry, by the label
// event.
func series(t *testing.T, registry *prometheus.Registry) map[string]map[string]string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				if label.GetValue() != "" {
					labels[label.GetName()] = label.GetValue()
				}
			}
			if value := metric.GetCounter().GetValue(); family.GetName() != "oauthkit_events_total" || value != 2 {
				t.Errorf("got %s %v with value %v, want the counter with 2", family.GetName(), labels, value)
			}
			found[labels["event"]] = labels
		}
	}
	return found
}

// TestEvents counts each event twice and checks that it has one series with bounded
// labels.
func TestEvents(t *testing.T) {
	for _, byApplication := range []bool{false, true} {
		registry := prometheus.NewRegistry()
		observe, err := oauthprom.New(registry, oauthprom.Config{ByApplication: byApplication})
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range slices.Repeat(events.All(), 2) {
			observe(t.Context(), event)
		}
		found := series(t, registry)
		for _, event := range events.All() {
			want := map[string]string{"event": oauthkit.EventName(event)}
			for _, attribute := range oauthkit.EventAttributes(event) {
				if slices.Contains(oauthkit.EventLabels(), attribute.Key) || byApplication && attribute.Key == "client_id" {
					want[attribute.Key] = attribute.Value.String()
				}
			}
			if got := found[want["event"]]; len(got) != len(want) || !containsAll(got, want) {
				t.Errorf("%T: got labels %v, want %v", event, got, want)
			}
		}
		if len(found) != len(events.All()) {
			t.Errorf("got %d series, want %d", len(found), len(events.All()))
		}
	}
}

func containsAll(got, want map[string]string) bool {
	for name, value := range want {
		if got[name] != value {
			return false
		}
	}
	return true
}

// TestTwice checks that New returns an error if the registry has the counter already,
// and that two providers can share a registry.
func TestTwice(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, name := range []string{"one", "other"} {
		if _, err := oauthprom.New(prometheus.WrapRegistererWith(prometheus.Labels{"provider": name}, registry), oauthprom.Config{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := oauthprom.New(prometheus.WrapRegistererWith(prometheus.Labels{"provider": "one"}, registry), oauthprom.Config{})
	if err == nil || !strings.HasPrefix(err.Error(), "oauthprom: ") {
		t.Errorf("got %v, want an error of this package", err)
	}
}
