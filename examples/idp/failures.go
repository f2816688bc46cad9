package main

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// budget says how many wrong passwords are free, and how long each further one keeps the next attempt waiting.
type budget struct {
	scope   string        // as the log names it
	size    int           // entries that are kept; the least recently used is dropped
	free    int           // wrong passwords without a wait
	longest time.Duration // the first wait is a second, each further one twice as long, up to this
	forgive time.Duration // time that takes one wrong password off the count
}

// The budgets. The one by user and address is what slows a guesser down, and it is the only one with long waits, because
// only people at the attacker's own address share them. An address may be an office, and a user name can be attacked from
// many addresses only to lock its user out: these two have short waits, and an address from which a user has signed in
// before is exempt from the one by user.
var (
	byUserAndAddress = budget{scope: "user_and_address", size: 1 << 15, free: 5, longest: 15 * time.Minute, forgive: 15 * time.Minute}
	byAddress        = budget{scope: "address", size: 1 << 15, free: 20, longest: time.Minute, forgive: time.Minute}
	byUser           = budget{scope: "user", size: 1 << 14, free: 50, longest: time.Minute, forgive: time.Minute}
)

// knownSize is the number of pairs of user and address that are remembered because the user has signed in there.
const knownSize = 1 << 15

// failures counts wrong passwords in memory. Only verified passwords make entries, so that pushing one out takes as many
// verifications as there are entries.
type failures struct {
	mutex                     sync.Mutex
	byPair, byAddress, byUser *counter
	known                     *simplelru.LRU[failureKey, struct{}]
}

// failureKey is a part of a digest: user names have any length.
type failureKey [16]byte

func newFailures() (*failures, error) {
	known, err := simplelru.NewLRU[failureKey, struct{}](knownSize, nil)
	if err != nil {
		return nil, err
	}
	f := &failures{known: known}
	for counts, of := range map[**counter]budget{&f.byPair: byUserAndAddress, &f.byAddress: byAddress, &f.byUser: byUser} {
		if *counts, err = newCounter(of); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// attempt is one sign-in, as the budgets see it.
type attempt struct {
	pair, address, user failureKey
}

func newAttempt(username string, address netip.Addr) attempt {
	return attempt{
		pair:    keyOf(network(address) + "\n" + username),
		address: keyOf(network(address)),
		user:    keyOf(username),
	}
}

func keyOf(text string) (key failureKey) {
	digest := sha256.Sum256([]byte(text))
	copy(key[:], digest[:])
	return key
}

// network returns an IPv4 address, or the /64 of an IPv6 address: a household has all addresses of one.
func network(address netip.Addr) string {
	switch address = address.Unmap(); {
	case address.Is4():
		return address.String()
	case address.Is6():
		return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
	default:
		return "" // a connection without an address, as of a Unix socket
	}
}

// wait returns how long the attempt has to wait. Zero: it may be made now.
func (f *failures) wait(a attempt, now time.Time) time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.longestWait(a, now)
}

func (f *failures) longestWait(a attempt, now time.Time) (longest time.Duration) {
	for _, c := range f.counters(a) {
		longest = max(longest, c.wait(c.key, now))
	}
	return longest
}

// applying is a counter with the key that an attempt has there.
type applying struct {
	*counter
	key failureKey
}

// counters returns those that apply to the attempt.
func (f *failures) counters(a attempt) []applying {
	all := []applying{{f.byPair, a.pair}, {f.byAddress, a.address}, {f.byUser, a.user}}
	if f.known.Contains(a.pair) {
		return all[:2]
	}
	return all
}

// charge counts the attempt as a wrong password before the password is verified, so that simultaneous attempts cannot
// exceed a budget. If the attempt has to wait, nothing is counted.
func (f *failures) charge(a attempt, now time.Time) (wait time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if wait := f.longestWait(a, now); wait > 0 {
		return wait
	}
	for _, c := range f.counters(a) {
		c.add(c.key, now)
	}
	return 0
}

// refund takes the charge back, because the password could not be verified.
func (f *failures) refund(a attempt) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, c := range f.counters(a) {
		c.remove(c.key)
	}
}

// succeed takes the charge back, forgives this user at this address, and remembers the address as one of theirs. It
// forgives nothing else: an attacker may have an account too.
func (f *failures) succeed(a attempt) {
	f.refund(a)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.byPair.entries.Remove(a.pair)
	f.known.Add(a.pair, struct{}{})
}

// lockouts returns the waits that follow from the attempt, by the scope of their budget.
func (f *failures) lockouts(a attempt, now time.Time) map[string]time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	waits := map[string]time.Duration{}
	for _, c := range f.counters(a) {
		if wait := c.wait(c.key, now); wait > 0 {
			waits[c.scope] = wait
		}
	}
	return waits
}

// counter counts against one budget.
type counter struct {
	budget
	entries *simplelru.LRU[failureKey, failure]
}

// failure is what is kept for one key.
type failure struct {
	count int       // wrong passwords that are not forgiven
	last  time.Time // the latest of them
	until time.Time // the next attempt is refused before
}

func newCounter(of budget) (*counter, error) {
	entries, err := simplelru.NewLRU[failureKey, failure](of.size, nil)
	return &counter{budget: of, entries: entries}, err
}

func (c *counter) wait(key failureKey, now time.Time) time.Duration {
	entry, _ := c.entries.Get(key)
	return max(0, entry.until.Sub(now))
}

func (c *counter) add(key failureKey, now time.Time) {
	entry, found := c.entries.Get(key)
	if found {
		entry.count = max(0, entry.count-int(now.Sub(entry.last)/c.forgive))
	}
	entry.count, entry.last, entry.until = entry.count+1, now, time.Time{}
	if beyond := entry.count - c.free; beyond > 0 {
		entry.until = now.Add(c.backoff(beyond))
	}
	c.entries.Add(key, entry)
}

// backoff returns the wait after a number of wrong passwords beyond the free ones.
func (c *counter) backoff(beyond int) time.Duration {
	wait := time.Second
	for ; beyond > 1 && wait < c.longest; beyond-- {
		wait *= 2
	}
	return min(wait, c.longest)
}

func (c *counter) remove(key failureKey) {
	if entry, found := c.entries.Get(key); found {
		entry.count, entry.until = max(0, entry.count-1), time.Time{}
		c.entries.Add(key, entry)
	}
}
