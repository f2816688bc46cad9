package oauthkit

import (
	"context"
	"time"
)

// A notice tells another program that a session or an access has ended. It is saved in
// the act that ends it, and delivered afterwards, at least once, by [Run] on any
// instance.

// Notice is a message that waits to be delivered to one receiver. Its JSON form can be
// put into a job queue.
type Notice struct {
	// ID identifies the row. A newer notice about the same facts replaces it.
	ID string `json:"id"`
	// Receiver is the Name of the [NoticeReceiver].
	Receiver string `json:"receiver"`
	// Kind says what happened.
	Kind NoticeKind `json:"kind"`
	// ClientID is the application whose access it was.
	ClientID string `json:"client_id"`
	// Subject is the user.
	Subject string `json:"subject"`
	// SessionID is the sid of the session. If empty, the notice is about every session of
	// the user at the application.
	SessionID string `json:"session_id,omitempty"`
	// CreatedAt is when the act was saved.
	CreatedAt time.Time `json:"created_at"`
	// Attempts is the number of times that it was claimed for a delivery, including the
	// current one.
	Attempts int `json:"attempts"`
	// DueAt is when it is delivered next, unless the current attempt succeeds.
	DueAt time.Time `json:"due_at"`
}

// NoticeKind says what a [Notice] is about.
type NoticeKind string

// The kinds of notices.
const (
	// NoticeSessionEnded means that a session ended, for example because the user signed
	// out.
	NoticeSessionEnded NoticeKind = "session_ended"
	// NoticeAccessRevoked means that the user, the operator or the host revoked the
	// access of the application to the user.
	NoticeAccessRevoked NoticeKind = "access_revoked"
)

// NoticeReceiver delivers notices. An [Extension] adds it with [Registry.NoticeReceiver].
type NoticeReceiver interface {
	// NoticeReceiver returns the name under which notices are saved. It must not change,
	// and must be the same on every instance.
	NoticeReceiver() string
	// Deliver delivers a notice. It returns nil if it was delivered, or if there is no
	// address to deliver it to. After an error it is called again later, on any instance,
	// unless that is from [DeliverNever]; see also [DeliverLater]. It must respect ctx,
	// which ends after 10 seconds. It is called by several goroutines, but only once at a
	// time for each application on an instance. It may be called with a notice that was
	// delivered, since the instance can end before that is stored.
	Deliver(ctx context.Context, notice *Notice) error
}

// NoticeStore is required by a [NoticeReceiver], in addition to [Store], whose acts save
// the notices.
type NoticeStore interface {
	// ClaimNotices returns those notices of a receiver that have been due longest, in any
	// order. It adds 1 to the Attempts of each and makes it due at claim.Until. Of
	// concurrent calls, also by other instances, only one gets a notice.
	ClaimNotices(ctx context.Context, claim NoticeClaim) ([]*Notice, error)
	// RemoveNotice removes the notice with this id. An unknown id is not an error: a
	// newer notice has replaced it.
	RemoveNotice(ctx context.Context, id string) error
	// PostponeNotice makes the notice with this id due at another time, unless another
	// call claimed it since: then its attempts differ.
	PostponeNotice(ctx context.Context, id string, attempts int, due time.Time) error
}

// NoticeClaim is the argument of ClaimNotices.
type NoticeClaim struct {
	// Receiver is the name of the receiver.
	Receiver string
	// Now is the time by which a notice must be due.
	Now time.Time
	// Until is when the claimed notices are due again, in case the caller is killed.
	Until time.Time
	// Limit is the maximum number of notices.
	Limit int
}
