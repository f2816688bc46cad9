package oauthkit

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// sealPurpose begins the purpose of everything that Provider.Seal seals, so that nothing else which is
// sealed with Config.Secret, such as a signing key, can be opened there.
const sealPurpose = "oauthkit travelling: "

// Seal encrypts and authenticates text that travels through a browser and comes back, perhaps to another
// instance. The key is derived, for one purpose, from Config.Secret or, if that is empty, from a secret
// that all instances share in the store. Bound is authenticated with the text, and so is the issuer.
//
// A seal does not expire and can be opened any number of times; what must not be is for the text to
// prevent. If Config.Secret is empty, a reader of the database can make and open seals, so the text must
// hold no credential.
func (p *Provider) Seal(ctx context.Context, purpose string, text, bound []byte) ([]byte, error) {
	key, err := p.sealingKey(ctx)
	if err != nil {
		return nil, err
	}
	return secret.Seal(key, sealPurpose+purpose, text, p.boundToIssuer(bound))
}

// Open returns the text that Seal was given. It returns ErrNotFound if sealed was not made with the same
// secret, for the same purpose, issuer and bound, or was changed since.
func (p *Provider) Open(ctx context.Context, purpose string, sealed, bound []byte) ([]byte, error) {
	key, err := p.sealingKey(ctx)
	if err != nil {
		return nil, err
	}
	text, err := secret.Open(key, sealPurpose+purpose, sealed, p.boundToIssuer(bound))
	if errors.Is(err, secret.ErrUnsealable) {
		return nil, ErrNotFound
	}
	return text, err
}

// boundToIssuer puts the issuer, which holds no NUL, before what is bound.
func (p *Provider) boundToIssuer(bound []byte) []byte {
	return append([]byte(p.issuer+"\x00"), bound...)
}

// sealingKey returns Config.Secret or what the store keeps in its place, which is asked for until it has
// answered once.
func (p *Provider) sealingKey(ctx context.Context) (string, error) {
	if p.config.Secret != "" {
		return p.config.Secret, nil
	}
	if known := p.sharedSecret.Load(); known != nil {
		return *known, nil
	}
	shared, err := p.store.SharedSecret(ctx, secret.New(""))
	if err != nil {
		return "", Unavailable(fmt.Errorf("reading the shared secret: %w", err))
	}
	if len(shared) < minSecret {
		return "", fmt.Errorf("oauthkit: the shared secret in the store is shorter than %d bytes", minSecret)
	}
	p.sharedSecret.Store(&shared)
	return shared, nil
}
