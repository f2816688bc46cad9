package main

import "slices"

// The packages with most killers.
const (
	attacks  = "internal/attacktest"
	pages    = "http"
	api      = "http/api"
	wire     = "http/internal/wire"
	requests = "http/internal/request"
	store    = "store/gormstore"
)

// all returns every mutant.
func all() []mutant {
	return slices.Concat(
		ofCodes(), ofPKCE(), ofRefreshTokens(), ofAccessTokens(), ofClients(), ofRequests(), ofRedirects(), ofConsent(),
		ofBrowsers(), ofManagement(), ofKeys(), ofFailures(), ofStatements(), ofMemory(), ofWaiting(), ofRetries(), ofLoad(), ofKeyBindings(), ofLogout(),
		ofFetches(), ofBackChannel(),
	)
}
