package main

import "slices"

// The packages that most killers are in.
const (
	attacks = "internal/attacktest"
	pages   = "http"
	store   = "store/gormstore"
)

// all returns every mutant.
func all() []mutant {
	return slices.Concat(
		ofCodes(), ofRefreshTokens(), ofAccessTokens(), ofClients(), ofRequests(), ofRedirects(), ofConsent(),
		ofBrowsers(), ofManagement(), ofKeys(), ofFailures(), ofStatements(), ofMemory(), ofWaiting(), ofRetries(), ofLoad(),
	)
}
