// Package clienttest holds tests that use the provider as strangers do: examples/idp runs as a process of its own, on SQLite
// and on PostgreSQL, and clients that know nothing of this library sign users in with it: one written with
// golang.org/x/oauth2 and coreos/go-oidc, one with npm's openid-client, and a person with Chromium. An operator runs the
// commands of examples/idp, and the other examples are started as well.
package clienttest
