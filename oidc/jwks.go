package oidc

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
)

// keysMaxAge is how long clients may cache the key set. It must stay far below
// publishLead.
const keysMaxAge = 15 * time.Minute

// serveKeys serves the JWK Set (RFC 7517 §5) with which clients verify signatures.
// Scripts of any origin may read it.
func (e *Extension) serveKeys(w http.ResponseWriter, r *http.Request) error {
	keys, now := e.keys.current(r.Context()), e.provider.Now()
	document := keys.document
	if !document.ends.IsZero() && !now.Before(document.ends) { // until the keys are read again
		var err error
		if document, err = keys.publish(now); err != nil {
			return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
		}
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keysMaxAge.Seconds())))
	header.Set("ETag", document.etag)
	header.Set("Access-Control-Allow-Origin", "*")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document.text))
	return nil
}
