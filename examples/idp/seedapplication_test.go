package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// seeded is a database to which seed files are applied one after the other.
type seeded struct {
	*testing.T
	location location
}

// restart applies a seed file with the secret, as each start does.
func (s seeded) restart(secret string) {
	s.Helper()
	s.open(func(d *database) error {
		app := seedApplication{Secret: secret}
		app.ClientID, app.Name, app.ClientType = "web", "Web shop", oauthkit.Confidential
		return (&seed{Applications: []seedApplication{app}}).apply(s.Context(), d)
	})
}

func (s seeded) rotate() (secret string) {
	s.Helper()
	s.open(func(d *database) error {
		applications, operator, err := operatorApplications(d, 0, nil)
		if err != nil {
			return err
		}
		secret, err = applications.RotateSecret(s.Context(), operator, "web", 0)
		return err
	})
	return secret
}

// expect compares which of the secrets are valid.
func (s seeded) expect(step string, valid map[string]bool) {
	s.Helper()
	s.open(func(d *database) error {
		app, err := d.store.ApplicationTable.Find(s.Context(), "web")
		if err != nil {
			return err
		}
		for secret, want := range valid {
			if got := app.VerifyPassword(secret); got != want {
				s.Errorf("%s: secret %s: got valid %v, want %v", step, secret, got, want)
			}
		}
		return nil
	})
}

func (s seeded) open(act func(d *database) error) {
	s.Helper()
	database, err := openDatabase(s.Context(), s.location)
	if err != nil {
		s.Fatal(err)
	}
	defer database.Close()
	if err := act(database); err != nil {
		s.Fatal(err)
	}
}

// TestST14_RotatedSecret checks that a seed file sets each secret once: a restart does
// not restore a rotated secret, a new secret in the file is set, and a deleted
// application starts again.
func TestST14_RotatedSecret(t *testing.T) {
	const first, second = "the-first-secret-of-the-file", "the-second-secret-of-the-file"
	s := seeded{t, location(filepath.Join(t.TempDir(), "idp.db"))}
	s.restart(first)
	s.expect("seeded", map[string]bool{first: true})
	rotated := s.rotate()
	for range 2 {
		s.restart(first)
		s.expect("restarted", map[string]bool{first: false, rotated: true})
	}
	s.restart(second)
	s.expect("changed in the file", map[string]bool{first: false, rotated: false, second: true})
	s.restart(first)
	s.expect("changed back", map[string]bool{first: false, second: true})
	s.open(func(d *database) error { return d.store.ApplicationTable.Delete(t.Context(), "web", time.Now()) })
	s.restart(first)
	s.expect("deleted and seeded", map[string]bool{first: true, second: false})
}

// TestST14_ShortSecret checks that a seed file with a secret that can be guessed is
// rejected before anything changes, and that the error does not contain the secret.
func TestST14_ShortSecret(t *testing.T) {
	for secret, refused := range map[string]bool{
		"q":                                true,
		strings.Repeat("q", minSecret-1):   true,
		strings.Repeat("q", minSecret):     false,
		"":                                 false,
		strings.Repeat("q", 3*minSecret+1): false,
	} {
		path := filepath.Join(t.TempDir(), "seed.json")
		document := `{"applications": [{"client_id": "web", "client_type": "confidential", "client_secret": "` + secret + `"}]}`
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readSeed(path)
		if (err != nil) != refused {
			t.Errorf("%d characters: got %v, want an error: %v", len(secret), err, refused)
		}
		if err != nil && (!strings.Contains(err.Error(), `application "web"`) || !strings.Contains(err.Error(), "client_secret is too short") || strings.Contains(err.Error(), "qqq")) {
			t.Errorf("%d characters: got %q, want the application and the cause without the secret", len(secret), err)
		}
	}
}

// TestSeedPKCE checks that the member pkce of a seed file is stored, and that the default
// returns if it is removed from the file.
func TestSeedPKCE(t *testing.T) {
	s := seeded{t, location(filepath.Join(t.TempDir(), "idp.db"))}
	for _, tc := range []struct {
		member string
		want   oauthkit.PKCEPolicy
	}{
		{`, "pkce": "nonce"`, oauthkit.PKCENonce},
		{`, "pkce": "optional"`, oauthkit.PKCEOptional},
		{"", ""},
	} {
		path := filepath.Join(t.TempDir(), "seed.json")
		document := `{"applications": [{"client_id": "web", "client_type": "confidential"` + tc.member + `}]}`
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := readSeed(path)
		if err != nil {
			t.Fatal(err)
		}
		s.open(func(d *database) error {
			if err := read.apply(t.Context(), d); err != nil {
				return err
			}
			app, err := d.store.ApplicationTable.Find(t.Context(), "web")
			if err == nil && app.PKCE != tc.want {
				t.Errorf("%s: got %q, want %q", document, app.PKCE, tc.want)
			}
			return err
		})
	}
}
