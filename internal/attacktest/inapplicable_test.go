package attacktest

// inapplicable are the rows of testdata/catalogue.txt that cannot be tested, since what they attack does not exist. Whoever
// builds it deletes the row here and writes the test.
var inapplicable = map[string]string{
	"A-09":  "response_mode=form_post does not exist; A-08 shows that it is refused",
	"A-37":  "applications cannot register themselves, so every redirect URI is one that an operator let in",
	"C-19":  "DPoP (RFC 9449) does not exist",
	"C-22":  "a provider has one issuer, and providers of different issuers have no database in common",
	"F-18":  "DPoP (RFC 9449) does not exist",
	"I-19":  "there is no rate limit yet; a token has 256 random bits",
	"T-26":  "there is no rate limit yet; a secret has 256 random bits and is checked in a microsecond",
	"T-27":  "token exchange (RFC 8693) and JWT bearer grants (RFC 7523) do not exist; T-06 shows that they are refused",
	"T-28":  "timeouts belong to the host's http.Server",
	"U-09":  "DPoP (RFC 9449) does not exist",
	"ST-09": "there is no command yet that revokes everything issued before a time",
	"ST-10": "there are no metrics or traces",
}
