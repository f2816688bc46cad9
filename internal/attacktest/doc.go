// Package attacktest tests known attacks and mistakes against a whole provider on
// every store. Each test begins with an id from testdata/catalogue.txt, such as "R-01
// unregistered URI".
//
// TestCatalogue checks that every row of the catalogue has a test with its id, here
// or elsewhere in the repository, or a reason in inapplicable_test.go. Package
// internal/attacktest/fixture describes how to write a case.
//
// The files are named by area: redirect (R), authorize and redirector (A), consent
// and signout (B), code (C), token, client_auth and secret_rotation (T), refresh (F),
// introspection and revocation (I), userinfo and api (U), management and idor (M),
// registration (N), issuer and recycled (V), cors (X), header (H), storage (ST), and
// resource (A and F). Other files have tests beyond the catalogue:
// approval_prompt_test.go skips the consent page, databases_test.go runs on three
// databases and with a late replica, events_test.go and observe_test.go check events
// and metrics, and fault_test.go makes every store call fail.
package attacktest
