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
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file seals an authorization request while its user signs in. The request is
// not stored, so that strangers cannot fill the database: it travels through the
// host's login page. It can be opened any number of times until it expires, but
// leads to one interaction per user, which is decided once.

// interactionLifetime is how long a request is pending. It leaves time
// to register with the host.
const interactionLifetime = 30 * time.Minute

// maxNext is the maximum number of bytes of the path to which a login page returns.
const maxNext = 4 << 10

// pendingPurpose is the purpose under which a request is sealed.
const pendingPurpose = "authorization request"

// pending is an authorization request that waits for its user.
type pending struct {
	seed        [32]byte // from which the ids of interactions are derived
	browserHash [sha256.Size]byte
	begun       time.Time
	expires     time.Time
	provenance  oauthkit.Provenance
	parameters  url.Values
}

// newPending returns a pending request without a browser.
func newPending(request *oauthkit.AuthorizeRequest) *pending {
	p := &pending{
		begun:      request.Now,
		expires:    request.Now.Add(interactionLifetime),
		provenance: request.Provenance,
		parameters: request.Form,
	}
	rand.Read(p.seed[:])
	return p
}

// pendingVersion is the first byte of an encoded request.
const pendingVersion = 1

// The bits of an encoded provenance.
const (
	pushedBit = 1 << iota
	signedBit
)

// encode returns the fields of fixed length, then alternating names and values
// separated by NUL, which they cannot contain.
func (p *pending) encode() []byte {
	encoded := []byte{pendingVersion, 0}
	if p.provenance.Pushed {
		encoded[1] |= pushedBit
	}
	if p.provenance.Signed {
		encoded[1] |= signedBit
	}
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

var errPending = errors.New("invalid encoding of a pending authorization request")

func decodePending(encoded []byte) (*pending, error) {
	p := &pending{parameters: url.Values{}}
	fixed := 2 + len(p.seed) + len(p.browserHash) + 8 + 8
	if len(encoded) < fixed || encoded[0] != pendingVersion {
		return nil, errPending
	}
	p.provenance = oauthkit.Provenance{Pushed: encoded[1]&pushedBit != 0, Signed: encoded[1]&signedBit != 0}
	reader := bytes.NewBuffer(encoded[2:])
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

// nextSize returns the length of the path that seal returns for an
// encoded request of the given size.
func (h *Handler) nextSize(encoded int) int {
	return len(h.provider.Prefix()+sealedPath) + base64.RawURLEncoding.EncodedLen(encoded+secret.SealOverhead)
}

// sealedPath is the path below the prefix to which a login page returns.
const sealedPath = "/consent?request="

// seal returns the path to which the browser returns after the user has signed in.
func (h *Handler) seal(ctx context.Context, encoded []byte) (path string, err error) {
	sealed, err := h.provider.Seal(ctx, pendingPurpose, encoded, nil)
	if err != nil {
		return "", err
	}
	return h.provider.Prefix() + sealedPath + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// unseal reverses seal. The caller must check the request's browser and expiry.
func (h *Handler) unseal(ctx context.Context, sealed string) (*pending, error) {
	if len(sealed) > maxNext || strings.ContainsAny(sealed, "\r\n") { // the decoder ignores line breaks
		return nil, errGone
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return nil, errGone
	}
	encoded, err := h.provider.Open(ctx, pendingPurpose, decoded, nil)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, errGone
	case err != nil:
		return nil, err
	}
	p, err := decodePending(encoded)
	if err != nil {
		return nil, errGone // sealed by another version of the library
	}
	return p, nil
}

// interactionID returns the id of the interaction in which a user decides
// about the request. Each user has exactly one, so that a request which
// comes back twice is decided once.
func (p *pending) interactionID(user *oauthkit.User) string {
	mac := hmac.New(sha256.New, p.seed[:])
	mac.Write([]byte(user.Subject))
	return string(secret.Interaction) + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
