package clientmatrix

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// apacheClients returns mod_auth_openidc.
func apacheClients() []*client {
	return []*client{{
		name: "mod_auth_openidc", needs: []string{"apache2"},
		application: map[string]any{
			"redirect_uris":             []string{"$ORIGIN/protected/redirect_uri"},
			"post_logout_redirect_uris": []string{"$ORIGIN/"},
		},
		setting:  map[string]any{"omit_iss_in_errors": true},
		defaults: map[string]any{"pkce": "nonce"},
		install:  func(l *lab) error { return l.copySources() },
		command:  startApache,
		site:     site{signIn: protectedPage, userInfo: protectedPage}, steps: apacheSteps(),
	}}
}

// startApache returns the command of Apache with the client's httpd.conf. Its worker
// processes run as another user if the tests run as root, so that they need a folder
// that all can read.
func startApache(r *run) *exec.Cmd {
	folder, err := os.MkdirTemp("", "oauthkit-apache-*")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(folder) })
	pages := filepath.Join(folder, "pages", "protected")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		r.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			r.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		r.Fatal(err)
	}
	write("pages/index.html", "home")
	write("pages/protected/index.shtml", `<!--#echo var="OIDC_CLAIM_email" --> <!--#echo var="OIDC_access_token" -->`)
	template, err := os.ReadFile(filepath.Join(r.lab.folder, "httpd.conf"))
	if err != nil {
		r.Fatal(err)
	}
	authority, err := os.ReadFile(r.lab.authority)
	if err != nil {
		r.Fatal(err)
	}
	write("authority.pem", string(authority)) // the worker processes read it
	values := map[string]string{
		"ISSUER": r.issuer, "CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret, "ORIGIN": r.origin, "PORT": r.port,
		"CA": filepath.Join(folder, "authority.pem"), "CERTIFICATE": r.lab.certificate, "KEY": r.lab.key, "FOLDER": folder,
	}
	write("httpd.conf", os.Expand(string(template), func(name string) string { return values[name] }))
	return r.program("apache2", "-f", filepath.Join(folder, "httpd.conf"), "-DFOREGROUND")
}

// protectedPage is a page that mod_auth_openidc protects. The claims that it shows come
// from user info.
const protectedPage = "/protected/index.shtml"

// apacheSteps are those that differ at mod_auth_openidc.
func apacheSteps() steps {
	return steps{
		refresh: func(r *run) error {
			before, err := r.browser.open(r.origin + protectedPage)
			if err != nil {
				return err
			}
			_, token, _ := strings.Cut(strings.TrimSpace(before.body), " ")
			parameters := url.Values{"refresh": {r.origin + protectedPage}, "access_token": {token}}
			after, err := r.browser.open(r.origin + "/protected/redirect_uri?" + parameters.Encode())
			if err != nil {
				return err
			}
			if !strings.HasPrefix(after.body, "alice@example.com oat_") || after.body == before.body {
				return fmt.Errorf("got %w, want another access token than before:\n%s", after.asError(), before.body)
			}
			return nil
		},
		signOut: func(r *run) error {
			return r.signOut("/protected/redirect_uri?logout="+url.QueryEscape(r.origin+"/"), protectedPage)
		},
	}
}
