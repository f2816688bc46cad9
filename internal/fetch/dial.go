package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

const (
	// maxAddresses limits the addresses of a name that are tried.
	maxAddresses = 4
	// dialTimeout limits the attempt to connect to one of several addresses.
	dialTimeout = 2 * time.Second
)

// dialer connects to allowed addresses.
type dialer struct {
	policy       *policy
	resolver     Resolver
	loopbackOnly bool
}

// dial connects to address, a host with a port. The name is resolved once, and a name
// with one address that is not allowed is refused with all of them: it has no good use,
// and is how a resolver is tricked into returning another address the next time (DNS
// rebinding).
func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("the port is not a number: %w", ErrRefused)
	}
	found, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range found {
		if err := d.policy.check(netip.AddrPortFrom(ip, uint16(port)), d.loopbackOnly); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, ip := range found[:min(len(found), maxAddresses)] {
		connection, err := d.connect(ctx, netip.AddrPortFrom(ip, uint16(port)))
		if err == nil {
			return connection, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// resolve returns the addresses of host, which can be an address itself.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	found, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(found) == 0 {
		err = errNoAddress
	}
	return found, err
}

// connect connects to one address. The deadline of ctx stays with the connection, so that
// it also ends the TLS handshake, whose context has none.
func (d *dialer) connect(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	connection, err := (&net.Dialer{Control: d.control}).DialContext(limited, "tcp", address.String())
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = connection.SetDeadline(deadline)
	}
	return connection, err
}

// control is called with the address to which a socket is about to connect. It repeats
// the check of dial where nothing can come between the check and the connection.
func (d *dialer) control(_, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%q is not an address: %w", address, ErrRefused)
	}
	return d.policy.check(parsed, d.loopbackOnly)
}
