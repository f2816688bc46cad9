package oauthkit

import (
	"fmt"
	"io"
	"log/slog"
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

// Format implements [fmt.Formatter]. A SigningKey holds the private key, in clear where there is no Config.Secret.
func (SigningKey) Format(to fmt.State, _ rune) { printRedacted(to, "oauthkit.SigningKey") }

// LogValue implements [slog.LogValuer].
func (SigningKey) LogValue() slog.Value { return slog.StringValue(redacted) }

func printRedacted(to fmt.State, name string) {
	_, _ = io.WriteString(to, name+redacted) // a State cannot fail
}
