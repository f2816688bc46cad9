package oauthkit

import "time"

// This file holds the events of those who manage applications and of those who operate the provider.

// ApplicationCreated ("application.created") is sent when an application was registered.
type ApplicationCreated struct {
	ApplicationID string
	By            string // the user who did it
}

// ApplicationUpdated ("application.updated") is sent when an application was changed.
type ApplicationUpdated struct {
	ApplicationID string
	By            string   // the user who did it
	Changed       []string // what was changed, by its names in JSON, in their order
	SwitchedOff   bool     // it is not usable any more, so all that was issued to it has ended
}

// ApplicationDeleted ("application.deleted") is sent when an application was removed, with all that it had.
type ApplicationDeleted struct {
	ApplicationID string
	By            string // the user who did it
}

// SecretRotated ("application.secret_rotated") is sent when an application got a new secret.
type SecretRotated struct {
	ApplicationID string
	By            string // the user who did it
}

// ApplicationRevoked ("application.revoked") is sent when everything that an application had from its users was forgotten and
// ended.
type ApplicationRevoked struct {
	ApplicationID  string
	Authorizations int // how many ended
}

// KeyPublished ("key.published") is sent when a new signing key was stored, by the instance that has stored it. It signs from
// ActiveAt on, by itself: nothing more is sent then.
type KeyPublished struct {
	KeyID     string // its kid
	Algorithm string // such as RS256
	ActiveAt  time.Time
}

// KeyRetired ("key.retired") is sent when a signing key was removed whose successor has signed for long enough.
type KeyRetired struct {
	KeyID     string // its kid
	Algorithm string
}

// KeyRevoked ("key.revoked") is sent when somebody had a signing key removed, and with it every signature that it made.
type KeyRevoked struct {
	KeyID string // its kid
}

// CheckFailed ("check.failed") is sent for each finding that kept [Provider.CheckAtStart] from letting a program start.
type CheckFailed struct {
	FindingID string // such as oauthkit.E001
	Message   string
}

// CleanupFinished ("cleanup.finished") is sent when a call of [Provider.Cleanup] has ended, but not for a dry run.
type CleanupFinished struct {
	Removed  map[string]int // how many rows, by table
	Duration time.Duration  // by Config.Now
	Stopped  bool           // it ended with an error; what it had removed by then stays removed
}

// StorageUnavailable ("storage.unavailable") is sent when a request was answered with 503, since the store or a function of the
// host's failed. Why, the log tells under the same TraceID.
type StorageUnavailable struct {
	Endpoint string // its path relative to the issuer, as in "applications/{client_id}"; empty: an API of the host's
}

// RequestPanicked ("request.panicked") is sent when a request was ended by a panic, mostly one of a function of the host's, and
// answered with 500. Where it happened, the log tells under the same TraceID.
type RequestPanicked struct {
	Endpoint string // its path relative to the issuer, as in "applications/{client_id}"; empty: an API of the host's
}

// RequestsRefused ("requests.refused") is sent when requests were answered with 503 since too many came at the same time. It is sent
// at most once a second, with the number of them, and belongs to no request.
type RequestsRefused struct {
	Refused int // since the last one
}

func (ApplicationCreated) event() string { return "application.created" }
func (ApplicationUpdated) event() string { return "application.updated" }
func (ApplicationDeleted) event() string { return "application.deleted" }
func (SecretRotated) event() string      { return "application.secret_rotated" }
func (ApplicationRevoked) event() string { return "application.revoked" }
func (KeyPublished) event() string       { return "key.published" }
func (KeyRetired) event() string         { return "key.retired" }
func (KeyRevoked) event() string         { return "key.revoked" }
func (CheckFailed) event() string        { return "check.failed" }
func (CleanupFinished) event() string    { return "cleanup.finished" }
func (StorageUnavailable) event() string { return "storage.unavailable" }
func (RequestPanicked) event() string    { return "request.panicked" }
func (RequestsRefused) event() string    { return "requests.refused" }
