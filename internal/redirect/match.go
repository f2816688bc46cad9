// Package redirect decides where an authorization response may go: which
// redirect URIs may be registered, and whether a requested one is registered.
//
// Nothing here normalises or decodes a URI. Comparing strings byte by byte is
// what RFC 9700 §2.1 and §4.1.3 ask for, and it is the only comparison on which
// this program and every browser agree.
package redirect

// Match reports whether requested is the registered redirect URI. Requested is
// the value of the redirect_uri parameter after exactly one form decoding.
//
// The two must be the same bytes. With nativeLoopback, which is for public
// native applications only, one thing may differ: the port of a URI registered
// as http://127.0.0.1 or http://[::1] (RFC 8252 §7.3). The name localhost never
// gets that relaxation (RFC 8252 §8.3), and an empty URI matches nothing.
//
// Match does not ask whether the registered URI should have been registered;
// that is Check's question.
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
	if !a.loopbackIP() || !b.loopbackIP() {
		return false
	}
	a.port, b.port = "", ""
	return a == b
}

// loopbackIP reports whether p has the form that RFC 8252 §7.3 gives to the
// redirect URI of an application listening on the loopback interface.
func (p parts) loopbackIP() bool {
	return p.scheme == "http:" && p.slashes == "//" && p.userinfo == "" &&
		(p.host == "127.0.0.1" || p.host == "[::1]") &&
		validPort(p.port) && p.fragment == ""
}

// Difference names the first component in which requested departs from
// registered: "scheme", "userinfo", "host", "port", "path", "query" or
// "fragment"; "" when they are equal. It is for debug logs only: telling the
// requester would help to guess registered URIs.
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
