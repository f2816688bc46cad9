package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// device is a KMS: it has the methods of crypto.Signer and no private key to read.
type device struct {
	private *ecdsa.PrivateKey
	failing atomic.Bool
}

func newDevice(t *testing.T) *device {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{private: private}
}

func (d *device) Public() crypto.PublicKey { return d.private.Public() }

func (d *device) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	if d.failing.Load() {
		return nil, errDown
	}
	return d.private.Sign(random, digest, options)
}

func onDevices(devices ...*device) oidc.Config {
	config := oidc.Config{Algorithms: []string{"ES256"}}
	for _, device := range devices {
		config.Signers = append(config.Signers, oidc.Signer{Algorithm: "ES256", Signer: device})
	}
	return config
}

// restart replaces the instance of the site by one with another configuration.
func (s *site) restart(config oidc.Config) error {
	config.Keys = s.keys
	extension := oidc.New(config)
	provider, err := s.extend(extension, secret)
	if err == nil {
		s.extension, s.provider = extension, provider
	}
	return err
}

func newEmptySite(t *testing.T, config oidc.Config) *site {
	t.Helper()
	s := newSite(t, oidc.Config{})
	for _, key := range s.stored() {
		if _, err := s.store.RemoveSigningKey(t.Context(), key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.restart(config); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSigner signs with a device whose private key the store never has, and verifies
// with the published key. A failing device consumes nothing.
func TestSigner(t *testing.T) {
	kms := newDevice(t)
	s := newEmptySite(t, onDevices(kms))
	code := s.code(alice(), nil)
	kms.failing.Store(true)
	if _, err := s.redeem(code); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable || !errors.Is(err, errDown) {
		t.Errorf("got %v from a failing device, want temporarily_unavailable with its error", err)
	}
	kms.failing.Store(false)
	response, err := s.redeem(code)
	if err != nil {
		t.Fatalf("got %v after the device came back, want the code not consumed", err)
	}
	if _, err := jwt.Parse(idToken(t, response), func(*jwt.Token) (any, error) { return kms.Public(), nil },
		jwt.WithTimeFunc(s.clock.Now), jwt.WithValidMethods([]string{"ES256"})); err != nil {
		t.Error(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(kms.private)
	if err != nil {
		t.Fatal(err)
	}
	stored := s.stored()
	if len(stored) != 1 || s.published()[stored[0].ID] == nil || slices.Equal(stored[0].Private, private) || stored[0].Private[0] == 0x30 {
		t.Errorf("got %d stored keys, want one, with a sealed public key, published", len(stored))
	}
	s.rotate() // adds nothing: the host rotates
	if got := len(s.stored()); got != 1 {
		t.Errorf("got %d keys after a rotation, want 1", got)
	}
}

// TestSignerRotation lists a second device on one instance after another. Every instance
// publishes it before one signs with it.
func TestSignerRotation(t *testing.T) {
	one, two := newDevice(t), newDevice(t)
	s := newEmptySite(t, onDevices(one))
	former := s.signer()
	other := &site{t: t, store: s.store, keys: s.keys, clock: s.clock, app: s.app}
	if err := other.restart(onDevices(one)); err != nil {
		t.Fatal(err)
	}
	if err := s.restart(onDevices(one, two)); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Minute)
	if got := len(other.published()); got != 2 || s.signer() != former {
		t.Errorf("got %d keys published by the other instance, want both, and the first one signing", got)
	}
	s.clock.advance(time.Hour)
	next := s.signer()
	if next == former || other.signer() != former || other.published()[next] == nil {
		t.Errorf("got key %s after an hour, want the next one here, and the former one where it is not listed", next)
	}
	if ids := findings(other); !slices.Contains(ids, "oidc.W005") {
		t.Errorf("got findings %v, want oidc.W005 where the active signer is missing", ids)
	}
	if err := other.restart(onDevices(two)); err != nil || other.signer() != next {
		t.Errorf("got %v, want the other instance to sign with the second device", err)
	}
	if err := other.restart(oidc.Config{Algorithms: []string{"ES256"}}); err == nil || !strings.Contains(err.Error(), "Config.Signers does not list") {
		t.Errorf("got %v without any signer, want an error rather than a new key", err)
	}
}

// TestSignerRemoved is K-04 for a signer: no instance that lists it adds it again.
func TestSignerRemoved(t *testing.T) {
	stolen, next := newDevice(t), newDevice(t)
	s := newEmptySite(t, onDevices(stolen, next))
	kid := s.signer()
	for range 2 {
		if err := s.extension.RemoveKey(t.Context(), kid); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if s.published()[kid] != nil || s.signer() == kid {
			t.Error("the removed signer is published or signs")
		}
		if err := s.restart(onDevices(stolen, next)); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(time.Hour)
	}
	states := oidc.KeyStates(s.stored(), s.clock.now)
	if states[kid] != oidc.KeyRemoved || states[s.signer()] != oidc.KeyActive {
		t.Errorf("got states %v, want the first removed and the second active", states)
	}
}

// TestFormerSignerStaysListed leaves a former signer in the list: it ends like any key,
// and never signs again.
func TestFormerSignerStaysListed(t *testing.T) {
	s := newEmptySite(t, onDevices(newDevice(t), newDevice(t)))
	former := s.signer()
	for range 70 { // days
		s.clock.advance(24 * time.Hour)
		if err := s.extension.Upkeep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.signer() == former {
			t.Fatalf("%s: the former signer signs again", s.clock.now)
		}
	}
	if got := s.published(); len(got) != 1 || got[former] != nil {
		t.Errorf("got %v published, want only the second signer", got)
	}
}

// TestSignerGivenUp goes back from a signer to stored keys: what signs is always
// published.
func TestSignerGivenUp(t *testing.T) {
	stored := oidc.Config{Algorithms: []string{"ES256"}}
	s := newEmptySite(t, stored)
	former := s.signer()
	if err := s.restart(onDevices(newDevice(t))); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(2 * time.Hour)
	if s.signer() == former {
		t.Fatal("the signer does not sign")
	}
	if err := s.restart(stored); err != nil {
		t.Fatal(err)
	}
	for day := range 50 {
		s.clock.advance(24 * time.Hour)
		if err := s.extension.Upkeep(t.Context()); err != nil {
			t.Fatalf("day %d: %v", day, err)
		}
		signer := s.signer()
		if s.published()[signer] == nil || day < 5 && len(s.published()) != 2 {
			t.Fatalf("day %d: key %s signs, and %d keys are published", day, signer, len(s.published()))
		}
	}
	if s.signer() == former {
		t.Error("the former key signs for ever")
	}
}

// hookedKeys calls before, once, before it replaces a private key.
type hookedKeys struct {
	oauthkit.KeyStore
	before func()
}

func (k *hookedKeys) ReplacePrivateKey(ctx context.Context, id string, old, private []byte) (bool, error) {
	if before := k.before; before != nil {
		k.before = nil
		before()
	}
	return k.KeyStore.ReplacePrivateKey(ctx, id, old, private)
}

// TestRemoveSignerDuringResealing is K-04 while another instance seals the same key
// again.
func TestRemoveSignerDuringResealing(t *testing.T) {
	config := onDevices(newDevice(t), newDevice(t))
	s := newEmptySite(t, config)
	kid := s.signer()
	resealer := oidc.New(oidc.Config{Algorithms: config.Algorithms, Signers: config.Signers, Keys: s.store})
	if _, err := oauthkit.New(issuer, s.store, oauthkit.Config{
		Extensions: []oauthkit.Extension{resealer}, Secret: nextSecret, AcceptSecrets: []string{secret}, Now: s.clock.Now,
	}); err != nil {
		t.Fatal(err)
	}
	s.keys.KeyStore = &hookedKeys{s.store, func() {
		if err := resealer.Upkeep(t.Context()); err != nil {
			t.Error(err)
		}
	}}
	_ = s.extension.RemoveKey(t.Context(), kid) // cannot read the keys any more without the next secret
	if states := oidc.KeyStates(s.stored(), s.clock.now); states[kid] != oidc.KeyRemoved {
		t.Errorf("got states %v, want key %s removed", states, kid)
	}
}

// TestSignerBesideStoredKeys has a device for one algorithm and stored keys for another.
func TestSignerBesideStoredKeys(t *testing.T) {
	config := onDevices(newDevice(t))
	config.Algorithms = []string{"EdDSA", "ES256"}
	s := newEmptySite(t, config)
	if got := s.published()[s.signer()]["alg"]; got != "EdDSA" {
		t.Errorf("got %v by default, want the first of Algorithms", got)
	}
	s.rotate()
	var names []string
	for _, key := range s.stored() {
		names = append(names, key.Algorithm)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"ES256", "EdDSA", "EdDSA"}) {
		t.Errorf("got keys for %v, want only EdDSA rotated", names)
	}
	s.app.Algorithm = "RS256"
	if _, err := s.redeem(s.code(alice(), nil)); oauthkit.CodeOf(err) != oauthkit.ServerError {
		t.Errorf("got %v for an algorithm that is not listed, want server_error", err)
	}
}

// TestPlantedSigner is ST-15 for public keys: a writer to the database cannot publish
// one.
func TestPlantedSigner(t *testing.T) {
	s := newSite(t, oidc.Config{})
	planted := newDevice(t)
	clear := &site{t: t, store: memstore.New(), clock: s.clock}
	config := onDevices(planted)
	config.Keys = clear.store
	if _, err := clear.extend(oidc.New(config), ""); err != nil {
		t.Fatal(err)
	}
	row := clear.stored()[0]
	row.Generation = 9
	if err := s.store.AddSigningKey(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Minute)
	if s.published()[row.ID] != nil {
		t.Error("the planted public key is published")
	}
	// The instance that lists the device vouches for it, and seals the row.
	if err := s.restart(onDevices(planted)); err != nil || s.signer() != row.ID {
		t.Fatalf("got %v, want the listed device to sign", err)
	}
	if err := s.extension.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range s.stored() {
		if key.Private[0] == 0x30 {
			t.Errorf("%s: got it in clear after Upkeep, want it sealed", key.ID)
		}
	}
}

// TestSignerWithTwoAlgorithms is K-02: a device that was listed for RS256 cannot sign
// PS256.
func TestSignerWithTwoAlgorithms(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	config := func(algorithm string) oidc.Config {
		return oidc.Config{Algorithms: []string{algorithm}, Signers: []oidc.Signer{{Algorithm: algorithm, Signer: private}}}
	}
	s := newEmptySite(t, config("RS256"))
	if err := s.restart(config("PS256")); err == nil || !strings.Contains(err.Error(), "one algorithm") {
		t.Errorf("got %v, want an error at the start rather than at each sign-in", err)
	}
}

func TestSignerConfig(t *testing.T) {
	kms := newDevice(t)
	twice := onDevices(kms, kms)
	unlisted := onDevices(kms)
	unlisted.Algorithms = []string{"EdDSA"}
	wrong := onDevices()
	wrong.Algorithms, wrong.Signers = nil, []oidc.Signer{{Algorithm: "RS256", Signer: kms}}
	for name, config := range map[string]oidc.Config{
		"nil signer":        {Signers: []oidc.Signer{{Algorithm: "ES256"}}},
		"twice":             twice,
		"unlisted":          unlisted,
		"another algorithm": wrong,
		"no algorithm":      {Algorithms: []string{}},
		"unknown algorithm": {Algorithms: []string{"HS256"}},
		"algorithm twice":   {Algorithms: []string{"ES256", "ES256"}},
	} {
		config.Keys = memstore.New()
		if _, err := (&site{t: t, store: memstore.New(), clock: &clock{now: time.Now()}}).extend(oidc.New(config), secret); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// findings returns the ids of the findings about keys.
func findings(s *site) []string {
	var ids []string
	for _, finding := range s.extension.Check(context.Background()) {
		ids = append(ids, finding.ID)
	}
	return ids
}
