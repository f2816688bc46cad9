// Package oauthtest provides databases to the tests of several packages. [Postgres]
// creates an empty one, [Replicated] one with a streaming replica.
package oauthtest
