package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// This file delivers notices. The row of a notice is the queue: a claim postpones it by
// the length of a lease, so that an instance that is killed in mid-delivery loses it to
// another one.

// The limits of deliveries, for each receiver.
const (
	deliveriesAtOnce  = 8           // to applications that are not slow
	slowAtOnce        = 24          // after which those wait that were slow before
	noticesHeld       = 64          // claimed by one instance and not yet delivered
	slowDelivery      = time.Second // and is measured in ticks
	tick              = slowDelivery / 4
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
