package clienttest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wrongUsages has a command line, its exit status and a part of its error by name.
var wrongUsages = map[string]struct {
	args   string
	status int
	want   string
}{
	"unknown command":                            {"frobnicate", 2, "idp help"},
	"unknown subcommand":                         {"applications frobnicate", 2, "idp help applications"},
	"missing subcommand":                         {"keys", 2, "idp help keys"},
	"unknown flag":                               {"revoke -users x", 2, "idp help revoke"},
	"missing argument":                           {"createapplication confidential", 2, "GRANT_TYPE"},
	"extra argument":                             {"applications list x", 2, `"x"`},
	"neither of two flags":                       {"revoke", 2, "-user or -application"},
	"both of two flags":                          {"revoke --user a --application b", 2, "-user or -application"},
	"empty batch":                                {"cleartokens --batch 0", 2, "-batch"},
	"negative overlap":                           {"applications rotate-secret web --keep -1h", 2, "-keep"},
	"id that begins with a dash":                 {"applications show -x", 2, "if it is the CLIENT_ID, put --"},
	"unknown flag after an id":                   {"applications set taken -frob", 2, "unknown flag -frob\n"},
	"unknown flag after arguments":               {"createapplication confidential client_credentials --frob", 2, "unknown flag -frob\n"},
	"chosen secret":                              {"createapplication confidential client_credentials --client-secret s3cret", 2, "always generated; to import one"},
	"unhashed secret":                            {"createapplication confidential client_credentials --no-hash-client-secret", 2, "only the hash"},
	"flags before the command":                   {"-addr localhost:0 serve", 2, "flags must follow the command"},
	"nothing to set":                             {"applications set taken", 2, "nothing to change"},
	"invalid boolean":                            {"applications set taken -verified=perhaps", 2, "true or false"},
	"several invalid settings":                   {"applications set public -redirect-uris http://x.example/ -grant-types implicit", 2, "redirect_uris: "},
	"invalid scope set":                          {"applications set public -scopes raed", 2, "idp help applications set"},
	"unknown user set":                           {"applications set taken -user nobody", 1, `"nobody"`},
	"missing seed file when setting":             {"applications set taken -scopes read -seed nothing.json", 1, "nothing.json"},
	"invalid scope":                              {"createapplication confidential client_credentials --scopes raed", 2, "scopes: raed is not one of"},
	"invalid client type":                        {"createapplication secret client_credentials", 2, "client_type: "},
	"invalid grant type":                         {"createapplication confidential implicit", 2, "client_credentials"},
	"several invalid values":                     {"createapplication public authorization_code --redirect-uris http://x.example/ --algorithm HS256", 2, "redirect_uris: "},
	"public application with client_credentials": {"createapplication public client_credentials", 2, "grant_types: "},
	"unknown owner": {
		"createapplication confidential client_credentials --user nobody", 1, `"nobody"`,
	},
	"client_id in use":               {"createapplication confidential client_credentials --client-id taken", 2, "client_id: taken is taken"},
	"secret of a public application": {"applications rotate-secret public", 1, "is public and has no secret"},
	"unknown key":                    {"keys remove kid", 1, "idp keys list"},
	"invalid database file":          {"keys list -db /dev/null", 1, "-db"},
	"database as key=value":          {"keys list -db host=localhost", 1, "neither a file nor"},
	"invalid duration":               {"applications rotate-secret web --keep soon", 2, "-keep"},
	"invalid issuer":                 {"check -issuer http://as.example/o/", 1, "invalid -issuer or -seed: oauthkit: "},
	"unknown application set":        {"applications set web -verified", 1, "idp applications list"},
	"missing seed file":              {"check -seed nothing.json", 1, "nothing.json"},
	"unknown application rotated":    {"applications rotate-secret web", 1, "idp applications list"},
	"unknown application deleted":    {"applications delete web", 1, "idp applications list"},
}

