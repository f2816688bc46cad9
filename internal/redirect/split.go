package redirect

import "strings"

// parts is a URI split at its delimiters (RFC 3986 appendix B), without decoding or
// normalizing. Every part keeps its delimiter, so that an empty part ("?" alone)
// differs from an absent one, and the parts joined are the original string.
type parts struct {
	scheme   string // "https:"
	slashes  string // "//" if there is an authority
	userinfo string // "user@", up to the last "@" of the authority
	host     string // "rp.test", "[::1]"
	port     string // ":443"
	path     string // "/cb"
	query    string // "?a=1"
	fragment string // "#x"
}

// split never fails: text that is not a URI has parts too, and the callers check them.
func split(uri string) parts {
	var p parts
	rest := uri
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		rest, p.fragment = rest[:i], rest[i:]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		rest, p.query = rest[:i], rest[i:]
	}
	if i := strings.IndexAny(rest, ":/"); i > 0 && rest[i] == ':' {
		p.scheme, rest = rest[:i+1], rest[i+1:]
	}
	if !strings.HasPrefix(rest, "//") {
		p.path = rest
		return p
	}
	p.slashes, rest = rest[:2], rest[2:]
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, p.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		p.userinfo, rest = rest[:i+1], rest[i+1:]
	}
	// The colons of an IPv6 literal precede its closing bracket.
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		rest, p.port = rest[:i], rest[i:]
	}
	p.host = rest
	return p
}

// isValidPort reports whether port, with its colon, is absent or a decimal number from
// 1 to 65535 without leading zeros. An empty port (":") is not valid.
func isValidPort(port string) bool {
	if port == "" {
		return true
	}
	digits := port[1:]
	if len(digits) < 1 || len(digits) > 5 || digits[0] == '0' {
		return false
	}
	n := 0
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		n = n*10 + int(digits[i]-'0')
	}
	return n <= 65535
}
