package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// This file delivers notices. The row of a notice is the queue: a claim postpones it by
// the length of a lease, so that an instance that is killed in mid-delivery loses it to
// another one.

// The limits of deliveries, for each receiver.
const (
	deliveriesAtOnce  = 8
	noticesHeld       = 64 // claimed by one instance and not yet delivered
	deliveryTimeout   = 10 * time.Second
	deliveryLease     = time.Minute
	deliveryLife      = 24 * time.Hour // after which a notice is abandoned
	shortestDelay     = 10 * time.Second
	longestDelay      = time.Hour
	failuresUntilRest = 2 // consecutive, of one application
	rest              = 30 * time.Second
)

// DeliverLater returns an error for Deliver of a [NoticeReceiver]: the notice is to be
// delivered again after a time that the other side asked for, such as by Retry-After.
// The time is limited to what is left of the day after which a notice is abandoned.
func DeliverLater(after time.Duration, err error) error {
	return &deliveryError{cause: err, after: max(after, time.Second)}
}

// DeliverNever returns an error for Deliver of a [NoticeReceiver]: the other side has
// refused the notice and would refuse it again. It is abandoned at once.
func DeliverNever(err error) error { return &deliveryError{cause: err, never: true} }

// NextDelivery tells what an error of a delivery means for the next attempt, for a host
// that delivers notices from a job queue of its own. Again is false if there should be
// none. After is the time that the other side asked for; if zero, it asked for none.
func NextDelivery(err error) (again bool, after time.Duration) {
	var wish *deliveryError
	if !errors.As(err, &wish) {
		return err != nil, 0
	}
	return !wish.never, wish.after
}

// deliveryError is an error that says what happens next.
type deliveryError struct {
	cause error // may be nil
	after time.Duration
	never bool
}

func (e *deliveryError) Error() string {
	if e.cause == nil {
		return "not delivered"
	}
	return e.cause.Error()
}

func (e *deliveryError) Unwrap() error { return e.cause }

// receiver is a [NoticeReceiver] of a provider.
type receiver struct {
	NoticeReceiver
	name  string
	store NoticeStore
	wake  chan struct{} // holds one value if new notices were saved
}

// addReceiver adds a receiver.
func (p *Provider) addReceiver(added NoticeReceiver) error {
	name := added.NoticeReceiver()
	store, ok := p.store.(NoticeStore)
	switch {
	case !ok:
		return fmt.Errorf("NoticeReceiver: store %T does not implement NoticeStore", p.store)
	case name == "" || len(name) > 255 || !isText(name):
		return fmt.Errorf("NoticeReceiver: %T: the name must have 1 to 255 bytes of text", added)
	case slices.Contains(p.receiverNames, name):
		return fmt.Errorf("NoticeReceiver: %q is added twice", name)
	}
	p.receiverNames = append(p.receiverNames, name)
	p.receivers = append(p.receivers, &receiver{added, name, store, make(chan struct{}, 1)})
	return nil
}

// wakeDelivery makes [Run] of this instance deliver at once. It does not wait.
func (p *Provider) wakeDelivery() {
	for _, receiver := range p.receivers {
		select {
		case receiver.wake <- struct{}{}:
		default: // Run has not seen the last one yet
		}
	}
}

// DeliverNotices delivers the notices that are due, and returns when each was tried once.
// [Run] does that all the time; call DeliverNotices from a program without Run. It is
// safe for concurrent use, also on other instances.
//
// A failed delivery is no error, but an event, and is tried again by a later call: after
// 10 seconds, and then after up to an hour, until the notice is a day old. The error says
// that the store failed.
func (p *Provider) DeliverNotices(ctx context.Context) error {
	errs := make([]error, len(p.receivers))
	var rounds sync.WaitGroup
	for i, receiver := range p.receivers {
		rounds.Go(func() { _, errs[i] = p.deliver(ctx, receiver, nil) })
	}
	rounds.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("oauthkit: DeliverNotices: %w", err)
	}
	return nil
}

// runDelivery delivers the notices of a receiver until ctx is canceled: when it is woken,
// when a failed delivery is to be tried again, and at each interval, since other
// instances save notices too.
func (p *Provider) runDelivery(ctx context.Context, receiver *receiver, interval time.Duration) {
	timer := time.NewTimer(upTo(interval / 10))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-receiver.wake:
		case <-timer.C:
		}
		next, err := p.deliver(ctx, receiver, receiver.wake)
		if err != nil && ctx.Err() == nil {
			p.Logger().ErrorContext(ctx, "delivering notices failed", "receiver", receiver.name, "error", err)
		}
		pause := interval - interval/10 + upTo(interval/5)
		if !next.IsZero() {
			pause = min(pause, max(next.Sub(p.Now()), time.Second))
		}
		timer.Reset(pause)
	}
}

