package redirect

import (
	"net/url"
	"strings"
)

// Origin returns the origin of a web address as browsers write it (RFC 6454 §6.2). It is
// empty for other addresses, and for those that CheckOrigin refuses.
func Origin(address string) string {
	uri, err := url.Parse(address)
	if err != nil || uri.User != nil {
		return ""
	}
	port := ""
	switch uri.Scheme {
	case "https":
		port = ":443"
	case "http":
		port = ":80"
	}
	origin := uri.Scheme + "://" + strings.TrimSuffix(uri.Host, port)
	if CheckOrigin(origin) != nil {
		return ""
	}
	return origin
}
