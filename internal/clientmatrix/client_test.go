package clientmatrix

import (
	"cmp"
	"errors"
	"os/exec"
	"slices"
	"testing"
)

// client is a relying party and how its user walks through it.
type client struct {
	name     string
	folder   string   // in clients/, or empty if it is the name
	needs    []string // programs that must be installed; "a|b" is either
	packages []string // packages from npm that make setup must have installed
	quick    bool     // runs with the other tests, on SQLite

	// application has the members of its registration, as in a seed file, besides
	// client_id, client_secret, name and scopes. $ORIGIN stands for the origin
	// of the relying party.
	application map[string]any
	// setting is the one setting of the application that the client needs because of its
	// defaults, or nil.
	setting map[string]any
	// noHint means that the client sends no ID token when it signs out, so that the
	// provider must ask the user.
	noHint bool
	// defaults are settings of the provider for all applications, as in a seed file.
	defaults map[string]any
	// host is the host of the relying party's URLs. If empty, it is 127.0.0.1, which
	// has no cookies in common with the provider on localhost.
	host string
	// clearText serves the relying party without TLS.
	clearText bool

	// install makes the client ready to start, once for all databases. It may be nil.
	install func(l *lab) error
	// command returns the program of the relying party, which must listen on r.port. If
	// nil, serve or the steps start it.
	command func(r *run) *exec.Cmd
	// serve starts the relying party in the process of the test. It may be nil.
	serve func(r *run)
	// site has the paths of the relying party, if they are not those of ownSite.
	site site
	// steps has the steps that differ from those of webSteps.
	steps steps
}

// site describes the pages of a relying party.
type site struct {
	signIn, userInfo, refresh, signOut string // paths

	denied string   // a text of the page after the user has denied
	forms  []string // the paths whose page has a form that the user submits
}

// ownSite has the pages of the web applications in the folder clients.
func ownSite() site {
	return site{signIn: "/login", userInfo: "/userinfo", refresh: "/refresh", signOut: "/logout", denied: "access_denied"}
}

// or returns the site, with the texts of other in place of missing ones.
func (s site) or(other site) site {
	return site{
		cmp.Or(s.signIn, other.signIn), cmp.Or(s.userInfo, other.userInfo), cmp.Or(s.refresh, other.refresh),
		cmp.Or(s.signOut, other.signOut), cmp.Or(s.denied, other.denied), append(s.forms, other.forms...),
	}
}

// steps are what a user does at a relying party. Each function returns nil if the client
// completed the step, and errNone if the client does not have the feature.
type steps struct {
	denied, signIn, userInfo, refresh, signOut func(r *run) error
}

// errNone reports that a client does not have the feature of a step.
var errNone = errors.New("the client does not have this")

// none is the step for a feature that the client does not have.
func none(*run) error { return errNone }

// named are the steps in the order in which they run.
func (s steps) named() []namedStep {
	return []namedStep{
		{"denied", s.denied}, {"sign-in", s.signIn}, {"user info", s.userInfo}, {"refresh", s.refresh}, {"sign-out", s.signOut},
	}
}

type namedStep struct {
	name string
	run  func(r *run) error
}

// clients returns all clients.
func clients() []*client {
	return slices.Concat(apacheClients(), appClients(), goClients(), javaClients(), kubernetesClients(), nodeClients(), pythonClients())
}

// seed returns the client's application as a seed file has it.
func (c *client) seed(t testing.TB, origin string) map[string]any {
	t.Helper()
	app := map[string]any{
		"client_id": clientID, "client_secret": clientSecret, "name": "Shop", "client_type": "confidential",
		"grant_types": []string{"authorization_code", "refresh_token"},
		"scopes":      []string{"openid", "profile", "email", "offline_access"},
	}
	for name, value := range c.application {
		app[name] = withOrigin(value, origin)
	}
	if app["client_type"] == "public" {
		delete(app, "client_secret")
	}
	if len(c.setting) > 1 {
		t.Errorf("%s needs %d settings of its application, want at most one: %v", c.name, len(c.setting), c.setting)
	}
	for name, value := range c.setting {
		app[name] = value
	}
	return app
}
