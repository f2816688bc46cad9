package oauthkit

import (
	"context"
	"strings"
)

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
