package oidc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// keysMaxAge is how long clients may cache the key set. It must stay far below
// publishLead.
const keysMaxAge = 15 * time.Minute

// serveKeys serves the JWK Set (RFC 7517 §5) with which clients verify signatures.
// Scripts of any origin may read it.
func (e *Extension) serveKeys(w http.ResponseWriter, r *http.Request) error {
	document, err := jose.PublicSet(e.keys.current(r.Context()).published(e.provider.Now()))
	if err != nil {
		return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	sum := sha256.Sum256(document)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keysMaxAge.Seconds())))
	header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
	header.Set("Access-Control-Allow-Origin", "*")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
	return nil
}
