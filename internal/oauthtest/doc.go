// Package oauthtest is what the tests of several packages share: databases, browsers and clients that drive whole flows.
// Nothing outside tests imports it.
package oauthtest
