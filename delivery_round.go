package oauthkit

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"
)

// This file is one round of deliveries to one receiver.

// deliver delivers the notices of a receiver that are due, those due longest first. A
// value in wake makes it look for new ones. It returns when the first of those that it
// postponed is due, or zero.
func (p *Provider) deliver(ctx context.Context, to *receiver, wake <-chan struct{}) (next time.Time, err error) {
	d := &delivery{
		receiver: to, provider: p, now: p.Now(),
		waiting: map[string][]*Notice{}, failures: map[string]int{}, resting: map[string]time.Time{},
		begun: map[string]int{}, slow: map[string]bool{}, done: make(chan outcome),
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for more := true; more || d.running > 0 || len(d.turns) > 0; {
		if more && err == nil && ctx.Err() == nil {
			more, err = d.claim(ctx)
		}
		d.start(ctx)
		d.makeRoom(ctx)
		again := more && err == nil && ctx.Err() == nil
		if d.running == 0 {
			more = again
			continue
		}
		if again && d.held < noticesHeld {
			continue
		}
		select {
		case finished := <-d.done:
			d.finish(finished)
		case <-ticker.C:
			d.ticks++
			d.noteSlow()
		case <-wake:
			d.now, more = p.Now(), true
		}
	}
	d.attempts.Wait()
	return d.next, err
}

// delivery is one round of deliveries. One goroutine owns it. The applications take
// turns, and each gets one notice at a time. An application whose attempt takes longer
// than slowDelivery gives its place to another one, and its other notices make room if
// more are due than are held, so that slow ones delay no other for long.
type delivery struct {
	*receiver
	provider *Provider
	now      time.Time            // by which a notice must be due
	next     time.Time            // when the first postponed notice is due; zero: none
	waiting  map[string][]*Notice // claimed, by client_id
	turns    []string             // client_ids that wait and to which nothing is being delivered
	failures map[string]int       // consecutive ones, by client_id
	resting  map[string]time.Time // until when nothing is delivered, by client_id
	ticks    int                  // since the round began, because the clock of a host can stand still
	begun    map[string]int       // the tick at which each running attempt began, by client_id
	slow     map[string]bool      // whether the last attempt is or was slow, by client_id
	held     int                  // notices that are claimed
	crowded  bool                 // whether more may be due than are held
	failing  bool                 // whether the last notice could not be put off
	running  int                  // of those held, those that are being delivered
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
	until := d.provider.Now().Add(deliveryLease)
	var claimed []*Notice
	err = d.guard(ctx, func(ctx context.Context) (err error) {
		claimed, err = d.store.ClaimNotices(ctx, NoticeClaim{Receiver: d.name, Now: d.now, Until: until, Limit: room})
		return err
	})
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
	d.crowded = len(claimed) == room
	return d.crowded, nil
}

// start starts as many deliveries as may run. It postpones those of applications that
// rest, and returns notices that it could not deliver in time.
func (d *delivery) start(ctx context.Context) {
	var later []string // those for which there is no place
	for len(d.turns) > 0 {
		client := d.turns[0]
		d.turns = d.turns[1:]
		if ctx.Err() == nil && !d.hasPlace(client) {
			later = append(later, client)
			continue
		}
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
			d.begun[client] = d.ticks
			d.attempts.Go(func() { d.attempt(ctx, notice) })
			continue // its next turn is after the attempt
		}
		d.endTurn(notice)
	}
	d.turns = later
}

// hasPlace reports whether another attempt may run for an application.
func (d *delivery) hasPlace(client string) bool {
	slow := 0
	for other := range d.begun {
		if d.slow[other] {
			slow++
		}
	}
	if d.slow[client] {
		return slow < slowAtOnce
	}
	return d.running-slow < deliveriesAtOnce
}

// noteSlow notes which running attempts are slow.
func (d *delivery) noteSlow() {
	for client := range d.begun {
		d.slow[client] = d.slow[client] || d.isSlow(client)
	}
}

// isSlow reports whether the running attempt for an application is slow.
func (d *delivery) isSlow(client string) bool {
	return d.ticks-d.begun[client] >= int(slowDelivery/tick)
}

// makeRoom postpones what waits for the end of slow attempts, if it may keep out others.
func (d *delivery) makeRoom(ctx context.Context) {
	if !d.crowded {
		return
	}
	for client := range d.begun {
		if !d.slow[client] {
			continue
		}
		for _, notice := range d.waiting[client] {
			d.putOff(ctx, notice, d.provider.Now().Add(delay(notice.Attempts)))
			d.held--
		}
		d.waiting[client] = d.waiting[client][:0]
	}
}

// putOff postpones a notice without an attempt. If the store fails when the program ends,
// the leases of the others end by themselves: Run must not wait for each.
func (d *delivery) putOff(ctx context.Context, notice *Notice, due time.Time) {
	if d.failing && ctx.Err() != nil {
		return
	}
	d.failing = !d.settle(ctx, func(ctx context.Context) error { return d.store.PostponeNotice(ctx, notice.ID, notice.Attempts, due) })
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
	d.slow[client] = d.isSlow(client)
	delete(d.begun, client)
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
	err := d.guard(context.WithoutCancel(ctx), store)
	if err != nil {
		d.provider.Logger().ErrorContext(ctx, "storing the result of a delivery failed", "receiver", d.name, "error", err)
	}
	return err == nil
}

// guard calls the store with a deadline. A panic is an error.
func (d *delivery) guard(ctx context.Context, call func(context.Context) error) (err error) {
	bounded, cancel := context.WithTimeout(ctx, d.provider.config.Timeout)
	defer cancel()
	defer func() {
		if panicked := recover(); panicked != nil {
			d.provider.Logger().ErrorContext(ctx, "a store of notices panicked", "receiver", d.name, "panic", panicked, "stack", string(debug.Stack()))
			err = errors.New("the store panicked")
		}
	}()
	return call(bounded)
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
