package oauthhttp

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net/http"
)

const stylesheetPath = "oauthkit.css"

//go:embed templates/oauthkit.css
var stylesheet []byte

// stylesheetURL returns the URL of the stylesheet. It contains a hash of the
// stylesheet, so that browsers can cache it.
func stylesheetURL(prefix string) string {
	sum := sha256.Sum256(stylesheet)
	return fmt.Sprintf("%s/%s?v=%x", prefix, stylesheetPath, sum[:6])
}

func serveStylesheet(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(stylesheet)
	return nil
}
