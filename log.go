package oauthkit

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// RequestInfo identifies the request that an event or a log line belongs to.
// Everything except a TraceID that the library generated comes from others, so log
// it as a value and never as part of a text.
type RequestInfo struct {
	// TraceID identifies the request in logs and on error pages. If empty, it is unknown.
	TraceID string
	// RemoteIP is the address that the request came from. If empty, it is unknown.
	RemoteIP string
	// UserAgent is the User-Agent header. If empty, it is unknown.
	UserAgent string
}

// maxRequestInfo is the maximum length of each field in bytes.
const maxRequestInfo = 256

// requestInfoKey is the key of the RequestInfo in a context.
type requestInfoKey struct{}

// WithRequestInfo returns a context with a RequestInfo. A host that calls it in a
// handler around the one of package oauthhttp decides the values, such as the
// address that its proxy has seen; the handler fills in only empty fields. Each
// field is cut to 256 bytes, and invalid UTF-8 is removed.
func WithRequestInfo(ctx context.Context, info RequestInfo) context.Context {
	for _, text := range []*string{&info.TraceID, &info.RemoteIP, &info.UserAgent} {
		*text = bounded(*text)
	}
	return context.WithValue(ctx, requestInfoKey{}, info)
}

// RequestInfoFrom returns the RequestInfo of the context, or the zero value.
func RequestInfoFrom(ctx context.Context) RequestInfo {
	info, _ := ctx.Value(requestInfoKey{}).(RequestInfo)
	return info
}

// bounded returns the beginning of a text.
func bounded(text string) string {
	if len(text) > maxRequestInfo {
		text = text[:maxRequestInfo]
	}
	return strings.ToValidUTF8(text, "")
}

// The types below hold secrets. They print and log as a placeholder.

// Format implements [fmt.Formatter]. A Config holds the Secret.
func (Config) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Config") }

// Format implements [fmt.Formatter]. A Provider holds its Config.
func (*Provider) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Provider") }

// Format implements [fmt.Formatter]. A TokenRequest holds the presented credentials.
func (TokenRequest) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.TokenRequest") }

// LogValue implements [slog.LogValuer].
func (TokenRequest) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. Only MarshalJSON, which writes the
// response, returns the tokens.
func (TokenResponse) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.TokenResponse") }

// LogValue implements [slog.LogValuer].
func (TokenResponse) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. An Issued holds a TokenResponse.
func (Issued) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Issued") }

// LogValue implements [slog.LogValuer].
func (Issued) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. A SigningKey holds the private key, in clear if
// Config.Secret is empty.
func (SigningKey) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.SigningKey") }

// LogValue implements [slog.LogValuer].
func (SigningKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// printRedacted prints the name of a type with a placeholder, whatever the verb.
// SecretHash does so itself; other stored types hold only hashes.
func printRedacted(to fmt.State, name string) {
	_, _ = io.WriteString(to, name+redacted) // a State cannot fail
}
