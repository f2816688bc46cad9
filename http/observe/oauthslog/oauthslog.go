// Package oauthslog logs the events of a provider as an audit trail.
//
// The log contains every attribute of an event, including users. Restrict access to it
// accordingly.
package oauthslog

import (
	"context"
	"log/slog"

	"github.com/oauthkit/oauthkit"
)

// New returns a function for Config.Observe that logs each event as one record. The
// message is the [oauthkit.EventName]. The attributes are the
// [oauthkit.EventAttributes] and the trace_id, remote_ip and user_agent of the
// request. The level is Warn for signs of an attack or an outage, and Info for
// everything else.
func New(logger *slog.Logger) func(ctx context.Context, event oauthkit.Event) {
	return func(ctx context.Context, event oauthkit.Event) {
		if level := levelOf(event); logger.Enabled(ctx, level) {
			logger.LogAttrs(ctx, level, oauthkit.EventName(event), append(oauthkit.EventAttributes(event), requestAttributes(ctx)...)...)
		}
	}
}

// levelOf returns Warn for signs of an attack or an outage. A failed authentication is
// neither: programs with an old secret fail all day, and only the rate matters.
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
	var attributes []slog.Attr
	for _, attribute := range []slog.Attr{
		slog.String("trace_id", info.TraceID), slog.String("remote_ip", info.RemoteIP), slog.String("user_agent", info.UserAgent),
	} {
		if attribute.Value.String() != "" {
			attributes = append(attributes, attribute)
		}
	}
	return attributes
}
