package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

var began = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func testFailures(t *testing.T) *failures {
	t.Helper()
	f, err := newFailures()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestB33_Backoff checks that the wait doubles up to its limit, that concurrent
// attempts count, that refused attempts do not prolong the wait, and that failures are
// forgiven over time.
func TestB33_Backoff(t *testing.T) {
	f, now := testFailures(t), began
	alice := newAttempt("alice", netip.MustParseAddr("192.0.2.1"))
	for n := range byUserAndAddress.free + 1 {
		if wait := f.charge(alice, now); wait != 0 {
			t.Fatalf("attempt %d: got a wait of %s, want none", n+1, wait)
		}
	}
	for n := range 14 {
		want := min(time.Second<<n, byUserAndAddress.longest)
		for range 2 {
			if wait := f.charge(alice, now); wait != want {
				t.Fatalf("wait %d: got %s, want %s", n+1, wait, want)
			}
		}
		now = now.Add(want)
		if wait := f.charge(alice, now); wait != 0 {
			t.Fatalf("after wait %d: got %s, want none", n+1, wait)
		}
	}
	now = now.Add(24 * time.Hour)
	for n := range byUserAndAddress.free + 1 {
		if wait := f.charge(alice, now); wait != 0 {
			t.Fatalf("attempt %d a day later: got a wait of %s, want none", n+1, wait)
		}
	}
}

// TestB33_Refund checks that an attempt that could not be verified does not count, and
// that a success forgives this user and address but nothing else from the address.
func TestB33_Refund(t *testing.T) {
	f := testFailures(t)
	address := netip.MustParseAddr("192.0.2.1")
	alice := newAttempt("alice", address)
	for n := range 10 * byUserAndAddress.free {
		if wait := f.charge(alice, began); wait != 0 {
			t.Fatalf("attempt %d: got a wait of %s, want none", n+1, wait)
		}
		f.refund(alice)
	}
	for n := range byAddress.free {
		if wait := f.charge(newAttempt(fmt.Sprint("user", n), address), began); wait != 0 {
			t.Fatalf("user %d: got a wait of %s, want none", n, wait)
		}
		f.charge(alice, began)
		f.succeed(alice)
	}
	f.charge(alice, began)
	if wait := f.wait(newAttempt("bob", address), began); wait != time.Second {
		t.Errorf("after %d users: got a wait of %s, want a second", byAddress.free, wait)
	}
}

// TestB34_Victim attacks one user from many networks. The user can still sign in at an
// address where they have signed in before, and waits at most a minute elsewhere.
func TestB34_Victim(t *testing.T) {
	f, now := testFailures(t), began
	home, hotel := newAttempt("alice", netip.MustParseAddr("192.0.2.1")), newAttempt("alice", netip.MustParseAddr("192.0.2.2"))
	f.charge(home, now)
	f.succeed(home)
	for n := range 10 * byUser.free {
		attacker := newAttempt("alice", netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}))
		now = now.Add(f.wait(attacker, now))
		f.charge(attacker, now)
		if wait := f.wait(hotel, now); wait > byUser.longest {
			t.Fatalf("after %d wrong passwords: got a wait of %s, want %s at most", n, wait, byUser.longest)
		}
	}
	if wait := f.wait(hotel, now); wait != byUser.longest {
		t.Errorf("at a new address: got a wait of %s, want %s", wait, byUser.longest)
	}
	if wait := f.wait(home, now); wait != 0 {
		t.Errorf("at a known address: got a wait of %s, want none", wait)
	}
}

// TestB34_Network checks which addresses belong to one network.
func TestB34_Network(t *testing.T) {
	for _, test := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"2001:db8::1", "192.0.2.1", false},
	} {
		one, other := network(netip.MustParseAddr(test.one)), network(netip.MustParseAddr(test.other))
		if (one == other) != test.same {
			t.Errorf("%s and %s: got %q and %q, want the same: %v", test.one, test.other, one, other, test.same)
		}
	}
	if got := network(netip.Addr{}); got != "" {
		t.Errorf("no address: got %q, want the empty text", got)
	}
}

// TestQ03_ManyAddresses uses a million addresses and user names. The memory of the
// budgets is bounded.
func TestQ03_ManyAddresses(t *testing.T) {
	f := testFailures(t)
	before := heap()
	for n := range uint64(1_000_000) {
		var address [16]byte
		binary.BigEndian.PutUint64(address[:], n)
		a := newAttempt(fmt.Sprint("user", n), netip.AddrFrom16(address))
		if wait := f.charge(a, began); wait != 0 {
			t.Fatalf("address %d: got a wait of %s, want none", n, wait)
		}
		f.seen.Add(a.pair, struct{}{})
	}
	if grown := int64(heap()) - int64(before); grown > 50<<20 {
		t.Errorf("got %d MiB, want at most 50", grown>>20)
	} else {
		t.Logf("%d MiB", grown>>20)
	}
	for counts, want := range map[*counter]budget{f.byPair: byUserAndAddress, f.byAddress: byAddress, f.byUser: byUser} {
		if counts.entries.Len() != want.size {
			t.Errorf("%s: got %d entries, want %d", want.scope, counts.entries.Len(), want.size)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
