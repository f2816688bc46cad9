package redirect

import "net/netip"

// IsLoopback reports whether host, without a port and brackets, is this machine: what is sent to it over http leaves it for
// nobody to read.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
