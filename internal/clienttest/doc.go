// Package clienttest tests the provider from outside. examples/idp runs as a process
// on SQLite and on PostgreSQL, and independent clients sign users in with it: one
// written with golang.org/x/oauth2 and coreos/go-oidc, one with npm's openid-client,
// and Chromium. Other tests run the commands of examples/idp and the other examples.
package clienttest
