package oauthkit

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// sealPurpose is the prefix of every purpose of Provider.Seal, so that Provider.Open
// cannot open other data that is sealed with Config.Secret, such as a signing key.
const sealPurpose = "oauthkit travelling: "

// Seal encrypts and authenticates text that travels through a browser and comes
// back, possibly to another instance. The key is derived for one purpose from
// Config.Secret or, if that is empty, from a secret in the store that all instances
// share. Bound and the issuer are authenticated with the text.
//
// A sealed text does not expire and can be opened any number of times; the text must
// prevent that where it matters. If Config.Secret is empty, anyone who reads the
// database can seal and open, so the text must hold no credential.
func (p *Provider) Seal(ctx context.Context, purpose string, text, bound []byte) ([]byte, error) {
	key, err := p.sealingKey(ctx)
	if err != nil {
		return nil, err
	}
	return secret.Seal(key, sealPurpose+purpose, text, p.boundToIssuer(bound))
}

// Open returns the text that was passed to Seal. It returns ErrNotFound if sealed was
// made for another purpose, issuer or bound, with a secret that is neither Config.Secret
// nor one of Config.AcceptSecrets, or was changed.
func (p *Provider) Open(ctx context.Context, purpose string, sealed, bound []byte) ([]byte, error) {
	key, err := p.sealingKey(ctx)
	if err != nil {
		return nil, err
	}
	for _, opening := range append([]string{key}, p.config.AcceptSecrets...) {
		text, err := secret.Open(opening, sealPurpose+purpose, sealed, p.boundToIssuer(bound))
		if !errors.Is(err, secret.ErrUnsealable) {
			return text, err
		}
	}
	return nil, ErrNotFound
}

// boundToIssuer prepends the issuer, which contains no NUL, to bound.
func (p *Provider) boundToIssuer(bound []byte) []byte {
	return append([]byte(p.issuer+"\x00"), bound...)
}

// sealingKey returns Config.Secret or the shared secret of the store, which is read once.
func (p *Provider) sealingKey(ctx context.Context) (string, error) {
	if p.config.Secret != "" {
		return p.config.Secret, nil
	}
	if shared := p.sharedSecret.Load(); shared != nil {
		return *shared, nil
	}
	shared, err := p.store.SharedSecret(ctx, secret.New(""))
	if err != nil {
		return "", Unavailable(fmt.Errorf("reading the shared secret: %w", err))
	}
	if len(shared) < minSecret {
		return "", fmt.Errorf("oauthkit: shared secret in the store is shorter than %d bytes", minSecret)
	}
	p.sharedSecret.Store(&shared)
	return shared, nil
}
