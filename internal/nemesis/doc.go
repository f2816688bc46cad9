// Package nemesis injects faults into a running identity provider and checks that its
// answers stay consistent and that it recovers. Only tests use it.
//
// A [World] consists of processes of examples/idp on one database: a separate
// PostgreSQL server behind a fault proxy, or a SQLite file. Virtual clients sign in
// and get, refresh, introspect and revoke tokens over HTTP. They record each request
// and answer in a [History]. A case injects one fault, such as a database that does
// not respond or an instance that is killed. Then [Check] searches the history for
// contradicting answers, and [CheckRows] searches the database.
//
// Each case is a row in one table, with its id in the catalogue of faults, and
// reports figures with their limits. `go test` runs the short form of some cases and
// asserts only conditions that hold on any machine. `make nemesis` runs all cases in
// full, compares every figure with its limit, and prints the table for
// docs/reliability.md.
package nemesis
