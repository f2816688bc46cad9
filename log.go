package oauthkit

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// This file keeps the types that hold secrets out of logs: whatever the verb, they print as their name and a placeholder.
// [SecretHash] does so by itself, and whatever else is stored holds hashes only.

// Format implements [fmt.Formatter]. Config holds the Secret.
func (Config) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Config") }

// Format implements [fmt.Formatter]. A Provider holds its Config.
func (*Provider) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Provider") }

// Format implements [fmt.Formatter]. The Form of a TokenRequest holds the credentials that were presented.
func (TokenRequest) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.TokenRequest") }

// LogValue implements [slog.LogValuer].
func (TokenRequest) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. Only MarshalJSON, which writes the answer, tells the tokens.
func (TokenResponse) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.TokenResponse") }

// LogValue implements [slog.LogValuer].
func (TokenResponse) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. An Issued holds a TokenResponse.
func (Issued) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.Issued") }

// LogValue implements [slog.LogValuer].
func (Issued) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format implements [fmt.Formatter]. A SigningKey holds the private key, in clear where there is no Config.Secret.
func (SigningKey) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.SigningKey") }

// LogValue implements [slog.LogValuer].
func (SigningKey) LogValue() slog.Value { return slog.StringValue(redacted) }

func printRedacted(to fmt.State, name string) {
	_, _ = io.WriteString(to, name+redacted) // a State cannot fail
}

// RequestInfo is what an event or a line in a log can be traced to: the request on whose behalf something happens. All of it
// but a TraceID of the library's own is what others say, so log it as a value and never as a part of a text.
type RequestInfo struct {
	// TraceID names the request in logs and on error pages. Empty: unknown.
	TraceID string
	// RemoteIP is the address that the request came from. Empty: unknown.
	RemoteIP string
	// UserAgent is what the program that sent the request calls itself. Empty: unknown.
	UserAgent string
}

// maxRequestInfo is the number of bytes that is kept of each field.
const maxRequestInfo = 256

// requestInfoKey is the key of the RequestInfo in a context.
type requestInfoKey struct{}

// WithRequestInfo returns a context that tells what is known of the request. A host that puts it around the handler of package
// oauthhttp decides what is known, such as the address that its proxy has seen; the handler adds only what is empty. Of each field
// no more than 256 bytes are kept, and nothing that is not UTF-8.
func WithRequestInfo(ctx context.Context, info RequestInfo) context.Context {
	for _, text := range []*string{&info.TraceID, &info.RemoteIP, &info.UserAgent} {
		*text = bounded(*text)
	}
	return context.WithValue(ctx, requestInfoKey{}, info)
}

// RequestInfoFrom returns what is known of the request in whose context something happens; a zero RequestInfo where nothing is.
func RequestInfoFrom(ctx context.Context) RequestInfo {
	info, _ := ctx.Value(requestInfoKey{}).(RequestInfo)
	return info
}

// bounded returns the beginning of a text that others wrote.
func bounded(text string) string {
	if len(text) > maxRequestInfo {
		text = text[:maxRequestInfo]
	}
	return strings.ToValidUTF8(text, "")
}
