// Package attacktest is the catalogue of attacks and mistakes as tests, each under its id, such as "R-01 unregistered URI",
// against a whole provider on every store.
//
// Every row of testdata/catalogue.txt either has a test with its id at the beginning of the name, here or elsewhere in the
// repository, or stands in the table of inapplicable_test.go with the reason why it does not apply yet; TestCatalogue
// makes sure of that. Files are named by area: redirect (R), authorize and redirector (A), consent and signout (B), code (C),
// token, client_auth and secret_rotation (T), refresh (F), introspection and revocation (I), userinfo and api (U), management and
// idor (M), registration (N), issuer and recycled (V), cors (X), header (H) and storage (ST); resource has rows of A and F. Beside
// them approval_prompt_test.go tries what must not spare anybody the consent page, databases_test.go runs everything on three
// databases and beside a replica that is late, events_test.go and observe_test.go look at what an operator is told, and
// fault_test.go makes every call of the store fail that an endpoint makes. How a case is written is told by package
// internal/attacktest/fixture.
package attacktest
