// Package nemesis breaks a running identity provider and checks that it neither lies nor stays down. Only tests use it.
//
// A [World] is instances of examples/idp, real processes, on one database: a PostgreSQL server of its own behind a fault
// proxy, or a SQLite file. Virtual clients sign in, get tokens, refresh, introspect and revoke them over HTTP, and record each
// request and answer in a [History]. A case injects one fault, such as a database that is silent or an instance that is
// killed. [Check] then searches the history for an answer that contradicts another, and [CheckRows] the database.
//
// Each case is a row in one table, with its id in the catalogue of faults, and prints figures beside the bars that they must
// reach. `go test` runs the short form of some cases and asserts only what must hold on any machine. `make nemesis` runs all
// of them in full, compares every figure with its bar, and prints the table that docs/reliability.md is made of.
package nemesis
