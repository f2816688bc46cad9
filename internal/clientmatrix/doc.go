// Package clientmatrix signs users in with relying parties that others wrote, each with
// its own default settings, and prints which of them complete which step. The provider is
// examples/idp, over TLS, on SQLite and on PostgreSQL.
//
// The folder clients has a folder for each client: a small relying party with its
// settings, and the versions of its libraries. To add a client, add its folder and a row
// in the function that lists the clients of its language. `make clients` runs all,
// `make clients CLIENT=spring` those whose name matches the expression.
package clientmatrix
