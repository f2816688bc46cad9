package fetch

import (
	"context"
	"fmt"
	"sync"
)

// gate limits the concurrent requests, in all and for each host.
type gate struct {
	all     chan struct{}
	perHost int

	mutex sync.Mutex
	hosts map[string]*places
}

// places are those of one host.
type places struct {
	taken chan struct{}
	users int // requests that wait or are in flight
}

func newGate(all, perHost int) *gate {
	return &gate{all: make(chan struct{}, all), perHost: perHost, hosts: map[string]*places{}}
}

// enter waits for a place. It returns a function that gives the place back, or ErrBusy if
// ctx ends first. A request that waits for its host takes no place from others.
func (g *gate) enter(ctx context.Context, host string) (leave func(), err error) {
	own := g.register(host)
	select {
	case own.taken <- struct{}{}:
	case <-ctx.Done():
		g.unregister(host)
		return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	select {
	case g.all <- struct{}{}:
	case <-ctx.Done():
		<-own.taken
		g.unregister(host)
		return nil, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	return func() {
		<-g.all
		<-own.taken
		g.unregister(host)
	}, nil
}

// register returns the places of a host, which exist as long as a request uses them.
func (g *gate) register(host string) *places {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.hosts[host] == nil {
		g.hosts[host] = &places{taken: make(chan struct{}, g.perHost)}
	}
	g.hosts[host].users++
	return g.hosts[host]
}

func (g *gate) unregister(host string) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.hosts[host].users--
	if g.hosts[host].users == 0 {
		delete(g.hosts, host)
	}
}