// deliver delivers the notices of a receiver that are due, those due longest first. A
// value in wake makes it look for new ones. It returns when the first of those that it
// postponed is due, or zero.
func (p *Provider) deliver(ctx context.Context, receiver *receiver, wake <-chan struct{}) (next time.Time, err error) {
	d := &delivery{
		receiver: receiver, provider: p, now: p.Now(),
		waiting: map[string][]*Notice{}, failures: map[string]int{}, resting: map[string]time.Time{},
		done: make(chan outcome),
	}
	for more := true; more || d.running > 0 || len(d.turns) > 0; {
		if more && err == nil && ctx.Err() == nil {
			more, err = d.claim(ctx)
		}
		d.start(ctx)
		if d.running == 0 {
			more = more && err == nil && ctx.Err() == nil
			continue
		}
		select {
		case finished := <-d.done:
			d.finish(finished)
		case <-wake:
			d.now, more = p.Now(), true
		}
	}
	d.attempts.Wait()
	return d.next, err
}

// delivery is one round of deliveries. One goroutine owns it. The applications take
// turns, and each gets one notice at a time, so that a slow one delays no other.
type delivery struct {
	*receiver
	provider *Provider
	now      time.Time            // by which a notice must be due
	next     time.Time            // when the first postponed notice is due; zero: none
	waiting  map[string][]*Notice // claimed, by client_id
	turns    []string             // client_ids that wait and to which nothing is being delivered
	failures map[string]int       // consecutive ones, by client_id
	resting  map[string]time.Time // until when nothing is delivered, by client_id
	held     int                  // notices that are claimed
	running  int                  // of these, those that are being delivered
	attempts sync.WaitGroup
	done     chan outcome
}

// outcome is the end of an attempt.
type outcome struct {
	notice *Notice
	failed bool
	due    time.Time // of the next attempt; zero: none
}

// claim claims notices as far as there is room, and reports whether there may be more.
func (d *delivery) claim(ctx context.Context) (more bool, err error) {
	room := noticesHeld - d.held
	if room == 0 {
		return true, nil
	}
	now := d.provider.Now()
	claimed, err := d.store.ClaimNotices(ctx, NoticeClaim{Receiver: d.name, Now: d.now, Until: now.Add(deliveryLease), Limit: room})
	if err != nil {
		return false, Unavailable(err)
	}
	for _, notice := range claimed {
		if d.waiting[notice.ClientID] == nil {
			d.turns = append(d.turns, notice.ClientID)
		}
		d.waiting[notice.ClientID] = append(d.waiting[notice.ClientID], notice)
	}
	d.held += len(claimed)
	return len(claimed) == room, nil
}

// start starts as many deliveries as may run. It postpones those of applications that
// rest, and returns notices that it could not deliver in time.
func (d *delivery) start(ctx context.Context) {
	for len(d.turns) > 0 && (d.running < deliveriesAtOnce || ctx.Err() != nil) {
		client := d.turns[0]
		d.turns = d.turns[1:]
		notice := d.waiting[client][0]
		d.waiting[client] = d.waiting[client][1:]
		now := d.provider.Now()
		switch {
		case ctx.Err() != nil, notice.DueAt.Sub(now) < deliveryTimeout+deliveryLease/12:
			d.putOff(ctx, notice, now)
		case now.Before(d.resting[client]):
			d.putOff(ctx, notice, now.Add(delay(notice.Attempts)))
		default:
			d.running++
			d.attempts.Go(func() { d.attempt(ctx, notice) })
			continue // its next turn is after the attempt
		}
		d.endTurn(notice)
	}
}

// putOff postpones a notice without an attempt.
func (d *delivery) putOff(ctx context.Context, notice *Notice, due time.Time) {
	d.settle(ctx, func(ctx context.Context) error { return d.store.PostponeNotice(ctx, notice.ID, notice.Attempts, due) })
	d.noteDue(due)
}

// endTurn forgets a notice, and lets the next one of the application wait for its turn.
func (d *delivery) endTurn(notice *Notice) {
	d.held--
	if len(d.waiting[notice.ClientID]) > 0 {
		d.turns = append(d.turns, notice.ClientID)
	} else {
		delete(d.waiting, notice.ClientID)
	}
}

