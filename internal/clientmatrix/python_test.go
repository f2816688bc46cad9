package clientmatrix

import (
	"os/exec"
	"path/filepath"
)

// pythonClients returns the clients for Python.
func pythonClients() []*client {
	web := map[string]any{
		"redirect_uris":             []string{"$ORIGIN/callback"},
		"post_logout_redirect_uris": []string{"$ORIGIN/"},
	}
	return []*client{
		{
			name: "authlib", needs: []string{"python3"}, application: web,
			setting: map[string]any{"pkce": "nonce"},
			install: installPython, command: startPython,
		},
		{
			name: "requests-oauthlib", needs: []string{"python3"}, application: web,
			setting: map[string]any{"pkce": "optional"},
			install: installPython, command: startPython,
		},
		{
			name: "msal-python", needs: []string{"python3"}, application: web,
			setting: map[string]any{"id_token_claims": true},
			install: installPython, command: startPython,
		},
		{
			name: "mozilla-django-oidc", needs: []string{"python3"},
			application: map[string]any{
				"redirect_uris":             []string{"$ORIGIN/oidc/callback/"},
				"post_logout_redirect_uris": []string{"$ORIGIN/"},
			},
			setting: map[string]any{"pkce": "nonce"},
			install: installPython, command: startPython,
			// The claims come from user info at the sign-in. The refresh is prompt=none.
			site: site{
				signIn: "/oidc/authenticate/", userInfo: "/", signOut: "/account", denied: "not signed in",
				forms: []string{"/account"},
			},
		},
	}
}

// installPython installs the packages of requirements.txt into a virtual environment.
func installPython(l *lab) error {
	if err := l.copySources(); err != nil {
		return err
	}
	return l.installOnce("requirements.txt", "sh", "-c",
		"python3 -m venv --clear venv && venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt")
}

// startPython returns the command of server.py, which trusts the lab's authority.
func startPython(r *run) *exec.Cmd {
	command := r.program(filepath.Join(r.lab.folder, "venv/bin/python"), "server.py")
	command.Env = append(command.Env, "REQUESTS_CA_BUNDLE="+r.lab.authority, "PYTHONUNBUFFERED=1")
	return command
}
