package oauthkit_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// sayer is an extension of the host's own with something to say.
type sayer []oauthkit.Finding

func (sayer) Extend(*oauthkit.Registry) error { return nil }

func (s sayer) Check(context.Context) []oauthkit.Finding { return s }

// TestCheckAtStart shows what stops a program: everything that is no warning, what has no severity included.
func TestCheckAtStart(t *testing.T) {
	warning := oauthkit.Finding{ID: "host.W001", Severity: oauthkit.SeverityWarning, Message: "old", Hint: "renew"}
	broken := oauthkit.Finding{ID: "host.E001", Severity: oauthkit.SeverityError, Message: "broken", Hint: "repair"}
	unknown := oauthkit.Finding{ID: "host.X001", Message: "nobody knows", Hint: "find out"}
	tests := map[string]struct {
		findings            sayer
		accepted            []string
		failed, logged, not []string
	}{
		"nothing":             {nil, nil, nil, nil, []string{"host"}},
		"a warning":           {sayer{warning}, nil, nil, []string{"level=WARN msg=old id=host.W001 hint=renew"}, nil},
		"an accepted warning": {sayer{warning}, []string{"host.W001"}, nil, nil, []string{"host"}},
		"an error":            {sayer{warning, broken}, nil, []string{"host.E001: broken. repair"}, []string{"level=WARN", "level=ERROR msg=broken"}, nil},
		"an accepted error":   {sayer{broken}, []string{"host.E001"}, []string{"host.E001"}, []string{"level=ERROR"}, nil},
		"no severity":         {sayer{unknown}, nil, []string{"host.X001"}, []string{"level=ERROR"}, nil},
		"two errors":          {sayer{unknown, broken}, nil, []string{"host.E001", "host.X001"}, nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newCheckScene(t)
			s.config.Extensions = []oauthkit.Extension{test.findings}
			err := s.provider().CheckAtStart(t.Context(), test.accepted...)
			if (err != nil) != (test.failed != nil) {
				t.Fatalf("got %v, want an error: %t", err, test.failed != nil)
			}
			for _, want := range test.failed {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %s", err, want)
				}
			}
			for _, want := range test.logged {
				if !strings.Contains(s.log.String(), want) {
					t.Errorf("got the log %q, want it to hold %q", s.log.String(), want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(s.log.String(), not) {
					t.Errorf("got the log %q, want nothing with %q", s.log.String(), not)
				}
			}
		})
	}
}

// TestCheckAtStart_Events shows that an observer is told of what keeps the program from starting, once each, and of nothing else.
func TestCheckAtStart_Events(t *testing.T) {
	s := newCheckScene(t)
	s.config.Extensions = []oauthkit.Extension{sayer{
		{ID: "host.W001", Severity: oauthkit.SeverityWarning, Message: "old"},
		{ID: "host.E001", Severity: oauthkit.SeverityError, Message: "broken"},
		{ID: "host.E002", Severity: oauthkit.SeverityError, Message: "lost"},
	}}
	var events []oauthkit.Event
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { events = append(events, event) }
	if err := s.provider().CheckAtStart(t.Context()); err == nil {
		t.Error("got no error, want the findings")
	}
	want := []oauthkit.Event{
		oauthkit.CheckFailed{FindingID: "host.E001", Message: "broken"},
		oauthkit.CheckFailed{FindingID: "host.E002", Message: "lost"},
	}
	if !slices.Equal(events, want) {
		t.Errorf("got %+v, want %+v", events, want)
	}
}
