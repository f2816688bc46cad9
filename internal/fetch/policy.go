package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// maxURL limits a URL, in bytes.
const maxURL = 2048

// policy decides which URLs and addresses are allowed.
type policy struct {
	loopback bool
	networks []netip.Prefix
	ports    []uint16
	global   netip.Prefix   // the IPv6 addresses that are assigned to the public Internet
	special  []netip.Prefix // those parts of the Internet that are not public
}

func newPolicy(config Config) *policy {
	p := &policy{
		loopback: config.AllowLoopback,
		ports:    append([]uint16{443, 8443}, config.AllowPorts...),
		global:   netip.MustParsePrefix("2000::/3"),
		special:  specialPrefixes(),
	}
	for _, network := range config.AllowNetworks {
		p.networks = append(p.networks, network.Masked())
	}
	return p
}

// specialPrefixes returns the prefixes that are not globally reachable, by the IANA
// registries of special-purpose IPv4 and IPv6 addresses (RFC 6890), with multicast and
// reserved ones. IPv6 addresses outside 2000::/3 are refused without being listed, such
// as those of loopback, NAT64, site-local and unique local networks.
func specialPrefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, prefix := range []string{
		"0.0.0.0/8",         // this network
		"10.0.0.0/8",        // private
		"100.64.0.0/10",     // shared by customers of a carrier, and metadata of Alibaba Cloud
		"127.0.0.0/8",       // loopback
		"168.63.129.16/32",  // the host below a virtual machine of Azure
		"169.254.0.0/16",    // link local, and metadata of most clouds
		"172.16.0.0/12",     // private
		"192.0.0.0/24",      // protocol assignments, and metadata of Oracle Cloud
		"192.0.2.0/24",      // documentation
		"192.31.196.0/24",   // AS112
		"192.52.193.0/24",   // AMT
		"192.88.99.0/24",    // relays of 6to4
		"192.168.0.0/16",    // private
		"192.175.48.0/24",   // AS112
		"198.18.0.0/15",     // benchmarks
		"198.51.100.0/24",   // documentation
		"203.0.113.0/24",    // documentation
		"224.0.0.0/4",       // multicast
		"240.0.0.0/4",       // reserved, and broadcast
		"2001::/23",         // protocol assignments, such as Teredo and ORCHID
		"2001:db8::/32",     // documentation
		"2002::/16",         // 6to4, which contains an IPv4 address
		"2620:4f:8000::/48", // AS112
		"3ffe::/16",         // the former 6bone
		"3fff::/20",         // documentation
	} {
		prefixes = append(prefixes, netip.MustParsePrefix(prefix))
	}
	return prefixes
}

// parse checks a URL as far as it is possible without its address.
func (p *policy) parse(text string) (*url.URL, error) {
	if len(text) > maxURL {
		return nil, fmt.Errorf("the URL is longer than %d bytes: %w", maxURL, ErrRefused)
	}
	target, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL cannot be parsed: %w", ErrRefused)
	case target.Scheme != "https" && (target.Scheme != "http" || !p.loopback || !redirect.IsLoopback(target.Hostname())):
		return nil, fmt.Errorf("the URL is not https: %w", ErrRefused)
	case target.Opaque != "" || target.Hostname() == "":
		return nil, fmt.Errorf("the URL has no host: %w", ErrRefused)
	case target.User != nil:
		return nil, fmt.Errorf("the URL has a user: %w", ErrRefused)
	case target.Fragment != "":
		return nil, fmt.Errorf("the URL has a fragment: %w", ErrRefused)
	default:
		return target, nil
	}
}

// check returns an error if no connection to an address is allowed.
func (p *policy) check(address netip.AddrPort, loopbackOnly bool) error {
	ip := address.Addr().Unmap()
	switch {
	case ip.IsLoopback() && p.loopback:
		return nil
	case loopbackOnly:
		return refuse(address, "http is for this machine only")
	case slices.ContainsFunc(p.networks, func(network netip.Prefix) bool { return network.Contains(ip) }):
		return nil
	case !p.isPublic(ip):
		return refuse(address, "the address is not public")
	case !slices.Contains(p.ports, address.Port()):
		return refuse(address, "the port is not allowed")
	default:
		return nil
	}
}

// isPublic reports whether ip belongs to the public Internet.
func (p *policy) isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.Zone() != "" || ip.Is6() && !p.global.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(p.special, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })
}

// errNoAddress means that a name has no address.
var errNoAddress = errors.New("the name has no address")

func refuse(address netip.AddrPort, reason string) error {
	return fmt.Errorf("%s: %s: %w", address, reason, ErrRefused)
}
