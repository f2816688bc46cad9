package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// proxies are the networks whose X-Forwarded-For is trusted. If there are none, the
// client's address is that of the connection.
type proxies []netip.Prefix

// parseProxies parses a comma-separated list of addresses and networks.
func parseProxies(list string) (proxies, error) {
	var parsed proxies
	for text := range strings.SplitSeq(list, ",") {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(text); err == nil {
				network = netip.PrefixFrom(address, address.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
		}
		parsed = append(parsed, network.Masked())
	}
	return parsed, nil
}

// identify adds the client's address and a trace id to the request's context, for the
// log, the provider's events and the sign-in budgets.
func (p proxies) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := oauthkit.RequestInfo{TraceID: rand.Text(), UserAgent: r.UserAgent()}
		if address := p.client(r); address.IsValid() {
			info.RemoteIP = address.String()
		}
		next.ServeHTTP(w, r.WithContext(oauthkit.WithRequestInfo(r.Context(), info)))
	})
}

// client returns the nearest address that is not a trusted proxy. The client, or an
// unknown proxy, may have written the addresses before it in X-Forwarded-For.
func (p proxies) client(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	nearest := connection.Addr().Unmap()
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(forwarded) {
		address, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || !p.contains(nearest) {
			break
		}
		nearest = address.Unmap()
	}
	return nearest
}

func (p proxies) contains(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address.WithZone("")) })
}
