// Package oauthtest is what the tests of several packages share. Nothing outside tests imports it.
//
// It has the databases; [Postgres] makes an empty one. Package fixture below it has a whole provider on every store, with its
// applications, users, browsers and clients: see its own comment for how a test is written. They are two packages because the
// stores' own tests need a database and the provider needs the stores.
package oauthtest
