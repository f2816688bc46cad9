package clientmatrix

import "os/exec"

// nodeClients returns the clients for Node.
func nodeClients() []*client {
	return []*client{
		{
			name:  "openid-client",
			needs: []string{"node", "npm"},
			application: map[string]any{
				"redirect_uris":             []string{"$ORIGIN/callback"},
				"post_logout_redirect_uris": []string{"$ORIGIN/"},
			},
			install: installNode, command: startNode,
		},
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
	return command
}
