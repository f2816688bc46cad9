package clientmatrix

import (
	"os/exec"
	"path/filepath"
)

// javaClients returns the clients for Java.
func javaClients() []*client {
	return []*client{{
		name:        "spring-security", // sends no code_challenge, but compares the nonce
		needs:       []string{"java", "keytool", "mvn"},
		application: springApplication(),
		setting:     map[string]any{"pkce": "nonce"},
		site: site{
			signIn: "/oauth2/authorization/shop", denied: "Invalid credentials",
			forms: []string{"/logout"},
		},
		install: installSpring,
		command: startSpring,
	}}
}

func springApplication() map[string]any {
	return map[string]any{
		"redirect_uris":             []string{"$ORIGIN/login/oauth2/code/shop"},
		"post_logout_redirect_uris": []string{"$ORIGIN/signed-out"},
	}
}

// installSpring builds the application.
func installSpring(l *lab) error {
	if err := l.copySources(); err != nil {
		return err
	}
	return l.installOnce(".", "mvn", "-q", "-B", "package")
}

// startSpring returns the command of the application, which trusts the lab's authority.
func startSpring(r *run) *exec.Cmd {
	store := filepath.Join(r.TempDir(), "authority.p12")
	arguments := []string{"-importcert", "-noprompt", "-file", r.lab.authority, "-keystore", store, "-storepass", password}
	if output, err := exec.CommandContext(r.Context(), "keytool", arguments...).CombinedOutput(); err != nil {
		r.Fatalf("keytool: %v\n%s", err, output)
	}
	return r.program("java", "-Djavax.net.ssl.trustStore="+store, "-Djavax.net.ssl.trustStorePassword="+password, "-jar", "target/shop-1.jar")
}
