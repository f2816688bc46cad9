package clientmatrix

import "os/exec"

// nodeClients returns the clients for Node.
func nodeClients() []*client {
	node := func(c *client) *client {
		c.needs, c.install, c.command = []string{"node", "npm"}, installNode, startNode
		if c.application == nil {
			c.application = callbackOf("/callback")
		}
		return c
	}
	passport := func(c *client) *client { // sends no code_challenge, and a nonce only if it is set to
		c.folder, c.site.denied, c.steps.refresh = "passport-openidconnect", "the user denied the request", none
		return node(c)
	}
	return []*client{
		{
			name: "openid-client", needs: []string{"node"}, packages: []string{"openid-client"}, quick: true,
			application: callbackOf("/callback"), command: startNode,
		},
		node(&client{name: "msal-node", setting: map[string]any{"id_token_claims": true}}),
		passport(&client{name: "passport-openidconnect", setting: map[string]any{"pkce": "optional"}}),
		passport(&client{name: "passport-openidconnect-nonce", setting: map[string]any{"pkce": "nonce"}}),
		node(&client{
			name:        "auth.js", // reads the user's name only from the ID token
			application: callbackOf("/auth/callback/oauthkit"),
			setting:     map[string]any{"id_token_claims": true},
			site:        site{signIn: "/auth/signin", denied: "different account", forms: []string{"/auth/signin"}},
		}),
	}
}

// callbackOf returns the URIs of an application that is called back at a path and
// shows its home page after a sign-out.
func callbackOf(path string) map[string]any {
	return map[string]any{
		"redirect_uris":             []string{"$ORIGIN" + path},
		"post_logout_redirect_uris": []string{"$ORIGIN/"},
	}
}

// installNode installs the packages of package-lock.json.
func installNode(l *lab) error {
	if err := l.copySources(); err != nil {
		return err
	}
	return l.installOnce("package-lock.json", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
}

// startNode returns the command of server.mjs, which trusts the lab's authority.
func startNode(r *run) *exec.Cmd {
	command := r.program("node", "server.mjs")
	command.Env = append(command.Env, "NODE_EXTRA_CA_CERTS="+r.lab.authority)
	if r.lab.client.setting["pkce"] == "nonce" {
		command.Env = append(command.Env, "NONCE=true")
	}
	return command
}
