package redirect

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// maxLength is the length in bytes of the longest URI that may be registered. Every
// database and browser supports it, and no redirect URI needs more.
const maxLength = 2048

// Check returns an error if uri may not be registered as a redirect URI. The error is
// one rule as a phrase without the URI, such as "must not have a fragment (#)", so that
// it can follow the name of a form field or a list entry.
//
// Allowed are https with a host; http with the host 127.0.0.1, [::1] or localhost
// (RFC 8252 §7.3); and private-use schemes derived from a domain name with exactly one
// slash, such as com.example.app:/callback (RFC 8252 §7.1). The URI must have the one
// spelling that all parsers read in the same way.
func Check(uri string) error {
	if err := checkCharacters(uri); err != nil {
		return err
	}
	p := split(uri)
	if p.fragment != "" {
		return errors.New("must not have a fragment (#)") // RFC 6749 §3.1.2
	}
	if err := p.checkScheme(); err != nil {
		return err
	}
	if strings.ContainsAny(p.path+p.query, "[]") {
		return errors.New("must not contain [ or ] outside the host; write %5B and %5D")
	}
	if err := checkPath(p.path); err != nil {
		return err
	}
	return checkQuery(p.query)
}

// CheckOrigin returns an error if origin may not be registered as an allowed origin of
// cross-origin requests. It must equal the Origin header of a browser (RFC 6454 §6.2):
// scheme, host and, unless it is the default, port. The scheme is https, or http with
// the host 127.0.0.1, [::1] or localhost.
func CheckOrigin(origin string) error {
	if err := checkCharacters(origin); err != nil {
		return err
	}
	p := split(origin)
	if p.scheme != "https:" && p.scheme != "http:" {
		return errors.New("must begin with https:// (or http:// for 127.0.0.1, [::1] or localhost)")
	}
	if p.path != "" || p.query != "" || p.fragment != "" {
		return errors.New("must end after the host or port, without a slash, path, query or fragment")
	}
	if err := p.checkScheme(); err != nil {
		return err
	}
	if p.scheme == "https:" && p.port == ":443" || p.scheme == "http:" && p.port == ":80" {
		return errors.New("must not name the default port: browsers leave it out")
	}
	return nil
}

// checkCharacters accepts only the characters of RFC 3986 §2 and complete percent
// escapes, and no wildcard.
func checkCharacters(uri string) error {
	if uri == "" {
		return errors.New("must not be empty")
	}
	if len(uri) > maxLength {
		return ruleErrorf("must not be longer than %d bytes", maxLength)
	}
	for i := 0; i < len(uri); i++ {
		switch c := uri[i]; {
		case c >= 0x80:
			return errors.New("must be ASCII; write an international host as xn--... and other characters as %XX")
		case c <= ' ' || c == 0x7f:
			return errors.New("must not contain spaces or control characters")
		case c == '*':
			return errors.New("must not contain a wildcard (*)") // RFC 9700 §4.1.3
		case strings.IndexByte("\\\"<>^`{|}", c) >= 0:
			return ruleErrorf("must not contain the character %c", c)
		case c == '%':
			b, ok := unhex(uri[i+1:])
			if !ok {
				return errors.New("must not contain an incomplete percent escape")
			}
			if b < ' ' || b == 0x7f {
				return errors.New("must not contain an escaped control character")
			}
		}
	}
	return nil
}

// unhex decodes the two hexadecimal digits at the beginning of s.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	var b byte
	for i := range 2 {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			b = b<<4 | (c - '0')
		case 'a' <= c && c <= 'f':
			b = b<<4 | (c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			b = b<<4 | (c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return b, true
}

// checkScheme checks the scheme and the authority.
func (p parts) checkScheme() error {
	switch p.scheme {
	case "":
		return errors.New("must be absolute: begin with https://, for example")
	case "https:":
		return p.checkAuthority()
	case "http:":
		if err := p.checkAuthority(); err != nil {
			return err
		}
		if p.host != "127.0.0.1" && p.host != "[::1]" && p.host != "localhost" {
			return errors.New("must use https: http is only for 127.0.0.1, [::1] and localhost") // RFC 9700 §2.1
		}
		return nil
	}
	scheme := strings.TrimSuffix(p.scheme, ":")
	if scheme != strings.ToLower(scheme) {
		return errors.New("must have its scheme in lower case")
	}
	if !strings.Contains(scheme, ".") || scheme[0] < 'a' || !isDomainName(scheme) {
		return errors.New("must use https, or a private-use scheme made from a domain name such as com.example.app")
	}
	if p.slashes != "" || !strings.HasPrefix(p.path, "/") {
		return errors.New("must have exactly one slash after a private-use scheme, as in com.example.app:/callback")
	}
	return nil
}

func (p parts) checkAuthority() error {
	if p.userinfo != "" {
		return errors.New("must not contain a user name or password (@)")
	}
	if p.host == "" {
		return errors.New("must name a host after the scheme and two slashes")
	}
	if !isValidPort(p.port) {
		return errors.New("must have a port from 1 to 65535 after the colon, or no colon")
	}
	if p.host != strings.ToLower(p.host) {
		return errors.New("must have its host in lower case")
	}
	if !isValidHost(p.host) {
		return errors.New("must have a valid host: a domain name without final dot, or an IP address in its usual spelling")
	}
	return nil
}

// isValidHost accepts domain names and canonical IP literals. Browsers read every host
// that ends in a number as an IPv4 address, so 127.1 or 0x7f000001 would denote another
// host than its text.
func isValidHost(host string) bool {
	if literal, ok := strings.CutPrefix(host, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		addr, err := netip.ParseAddr(literal)
		return ok && err == nil && addr.Is6() && addr.Zone() == "" && addr.String() == literal
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4() // ParseAddr rejects leading zeros
	}
	return isDomainName(host)
}

// isDomainName reports whether name consists of labels of lower-case letters, digits
// and inner hyphens, within the lengths of RFC 1035 §2.3.4.
func isDomainName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// checkPath rejects segments that only some servers resolve: ".", "..", their escaped
// spellings, and the same before a path parameter.
func checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		segment, _, _ = strings.Cut(segment, ";")
		segment = strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
		if segment == "." || segment == ".." {
			return errors.New("must not contain the path segments . or ..")
		}
	}
	return nil
}

// checkQuery rejects the names that an authorization response adds, because a client
// would then find two values (RFC 6749 §3.1). Semicolons count as separators, since
// some servers still treat them so.
func checkQuery(query string) error {
	separators := func(r rune) bool { return r == '&' || r == ';' }
	for pair := range strings.FieldsFuncSeq(strings.TrimPrefix(query, "?"), separators) {
		name, _, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name) // cannot fail: checkCharacters has checked every escape
		name = strings.ToLower(name)
		if isResponseParameter(name) {
			return ruleErrorf("must not have the query parameter %s, which the response adds", name)
		}
	}
	return nil
}

// isResponseParameter reports whether name is a parameter of RFC 6749 §4.1.2 or §4.2.2,
// RFC 9207, OpenID Connect Core §3.3.2.5, Session Management §2 or JARM.
func isResponseParameter(name string) bool {
	switch name {
	case "code", "state", "iss", "error", "error_description", "error_uri",
		"access_token", "token_type", "expires_in", "scope", "id_token",
		"session_state", "response":
		return true
	}
	return false
}
