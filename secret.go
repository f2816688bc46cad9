package oauthkit

import (
	"database/sql/driver"
	"time"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// SecretHolder is an [Application] whose secret can be replaced. For some time after
// a replacement the previous secret may be accepted as well.
type SecretHolder interface {
	// GenerateSecret replaces every secret by a new one and returns it. The secret
	// must be impossible to guess, and must not follow from the stored value.
	GenerateSecret() string
	// RotateSecret does the same, except that VerifyPreviousPassword accepts the
	// previous secret for the time keep.
	RotateSecret(now time.Time, keep time.Duration) string
	// VerifyPreviousPassword reports whether presented is the previous secret. It
	// must compare in constant time, and must return false for the empty secret and
	// once the time is over.
	VerifyPreviousPassword(presented string, now time.Time) bool
	// PreviousSecretUntil returns the time until which VerifyPreviousPassword
	// accepts the previous secret. If there is none, it returns the zero time.
	PreviousSecretUntil() time.Time
}

// HasSecret reports whether app has a secret that can be replaced: it is a
// [SecretHolder] and not public.
func HasSecret(app Application) bool { return secretOf(app) != nil }

// secretOf returns app if it has a secret that can be replaced, otherwise nil.
func secretOf(app Application) SecretHolder {
	holder, ok := app.(SecretHolder)
	if !ok || app.IsPublic() {
		return nil
	}
	return holder
}

// VerifyPassword reports whether presented is the secret of app, or its previous
// secret if that is still valid.
func VerifyPassword(app Application, presented string, now time.Time) bool {
	if presented == "" {
		return false
	}
	if app.VerifyPassword(presented) {
		return true
	}
	holder, ok := app.(SecretHolder)
	return ok && holder.VerifyPreviousPassword(presented, now)
}

// PreviousSecretUntil returns the time until which the previous secret of app is
// accepted, for display. It returns the zero time if app is not a [SecretHolder] or
// the time is over. Use [VerifyPassword] to check a secret.
func PreviousSecretUntil(app Application, now time.Time) time.Time {
	if holder, ok := app.(SecretHolder); ok && now.Before(holder.PreviousSecretUntil()) {
		return holder.PreviousSecretUntil()
	}
	return time.Time{}
}

// GenerateSecret replaces every secret of the application by a new one and returns
// it. The new secret cannot be shown again.
func (a *AbstractApplication) GenerateSecret() string {
	generated := secret.New(secret.ClientSecret)
	a.replaceSecrets(generated)
	return generated
}

// RotateSecret replaces the secret by a new one and returns it. The previous secret
// is valid for the time keep, so that the instances of the application can change
// over one by one. If keep is zero, it is invalid at once.
func (a *AbstractApplication) RotateSecret(now time.Time, keep time.Duration) string {
	previous, generated := a.ClientSecret, secret.New(secret.ClientSecret)
	a.replaceSecrets(generated)
	if keep > 0 {
		until := now.Add(keep)
		a.PreviousSecret, a.PreviousSecretExpiresAt = previous, &until
	}
	return generated
}

// ImportSecret replaces every secret of the application by chosen, for
// migrations and tests. The stored hash is only as hard to guess as the
// secret, so prefer GenerateSecret.
func (a *AbstractApplication) ImportSecret(chosen string) { a.replaceSecrets(chosen) }

// replaceSecrets keeps value as the only secret, or no secret if value is empty. A
// host cannot override it.
func (a *AbstractApplication) replaceSecrets(value string) {
	a.ClientSecret, a.PreviousSecret, a.PreviousSecretExpiresAt = hashSecret(value), "", nil
}

// VerifyPassword reports whether presented is the secret, in constant time.
func (a *AbstractApplication) VerifyPassword(presented string) bool {
	return a.ClientSecret.Verify(presented)
}

// VerifyPreviousPassword reports whether presented is the previous secret and
// PreviousSecretExpiresAt is after now, in constant time.
func (a *AbstractApplication) VerifyPreviousPassword(presented string, now time.Time) bool {
	return a.PreviousSecretExpiresAt != nil && now.Before(*a.PreviousSecretExpiresAt) && a.PreviousSecret.Verify(presented)
}

// PreviousSecretUntil returns PreviousSecretExpiresAt. If there is no previous
// secret, it returns the zero time.
func (a *AbstractApplication) PreviousSecretUntil() time.Time {
	if a.PreviousSecret == "" || a.PreviousSecretExpiresAt == nil {
		return time.Time{}
	}
	return *a.PreviousSecretExpiresAt
}

// SecretHash is the stored form of a client secret: "sha256$" and its SHA-256. It
// prints as a placeholder. If empty, no secret verifies.
type SecretHash string

const sha256Scheme = "sha256$"

// NewSecret returns a new client secret and its hash, for an [Application] that does
// not embed [AbstractApplication].
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

// Verify reports whether presented is the secret, in constant time. It does the same work
// if the hash is empty, so that the response time reveals nothing about the application.
func (h SecretHash) Verify(presented string) bool {
	same := secret.Equal(string(h), sha256Scheme+secret.Hash(presented))
	return same && h != "" && presented != ""
}

// String returns a placeholder.
func (h SecretHash) String() string { return redacted }

// GoString returns a placeholder.
func (h SecretHash) GoString() string { return redacted }

// MarshalText returns a placeholder, which keeps the hash out of JSON documents and logs.
func (h SecretHash) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GormDataType tells GORM the column's type.
func (SecretHash) GormDataType() string { return "string" }

// Value implements [driver.Valuer].
func (h SecretHash) Value() (driver.Value, error) { return string(h), nil }

// redacted replaces a secret.
const redacted = "[redacted]"
