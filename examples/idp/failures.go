package main

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// budget limits wrong passwords: how many are free, and how long each further one
// delays the next attempt.
type budget struct {
	scope   string        // name in the log
	size    int           // maximum number of entries; the least recently used is dropped
	free    int           // wrong passwords without a wait
	longest time.Duration // the first wait is a second and doubles up to this
	forgive time.Duration // after this time one wrong password is forgiven
}

// The budget by user and address slows a guesser down. It alone has long waits, because
// only people at the attacker's own address share them. An address may be an office,
// and a user name may be attacked from many addresses only to lock the user out, so the
// other two have short waits. The budget by user does not apply at an address where the
// user has signed in before.
var (
	byUserAndAddress = budget{scope: "user_and_address", size: 1 << 15, free: 5, longest: 15 * time.Minute, forgive: 15 * time.Minute}
	byAddress        = budget{scope: "address", size: 1 << 15, free: 20, longest: time.Minute, forgive: time.Minute}
	byUser           = budget{scope: "user", size: 1 << 14, free: 50, longest: time.Minute, forgive: time.Minute}
)

// seenSize is the maximum number of remembered pairs of a user and an address where
// they have signed in.
const seenSize = 1 << 15

// failures counts wrong passwords in memory. Only verified passwords add entries, so
// that evicting one takes as many verifications as there are entries.
type failures struct {
	mutex                     sync.Mutex
	byPair, byAddress, byUser *counter
	seen                      *simplelru.LRU[failureKey, struct{}]
}

// failureKey is a truncated digest, because user names have any length.
type failureKey [16]byte

func newFailures() (*failures, error) {
	seen, err := simplelru.NewLRU[failureKey, struct{}](seenSize, nil)
	if err != nil {
		return nil, err
	}
	f := &failures{seen: seen}
	for target, limit := range map[**counter]budget{&f.byPair: byUserAndAddress, &f.byAddress: byAddress, &f.byUser: byUser} {
		if *target, err = newCounter(limit); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// attempt identifies a sign-in to the budgets.
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

// network returns an IPv4 address, or the /64 network of an IPv6 address, since a
// household has a whole /64.
func network(address netip.Addr) string {
	switch address = address.Unmap(); {
	case address.Is4():
		return address.String()
	case address.Is6():
		return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
	default:
		return "" // no address, for example on a Unix socket
	}
}

// wait returns the time before which the attempt is refused. If zero, it may be made
// now.
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

// keyedCounter is a counter with the key of an attempt.
type keyedCounter struct {
	*counter
	key failureKey
}

// counters returns the counters that apply to the attempt.
func (f *failures) counters(a attempt) []keyedCounter {
	all := []keyedCounter{{f.byPair, a.pair}, {f.byAddress, a.address}, {f.byUser, a.user}}
	if f.seen.Contains(a.pair) {
		return all[:2]
	}
	return all
}

// charge counts the attempt as a wrong password before the password is verified, so
// that concurrent attempts cannot exceed a budget. If the attempt has to wait, charge
// counts nothing.
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

// refund undoes charge after the password could not be verified.
func (f *failures) refund(a attempt) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, c := range f.counters(a) {
		c.remove(c.key)
	}
}

// succeed undoes charge, resets the budget of this user at this address, and remembers
// the address for the user. Other budgets stay, because an attacker may have an account
// too.
func (f *failures) succeed(a attempt) {
	f.refund(a)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.byPair.entries.Remove(a.pair)
	f.seen.Add(a.pair, struct{}{})
}

// lockouts returns the waits after the attempt, by the scope of their budget.
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

// counter counts wrong passwords for one budget.
type counter struct {
	budget
	entries *simplelru.LRU[failureKey, failure]
}

// failure is the entry of one key.
type failure struct {
	count int       // wrong passwords, without the forgiven ones
	last  time.Time // time of the last one
	until time.Time // attempts before this time are refused
}

func newCounter(limit budget) (*counter, error) {
	entries, err := simplelru.NewLRU[failureKey, failure](limit.size, nil)
	return &counter{budget: limit, entries: entries}, err
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
