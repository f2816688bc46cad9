package redirect

import "net/netip"

// IsLoopback reports whether host, without port and brackets, is this machine. A
// request to it over http does not leave the machine.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
