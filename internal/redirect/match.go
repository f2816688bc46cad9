// Package redirect decides where an authorization response may be sent: which
// redirect URIs may be registered, and whether a requested URI is a registered one.
//
// It never normalizes or decodes a URI. RFC 9700 §2.1 and §4.1.3 require a
// comparison byte by byte, and it is the only comparison on which this program and
// every browser agree.
package redirect

// Match reports whether requested is the registered redirect URI. Requested is the
// value of the redirect_uri parameter, form-decoded exactly once.
//
// The two must be equal byte by byte. With nativeLoopback, which is for public native
// applications only, the port of a URI registered as http://127.0.0.1 or http://[::1]
// may differ (RFC 8252 §7.3). This never applies to the name localhost (RFC 8252 §8.3).
// An empty URI matches nothing.
//
// Match does not check that the registered URI is allowed; Check does.
func Match(registered, requested string, nativeLoopback bool) bool {
	if requested == "" {
		return false
	}
	if registered == requested {
		return true
	}
	if !nativeLoopback {
		return false
	}
	a, b := split(registered), split(requested)
	if !a.isLoopbackIP() || !b.isLoopbackIP() {
		return false
	}
	a.port, b.port = "", ""
	return a == b
}

// isLoopbackIP reports whether p is a redirect URI on the loopback interface as defined
// in RFC 8252 §7.3.
func (p parts) isLoopbackIP() bool {
	return p.scheme == "http:" && p.slashes == "//" && p.userinfo == "" &&
		(p.host == "127.0.0.1" || p.host == "[::1]") &&
		isValidPort(p.port) && p.fragment == ""
}

// Difference names the first component in which requested differs from registered:
// "scheme", "userinfo", "host", "port", "path", "query" or "fragment". It is empty if
// they are equal. Use it only in debug logs: in a response it would help to guess
// registered URIs.
func Difference(registered, requested string) string {
	a, b := split(registered), split(requested)
	switch {
	case a.scheme != b.scheme:
		return "scheme"
	case a.userinfo != b.userinfo:
		return "userinfo"
	case a.slashes != b.slashes || a.host != b.host:
		return "host"
	case a.port != b.port:
		return "port"
	case a.path != b.path:
		return "path"
	case a.query != b.query:
		return "query"
	case a.fragment != b.fragment:
		return "fragment"
	}
	return ""
}
