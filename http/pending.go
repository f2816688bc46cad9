package oauthhttp

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is an authorization request while its user signs in. It is not stored: it travels, sealed,
// through the host's login page, so that strangers cannot fill the database. A seal can be opened any
// number of times until it expires, but makes only one row for each user, which is decided once.

// interactionLifetime is how long a request waits, a registration with the host included.
const interactionLifetime = 30 * time.Minute

// maxNext is the number of bytes of the path to which a login page returns.
const maxNext = 4 << 10

// pendingPurpose is the purpose of the seal.
const pendingPurpose = "authorization request"

// pending is an authorization request that waits.
type pending struct {
	seed        [32]byte // names the rows that are made of it
	browserHash [sha256.Size]byte
	begun       time.Time
	expires     time.Time
	parameters  url.Values
}

// newPending makes one that belongs to no browser yet.
func newPending(request *oauthkit.AuthorizeRequest) *pending {
	p := &pending{
		begun:      request.Now,
		expires:    request.Now.Add(interactionLifetime),
		parameters: request.Form,
	}
	rand.Read(p.seed[:])
	return p
}

// pendingVersion is the first byte of an encoded request. Another one says that more, such as a mark that
// the request was pushed, is encoded.
const pendingVersion = 1

// encode returns the request as bytes: what has a fixed length, then names and values in turn, separated
// by NUL, which none of them holds.
func (p *pending) encode() []byte {
	encoded := []byte{pendingVersion}
	encoded = append(encoded, p.seed[:]...)
	encoded = append(encoded, p.browserHash[:]...)
	encoded = binary.BigEndian.AppendUint64(encoded, uint64(p.begun.UnixMicro()))
	encoded = binary.BigEndian.AppendUint64(encoded, uint64(p.expires.UnixMicro()))
	var texts []string
	for name, values := range p.parameters {
		for _, value := range values {
			texts = append(texts, name, value)
		}
	}
	return append(encoded, strings.Join(texts, "\x00")...)
}

var errPending = errors.New("an encoded authorization request is damaged")

func decodePending(encoded []byte) (*pending, error) {
	p := &pending{parameters: url.Values{}}
	fixed := 1 + len(p.seed) + len(p.browserHash) + 8 + 8
	if len(encoded) < fixed || encoded[0] != pendingVersion {
		return nil, errPending
	}
	reader := bytes.NewBuffer(encoded[1:])
	copy(p.seed[:], reader.Next(len(p.seed)))
	copy(p.browserHash[:], reader.Next(len(p.browserHash)))
	p.begun = time.UnixMicro(int64(binary.BigEndian.Uint64(reader.Next(8)))).UTC()
	p.expires = time.UnixMicro(int64(binary.BigEndian.Uint64(reader.Next(8)))).UTC()
	texts := strings.Split(reader.String(), "\x00")
	if len(texts)%2 != 0 {
		return nil, errPending
	}
	for pair := range slices.Chunk(texts, 2) {
		p.parameters.Add(pair[0], pair[1])
	}
	return p, nil
}

// nextSize returns the length of the path that seal returns for an encoded request of a size.
func (h *Handler) nextSize(encoded int) int {
	return len(h.provider.Prefix()+sealedPath) + base64.RawURLEncoding.EncodedLen(encoded+secret.SealOverhead)
}

// sealedPath is the path, below the prefix, to which a browser returns from signing in.
const sealedPath = "/consent?request="

// seal returns the path to which the browser returns when its user has signed in.
func (h *Handler) seal(ctx context.Context, encoded []byte) (path string, err error) {
	sealed, err := h.provider.Seal(ctx, pendingPurpose, encoded, nil)
	if err != nil {
		return "", err
	}
	return h.provider.Prefix() + sealedPath + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// unseal returns the request that seal was given, in the browser that began it and in time.
func (h *Handler) unseal(r *http.Request, sealed string) (*pending, error) {
	if len(sealed) > maxNext || strings.ContainsAny(sealed, "\r\n") { // which the decoder would pass over
		return nil, errGone
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return nil, errGone
	}
	encoded, err := h.provider.Open(r.Context(), pendingPurpose, decoded, nil)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, errGone
	case err != nil:
		return nil, err
	}
	p, err := decodePending(encoded)
	if err != nil {
		return nil, errGone // sealed by another version of this program
	}
	return p, h.checkPending(r, p)
}

// checkPending wants the browser that began the request, and before its end.
func (h *Handler) checkPending(r *http.Request, p *pending) error {
	browserHash := sha256.Sum256([]byte(h.browser(r)))
	switch {
	case !hmac.Equal(browserHash[:], p.browserHash[:]):
		return errOtherBrowser
	case !h.provider.Now().Before(p.expires):
		return errGone
	default:
		return nil
	}
}

// interactionID returns the id of the row that a user's decision about the request is kept in. There is one
// for each user, so that a request which comes back twice is still decided once.
func (p *pending) interactionID(user *oauthkit.User) string {
	mac := hmac.New(sha256.New, p.seed[:])
	mac.Write([]byte(user.Subject))
	return string(secret.Interaction) + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