// noteDue notes the time at which a postponed notice is due.
func (d *delivery) noteDue(due time.Time) {
	if d.next.IsZero() || due.Before(d.next) {
		d.next = due
	}
}

// finish takes note of an attempt.
func (d *delivery) finish(finished outcome) {
	client := finished.notice.ClientID
	d.running--
	d.endTurn(finished.notice)
	if !finished.due.IsZero() {
		d.noteDue(finished.due)
	}
	if !finished.failed {
		d.failures[client] = 0
		return
	}
	d.failures[client]++
	if d.failures[client] >= failuresUntilRest {
		d.resting[client] = d.provider.Now().Add(rest)
	}
}

// attempt delivers a notice and stores the result.
func (d *delivery) attempt(ctx context.Context, notice *Notice) {
	err := d.try(ctx, notice)
	finished := outcome{notice: notice, failed: err != nil}
	now := d.provider.Now()
	var wish *deliveryError
	errors.As(err, &wish)
	switch {
	case err == nil:
		if d.settle(ctx, func(ctx context.Context) error { return d.store.RemoveNotice(ctx, notice.ID) }) {
			d.provider.Record(ctx, NoticeDelivered{
				NoticeID: notice.ID, Receiver: d.name, ClientID: notice.ClientID, Subject: notice.Subject,
				SessionID: notice.SessionID, Kind: notice.Kind, Attempts: notice.Attempts,
			})
		}
	case ctx.Err() != nil: // the program ends; another one delivers it at once
		finished.due = now
		d.settle(ctx, func(ctx context.Context) error { return d.store.PostponeNotice(ctx, notice.ID, notice.Attempts, now) })
	case wish != nil && wish.never, !now.Before(notice.CreatedAt.Add(deliveryLife)):
		finished.failed = wish == nil || !wish.never
		if d.settle(ctx, func(ctx context.Context) error { return d.store.RemoveNotice(ctx, notice.ID) }) {
			d.provider.Record(ctx, NoticeAbandoned{
				NoticeID: notice.ID, Receiver: d.name, ClientID: notice.ClientID, Subject: notice.Subject,
				SessionID: notice.SessionID, Kind: notice.Kind, Attempts: notice.Attempts, Error: err.Error(),
			})
		}
	default:
		finished.due = nextAttempt(notice, now, wish)
		if d.settle(ctx, func(ctx context.Context) error {
			return d.store.PostponeNotice(ctx, notice.ID, notice.Attempts, finished.due)
		}) {
			d.provider.Record(ctx, NoticeFailed{
				NoticeID: notice.ID, Receiver: d.name, ClientID: notice.ClientID, Subject: notice.Subject,
				SessionID: notice.SessionID, Kind: notice.Kind, Attempts: notice.Attempts, NextAt: finished.due, Error: err.Error(),
			})
		}
	}
	d.done <- finished
}

// try calls the receiver with a deadline. A panic is an error.
func (d *delivery) try(ctx context.Context, notice *Notice) (err error) {
	bounded, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	defer func() {
		if panicked := recover(); panicked != nil {
			d.provider.Logger().ErrorContext(ctx, "a receiver of notices panicked", "receiver", d.name, "panic", panicked, "stack", string(debug.Stack()))
			err = errors.New("the receiver panicked")
		}
	}()
	copied := *notice
	return d.Deliver(bounded, &copied)
}

// settle stores the result of an attempt, even if ctx has ended. It reports whether it
// could. Otherwise the notice is delivered again when the lease has ended.
func (d *delivery) settle(ctx context.Context, store func(context.Context) error) bool {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.provider.config.Timeout)
	defer cancel()
	err := store(bounded)
	if err != nil {
		d.provider.Logger().ErrorContext(ctx, "storing the result of a delivery failed", "receiver", d.name, "error", err)
	}
	return err == nil
}

// nextAttempt returns when a notice is tried again after a failure at now.
func nextAttempt(notice *Notice, now time.Time, wish *deliveryError) time.Time {
	after := delay(notice.Attempts)
	if wish != nil {
		after = wish.after
	}
	last := notice.CreatedAt.Add(deliveryLife)
	if due := now.Add(after); due.Before(last) {
		return due
	}
	return last
}

// delay returns the time until the next attempt: ten seconds, twice as long after each
// attempt, at most an hour, and varied by a tenth, so that the notices of an application
// that was down do not all come at once.
func delay(attempts int) time.Duration {
	length := longestDelay
	if attempts < 10 {
		length = min(length, shortestDelay<<max(attempts-1, 0))
	}
	return length - length/10 + upTo(length/5)
}
