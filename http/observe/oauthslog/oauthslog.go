// Package oauthslog writes the events of a provider to a log, as an audit trail.
//
// It tells everything that an event does, users included. Whoever may read the log must be allowed to know that.
package oauthslog

import (
	"context"
	"log/slog"

	"github.com/oauthkit/oauthkit"
)

// New returns what writes events to the logger, for Config.Observe of the provider. An event is one record: its message is the
// [oauthkit.EventName], and its attributes are the [oauthkit.EventAttributes] and what is known of the request: trace_id,
// remote_ip, user_agent. The level is Warn for what somebody should look at, and Info for everything else.
func New(logger *slog.Logger) func(ctx context.Context, event oauthkit.Event) {
	return func(ctx context.Context, event oauthkit.Event) {
		if level := levelOf(event); logger.Enabled(ctx, level) {
			logger.LogAttrs(ctx, level, oauthkit.EventName(event), append(oauthkit.EventAttributes(event), requestAttributes(ctx)...)...)
		}
	}
}

// levelOf is Warn for signs of an attack or of an outage. A failed authentication is neither: programs with old secrets do it all
// day, and what counts is how often.
func levelOf(event oauthkit.Event) slog.Level {
	switch event.(type) {
	case oauthkit.CredentialReplayed, oauthkit.CredentialRepeated, oauthkit.CredentialShared, oauthkit.CredentialMisused,
		oauthkit.CrossSiteBlocked, oauthkit.CheckFailed, oauthkit.StorageUnavailable,
		oauthkit.RequestPanicked, oauthkit.RequestsRefused:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func requestAttributes(ctx context.Context) []slog.Attr {
	info := oauthkit.RequestInfoFrom(ctx)
	var known []slog.Attr
	for _, attribute := range []slog.Attr{
		slog.String("trace_id", info.TraceID), slog.String("remote_ip", info.RemoteIP), slog.String("user_agent", info.UserAgent),
	} {
		if attribute.Value.String() != "" {
			known = append(known, attribute)
		}
	}
	return known
}