// TestIDPWrongUsage shows that a wrong command line changes nothing, exits with
// status 2 and explains the usage, and that a missing object exits with status 1.
func TestIDPWrongUsage(t *testing.T) {
	location := filepath.Join(t.TempDir(), "idp.db")
	succeed(t, "migrate", "-db", location)
	succeed(t, "createapplication", "confidential", "client_credentials", "--client-id", "taken", "-db", location)
	succeed(t, "createapplication", "public", "authorization_code", "--client-id", "public", "--redirect-uris", callback, "-db", location)
	for name, test := range wrongUsages {
		t.Run(name, func(t *testing.T) {
			printed, complaint, status := command(t, withDatabase(strings.Fields(test.args), location)...)
			if status != test.status || !strings.Contains(complaint, test.want) || printed != "" {
				t.Errorf("got status %d, %q and %q, want %d and %q", status, printed, complaint, test.status, test.want)
			}
		})
	}
	checkWrongUsageHasNoEffect(t, location)
}

// checkWrongUsageHasNoEffect expects unchanged applications, and no secret in an error.
func checkWrongUsageHasNoEffect(t *testing.T, location string) {
	t.Helper()
	if listed := succeed(t, "applications", "list", "-db", location); strings.Count(listed, "\n") != 3 {
		t.Errorf("got\n%s\nwant no new application", listed)
	}
	if shown := succeed(t, "applications", "show", "public", "-db", location); !strings.Contains(shown, callback) || !strings.Contains(shown, `"verified": false`) {
		t.Errorf("got\n%s\nwant it unchanged", shown)
	}
	if _, complaint, _ := command(t, "createapplication", "x", "y", "-client-secret", "s3cret"); strings.Contains(complaint, "s3cret") {
		t.Errorf("got %q, want no part of the secret", complaint)
	}
	t.Setenv("IDP_SECRET", "short")
	if _, complaint, status := command(t, "check", "-db", location); status != 1 || !strings.Contains(complaint, "IDP_SECRET") || strings.Contains(complaint, "-issuer") {
		t.Errorf("got status %d and %q, want the name of the variable", status, complaint)
	}
	if _, complaint, status := command(t, "keys", "list", "-db", "mistyped.db"); status != 1 || !strings.Contains(complaint, "mistyped.db") {
		t.Errorf("got status %d and %q, want the name of the missing database", status, complaint)
	}
}

// withDatabase adds the database to the arguments unless they name one.
func withDatabase(args []string, location string) []string {
	if slices.Contains(args, "-db") {
		return args
	}
	return append(args, "-db", location)
}

// TestIDPHelp shows that the help lists every command with its description in
// one column.
func TestIDPHelp(t *testing.T) {
	overview := succeed(t, "help")
	for _, asked := range []string{"-h", "--help"} {
		if succeed(t, asked) != overview {
			t.Errorf("%s: got no help, want it", asked)
		}
	}
	for _, want := range []string{"IDP_SECRET", "-tls-cert", "Exit status:\n  0 "} {
		if !strings.Contains(overview, want) {
			t.Errorf("got\n%s\nwant %s in it", overview, want)
		}
	}
	_, listed, _ := strings.Cut(overview, "Commands:\n")
	listed, _, _ = strings.Cut(listed, "\n\n")
	columns := regexp.MustCompile(`^  (\S+(?: \S+)?) {2,}`)
	var widths []int
	var names []string
	for line := range strings.Lines(listed) {
		found := columns.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("got the line %q", line)
		}
		names, widths = append(names, found[1]), append(widths, len(found[0]))
	}
	if len(names) != 15 || len(slices.Compact(widths)) != 1 {
		t.Errorf("got the commands %q, want 15 in one column\n%s", names, listed)
	}
	for _, name := range names {
		words := strings.Fields(name)
		of := succeed(t, append([]string{"help"}, words...)...)
		if !strings.Contains(of, "idp "+name) || !strings.Contains(of, "-db FILE") || of != succeed(t, append(words, "-h")...) {
			t.Errorf("%s: got\n%s\nwant its usage, and the same for -h", name, of)
		}
	}
}
