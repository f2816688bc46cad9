package oauthslog_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/observe/oauthslog"
	"github.com/oauthkit/oauthkit/internal/oauthtest/events"
)

// TestEvents checks that an event of each type is one record with the attributes of
// the event and of the request.
func TestEvents(t *testing.T) {
	var text bytes.Buffer
	observe := oauthslog.New(slog.New(slog.NewJSONHandler(&text, nil)))
	ctx := oauthkit.WithRequestInfo(t.Context(), oauthkit.RequestInfo{TraceID: "trace", RemoteIP: "192.0.2.1", UserAgent: "forged\nlevel=ERROR"})
	var warned []string
	for _, event := range events.All() {
		text.Reset()
		observe(ctx, event)
		if strings.Count(text.String(), "\n") != 1 {
			t.Errorf("%T: got %q, want one line", event, &text)
		}
		var record map[string]any
		if err := json.Unmarshal(text.Bytes(), &record); err != nil {
			t.Fatalf("%T: %v", event, err)
		}
		if record["msg"] != oauthkit.EventName(event) {
			t.Errorf("%T: got message %v, want %s", event, record["msg"], oauthkit.EventName(event))
		}
		for _, attribute := range oauthkit.EventAttributes(event) {
			if record[attribute.Key] == nil {
				t.Errorf("%T: got %v, want the attribute %s", event, record, attribute.Key)
			}
		}
		if record["trace_id"] != "trace" || record["remote_ip"] != "192.0.2.1" || record["user_agent"] != "forged\nlevel=ERROR" {
			t.Errorf("%T: got %v, want the attributes of the request", event, record)
		}
		if record["level"] == "WARN" {
			warned = append(warned, oauthkit.EventName(event))
		}
	}
	slices.Sort(warned)
	want := []string{
		"check.failed", "credential.misused", "credential.repeated", "credential.replayed", "credential.shared",
		"csrf.blocked", "request.panicked", "requests.refused", "storage.unavailable",
	}
	if !slices.Equal(warned, want) {
		t.Errorf("got warnings %v, want %v", warned, want)
	}
}

// TestLevel checks that a logger at level Warn gets only warnings.
func TestLevel(t *testing.T) {
	var text bytes.Buffer
	observe := oauthslog.New(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelWarn})))
	observe(t.Context(), oauthkit.ConsentGranted{ClientID: "web"})
	if text.Len() > 0 {
		t.Errorf("got %q, want nothing", &text)
	}
	observe(t.Context(), oauthkit.StorageUnavailable{Endpoint: "token"})
	if !strings.HasSuffix(text.String(), "level=WARN msg=storage.unavailable endpoint=token\n") {
		t.Errorf("got %q, want a warning without a request", &text)
	}
}
