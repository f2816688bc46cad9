package oauthkit

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// issuerPath checks the issuer (RFC 8414 §2) and returns its path.
func issuerPath(issuer string, allowInsecure bool) (string, error) {
	uri, err := url.Parse(issuer)
	switch {
	case err != nil:
		return "", fmt.Errorf("oauthkit: the issuer is not a URL: %w", err)
	case uri.Opaque != "" || uri.User != nil || redirect.CheckOrigin("https://"+uri.Host) != nil || uri.EscapedPath() != uri.Path:
		return "", fmt.Errorf("oauthkit: the issuer %q must look like https://example.com/o", issuer)
	case strings.ContainsAny(issuer, "?#") || uri.Path != "" && (uri.Path == "/" || path.Clean(uri.Path) != uri.Path):
		return "", fmt.Errorf("oauthkit: the issuer %q must have no query, no fragment, no trailing slash and no dot segments", issuer)
	case uri.Scheme == "https", uri.Scheme == "http" && (allowInsecure || redirect.IsLoopback(uri.Hostname())):
		return uri.Path, nil
	default:
		return "", fmt.Errorf("oauthkit: the issuer %q must be https; http is for localhost only", issuer)
	}
}
