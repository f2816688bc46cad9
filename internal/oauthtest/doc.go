// Package oauthtest provides databases to the tests of several packages. [Postgres]
// creates an empty one.
//
// Package fixture, below it, provides a whole provider on every store with its
// applications, users, browsers and clients; its comment shows how to write a test.
// They are two packages because the tests of the stores need a database, and the
// fixture needs the stores.
package oauthtest
