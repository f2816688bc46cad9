package oauthkit

import (
	"database/sql/driver"
	"time"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// GenerateSecret gives the application a new secret, forgets every other one, and returns the new one. It is the only time that
// it can be shown.
func (a *AbstractApplication) GenerateSecret() string {
	generated := secret.New(secret.ClientSecret)
	a.replaceSecrets(generated)
	return generated
}

// RotateSecret gives the application a new secret like GenerateSecret. The one that it had stays good for the time keep, so
// that its instances can change over one by one; zero: it ends at once.
func (a *AbstractApplication) RotateSecret(now time.Time, keep time.Duration) string {
	previous, generated := a.ClientSecret, secret.New(secret.ClientSecret)
	a.replaceSecrets(generated)
	if keep > 0 {
		until := now.Add(keep)
		a.PreviousSecret, a.PreviousSecretExpiresAt = previous, &until
	}
	return generated
}

// ImportSecret gives the application a secret that was chosen elsewhere, for moves and tests. What is stored is as hard to
// guess as the secret itself, so prefer GenerateSecret.
func (a *AbstractApplication) ImportSecret(chosen string) { a.replaceSecrets(chosen) }

// replaceSecrets leaves one secret, or none where it is empty. No host can override it.
func (a *AbstractApplication) replaceSecrets(value string) {
	a.ClientSecret, a.PreviousSecret, a.PreviousSecretExpiresAt = hashSecret(value), "", nil
}

// VerifyPassword reports whether presented is the application's secret, in constant time.
func (a *AbstractApplication) VerifyPassword(presented string) bool {
	return a.ClientSecret.Verify(presented)
}

// VerifyPreviousPassword reports whether presented is the PreviousSecret, in constant time, before it expires.
func (a *AbstractApplication) VerifyPreviousPassword(presented string, now time.Time) bool {
	return a.PreviousSecretExpiresAt != nil && now.Before(*a.PreviousSecretExpiresAt) && a.PreviousSecret.Verify(presented)
}

// PreviousSecretUntil returns PreviousSecretExpiresAt, or zero where there is no PreviousSecret.
func (a *AbstractApplication) PreviousSecretUntil() time.Time {
	if a.PreviousSecret == "" || a.PreviousSecretExpiresAt == nil {
		return time.Time{}
	}
	return *a.PreviousSecretExpiresAt
}

// SecretHash is what is kept of a client secret: "sha256$" and its SHA-256. It prints as a placeholder. Empty: no secret
// verifies.
type SecretHash string

const sha256Scheme = "sha256$"

// NewSecret returns a client secret that nobody can guess, and what to keep of it, for an [Application] that embeds no
// [AbstractApplication].
func NewSecret() (value string, hash SecretHash) {
	value = secret.New(secret.ClientSecret)
	return value, hashSecret(value)
}

func hashSecret(value string) SecretHash {
	if value == "" {
		return ""
	}
	return SecretHash(sha256Scheme + secret.Hash(value))
}

// Verify reports whether presented is the secret, in constant time. It does the same work whether or not there is a hash, so that
// the time tells nothing about the application.
func (h SecretHash) Verify(presented string) bool {
	same := secret.Equal(string(h), sha256Scheme+secret.Hash(presented))
	return same && h != "" && presented != ""
}

// String returns a placeholder.
func (h SecretHash) String() string { return redacted }

// GoString returns a placeholder.
func (h SecretHash) GoString() string { return redacted }

// MarshalText returns a placeholder, so that no JSON document or log holds the hash.
func (h SecretHash) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GormDataType tells GORM the column's type.
func (SecretHash) GormDataType() string { return "string" }

// Value implements [driver.Valuer].
func (h SecretHash) Value() (driver.Value, error) { return string(h), nil }

// redacted stands where a secret would.
const redacted = "[redacted]"

// PreviousSecretVerifier is an [Application] whose secret was rotated, and may be sent for some time yet.
type PreviousSecretVerifier interface {
	// VerifyPreviousPassword must compare in constant time, must refuse an empty secret, and must refuse all when the time is
	// over.
	VerifyPreviousPassword(presented string, now time.Time) bool
}

// VerifyPassword reports whether presented is the secret of app, or the one before it as long as that is good.
func VerifyPassword(app Application, presented string, now time.Time) bool {
	if presented == "" {
		return false
	}
	if app.VerifyPassword(presented) {
		return true
	}
	verifier, ok := app.(PreviousSecretVerifier)
	return ok && verifier.VerifyPreviousPassword(presented, now)
}

// PreviousSecretKeeper is an [Application] that tells how long the secret before its last one may be sent.
type PreviousSecretKeeper interface {
	// PreviousSecretUntil returns until when VerifyPreviousPassword takes the secret before. Zero: it takes none.
	PreviousSecretUntil() time.Time
}

// PreviousSecretUntil returns what app says if it is a [PreviousSecretKeeper] and that time is not over, otherwise the zero time.
// It is shown to who manages app; what is accepted is for [VerifyPassword] to say.
func PreviousSecretUntil(app Application, now time.Time) time.Time {
	if keeper, ok := app.(PreviousSecretKeeper); ok && now.Before(keeper.PreviousSecretUntil()) {
		return keeper.PreviousSecretUntil()
	}
	return time.Time{}
}

// SecretHolder is an [Application] that can be given a new secret.
type SecretHolder interface {
	// GenerateSecret must make a secret that cannot be guessed the only one, and returns it. What is kept must not tell it.
	GenerateSecret() string
	// RotateSecret does the same, except that the secret until now stays good for the time keep, as a [PreviousSecretVerifier]
	// then says.
	RotateSecret(now time.Time, keep time.Duration) string
}

// HasSecret reports whether app has a secret that can be replaced: it is a [SecretHolder] and not public.
func HasSecret(app Application) bool { return secretOf(app) != nil }

// secretOf returns what replaces the secret of app, or nil.
func secretOf(app Application) SecretHolder {
	holder, ok := app.(SecretHolder)
	if !ok || app.IsPublic() {
		return nil
	}
	return holder
}
