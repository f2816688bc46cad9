package clienttest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"gorm.io/gorm"
)

// command runs a command of examples/idp and returns its output, its error output and
// its exit status.
func command(t *testing.T, args ...string) (printed, complaint string, status int) {
	t.Helper()
	var stdout, stderr strings.Builder
	process := exec.CommandContext(t.Context(), build(t, "idp"), args...)
	process.Dir, process.Stdout, process.Stderr = t.TempDir(), &stdout, &stderr
	err := process.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), process.ProcessState.ExitCode()
}

// succeed runs a command that must succeed. Its error output may hold only log lines
// about changes.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	printed, complaint, status := command(t, args...)
	for line := range strings.Lines(complaint) {
		if !strings.Contains(line, " level=INFO msg=") {
			t.Errorf("idp %s: got the error output %q, want none", strings.Join(args, " "), line)
		}
	}
	if status != 0 {
		t.Fatalf("idp %s: got status %d and %q, want success", strings.Join(args, " "), status, complaint)
	}
	return printed
}

// shownSecret returns the secret in the output.
func shownSecret(t *testing.T, printed string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^client_secret +(\S{40,})$`).FindStringSubmatch(printed)
	if found == nil {
		t.Fatalf("got %q, want a secret", printed)
	}
	return found[1]
}

// shop is the application that the commands in these tests manage.
func shop(idp *process, secret string) *oauth2.Config {
	config := webConfig(idp)
	config.ClientID, config.ClientSecret = "shop", secret
	return config
}

// worksFor reports whether shop can authenticate with a secret.
func worksFor(t *testing.T, idp *process, secret string) bool {
	t.Helper()
	config := &clientcredentials.Config{
		ClientID: "shop", ClientSecret: secret, TokenURL: idp.issuer() + "/token", Scopes: []string{"read"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	_, err := config.Token(t.Context())
	var refused *oauth2.RetrieveError
	if err != nil && (!errors.As(err, &refused) || refused.ErrorCode != "invalid_client") {
		t.Fatal(err)
	}
	return err == nil
}

// eachLocation runs a test on every database while a provider serves it.
func eachLocation(t *testing.T, test func(t *testing.T, idp *process, location string)) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			location := database(t)
			test(t, start(t, "idp", "-db", location, "-seed", seedFile(t)), location)
		})
	}
}

func createShop(t *testing.T, location string) (secret string) {
	t.Helper()
	return shownSecret(t, succeed(t, "createapplication", "confidential", "authorization-code,refresh-token,client_credentials", "-db", location,
		"--name", "Shop", "--client-id", "shop", "--user", "alice", "--redirect-uris", callback, "--scopes", "openid read", "--seed", seedFile(t)))
}

// TestIDPCommands manages an application while the provider serves: it creates it,
// signs in with it, rotates its secret and deletes it.
func TestIDPCommands(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		first := createShop(t, location)
		alice := newPerson(t)
		tokens := signIn(t, shop(idp, first), alice)
		checkPages(t, idp, alice)

		second := shownSecret(t, succeed(t, "applications", "rotate-secret", "-db", location, "shop", "--keep", "1h"))
		if !worksFor(t, idp, first) || !worksFor(t, idp, second) {
			t.Error("got a secret refused, want both valid for an hour")
		}
		third := shownSecret(t, succeed(t, "applications", "rotate-secret", "shop", "-db", location))
		if worksFor(t, idp, first) || worksFor(t, idp, second) || !worksFor(t, idp, third) {
			t.Error("got an old secret accepted or the new one refused, want only the new one to be valid")
		}

		if listed := succeed(t, "applications", "list", "-db", location); !strings.Contains(listed, `"Shop"`) || !strings.Contains(listed, `"Web shop"`) {
			t.Errorf("got\n%s\nwant every application", listed)
		}
		var shown map[string]any
		document := succeed(t, "applications", "show", "shop", "-db", location)
		if err := json.Unmarshal([]byte(document), &shown); err != nil || shown["name"] != "Shop" || shown["user"] != "alice" || strings.Contains(document, "sha256") {
			t.Errorf("got %v and\n%s\nwant the application without its secret", err, document)
		}

		succeed(t, "applications", "delete", "-db", location, "--", "shop")
		if worksFor(t, idp, third) || introspect(t, idp, tokens.AccessToken)["active"] != false {
			t.Error("got a valid token or secret after the application was deleted, want none")
		}
		if _, complaint, status := command(t, "applications", "show", "shop", "-db", location); status != 1 || !strings.Contains(complaint, "idp applications list") {
			t.Errorf("got status %d and %q, want 1 and advice", status, complaint)
		}
	})
}

// checkPages follows the links of the start page.
func checkPages(t *testing.T, idp *process, alice *person) {
	t.Helper()
	get := func(path string) string {
		response, err := alice.client.Get(idp.origin + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s, %v", path, response.Status, err)
		}
		return string(body)
	}
	home := get("/")
	for _, path := range []string{"/o/applications/", "/o/authorized_tokens/"} {
		if !strings.Contains(home, `href="`+path+`"`) || !strings.Contains(get(path), "Shop") {
			t.Errorf("%s: got no link to a page with the application, want one", path)
		}
	}
}

// TestIDPRevoke revokes everything of an application and of a user. The user must
// then be asked again.
func TestIDPRevoke(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		config, alice := shop(idp, createShop(t, location)), newPerson(t)
		for _, args := range [][]string{{"--application", "shop"}, {"--user", "alice"}} {
			tokens := signIn(t, config, alice)
			if introspect(t, idp, tokens.AccessToken)["active"] != true {
				t.Fatal("got a token that is not active after signing in")
			}
			printed := succeed(t, append([]string{"revoke", "-db", location}, args...)...)
			if !strings.Contains(printed, "Revoked 1 ") || introspect(t, idp, tokens.AccessToken)["active"] != false {
				t.Errorf("%v: got %q, want the one sign-in revoked", args, printed)
			}
			if again := succeed(t, append([]string{"revoke", "-db", location}, args...)...); !strings.Contains(again, "consent of \""+args[1]+"\"") {
				t.Errorf("%v: got %q, want a note about the name because nothing was revoked", args, again)
			}
			back, pages, err := alice.answer(config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), "deny")
			if err != nil || pages != 1 || back.Query().Get("error") != "access_denied" {
				t.Errorf("%v: got %v after %d pages, %v; want the consent page", args, back, pages, err)
			}
		}
	})
}

// TestIDPClearTokens deletes expired rows within the limits and reports their number.
func TestIDPClearTokens(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		for range 5 {
			machineToken(t, idp, "read")
		}
		onDatabase(t, location, func(db *gorm.DB) error {
			return db.Exec("UPDATE oauth_access_tokens SET expires_at = issued_at").Error
		})
		removed := regexp.MustCompile(`(?m)^access_tokens +(\d+)$`)
		for range 2 { // the dry run deletes nothing
			printed := succeed(t, "cleartokens", "-db", location, "--dry-run")
			if found := removed.FindStringSubmatch(printed); found == nil || found[1] != "5" || !strings.Contains(printed, "TO BE REMOVED") {
				t.Errorf("got\n%s\nwant 5 access tokens that would be removed", printed)
			}
		}
		for _, test := range []struct{ batches, want string }{{"1", "2"}, {"0", "3"}, {"0", "0"}} {
			printed := succeed(t, "cleartokens", "-db", location, "--batch", "2", "--batches", test.batches)
			if found := removed.FindStringSubmatch(printed); found == nil || found[1] != test.want {
				t.Errorf("got\n%s\nwant %s access tokens removed", printed, test.want)
			}
		}
	})
}

// TestIDPKeys lists, rotates and removes the keys, which are sealed with the
// provider's secret.
func TestIDPKeys(t *testing.T) {
	t.Setenv("IDP_SECRET", "a secret of the test for the signing keys")
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		count := func(printed string) int { return strings.Count(printed, "\n") - 1 } // without the header
		if listed := succeed(t, "keys", "list", "-db", location); count(listed) != 4 || strings.Count(listed, "active") != 4 {
			t.Errorf("got\n%s\nwant one key of each algorithm", listed)
		}
		var rotated string
		for range 2 { // the new keys of the first rotation are not active yet
			if rotated = succeed(t, "keys", "rotate", "-db", location); count(rotated) != 8 || strings.Count(rotated, "announced") != 4 {
				t.Errorf("got\n%s\nwant two keys of each algorithm", rotated)
			}
		}
		kid := strings.Fields(rotated)[6] // after the six words of the header
		if left := succeed(t, "keys", "remove", "-db", location, "--", kid); count(left) != 7 || strings.Contains(left, kid) {
			t.Errorf("got\n%s\nwant the others without %s", left, kid)
		}
		file := filepath.Join(t.TempDir(), "key.pem") // of RFC 8037 appendix A.1, with the kid of A.3
		private := "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"
		if err := os.WriteFile(file, []byte(private), 0o600); err != nil {
			t.Fatal(err)
		}
		imported := succeed(t, "keys", "import", "-db", location, "-state", "retiring", file)
		if count(imported) != 8 || !regexp.MustCompile(`kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k +EdDSA +retiring`).MatchString(imported) {
			t.Errorf("got\n%s\nwant the imported key", imported)
		}
		t.Setenv("IDP_SECRET", "another secret that has as many characters")
		t.Setenv("IDP_ACCEPT_SECRETS", "a-secret-of-which-the-database-knows-nothing")
		if _, complaint, status := command(t, "keys", "rotate", "-db", location); status != 1 || !strings.Contains(complaint, "IDP_SECRET") {
			t.Errorf("got status %d and %q, want an error that names the variable", status, complaint)
		}
	})
}
