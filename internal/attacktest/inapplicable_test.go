package attacktest

// inapplicable lists the rows of testdata/catalogue.txt that cannot be tested,
// because the feature they attack does not exist. To add the feature, delete its row
// here and write the test.
var inapplicable = map[string]string{
	"I-19":  "a token has 256 random bits: it cannot be guessed, and the number of concurrent requests is limited (RL-38)",
	"N-02":  "applications cannot register themselves (RFC 7591); N-01 shows that there is no such endpoint",
	"N-08":  "applications cannot manage themselves (RFC 7592); M-01 shows that only their owners can",
	"N-11":  "software statements (RFC 7591 §2.3) are part of dynamic registration, which does not exist; N-06 shows that unknown members are ignored",
	"N-14":  "only signed-in users of the host can register applications; a host can limit them in ApplicationsConfig.MayRegister",
	"S-11":  "no document is fetched; internal/fetch returns bytes",
	"S-14":  "nothing is fetched while a client waits; the errors of internal/fetch are for the operator",
	"S-15":  "no keys of clients are fetched",
	"S-17":  "nothing that is fetched is cached",
	"S-18":  "nothing that is fetched is cached",
	"S-19":  "metadata documents of clients do not exist; a client_id that is not stored is unknown, also if it is an address",
	"S-20":  "sector identifiers do not exist",
	"S-21":  "request_uri is refused unless an extension resolves it, which A-32 shows",
	"S-22":  "no issuer or key address is read from a token",
	"T-26":  "a secret has 256 random bits and is checked in a microsecond; passwords, which can be guessed, are Q-01",
	"T-27":  "token exchange (RFC 8693) and JWT bearer grants (RFC 7523) do not exist; T-06 shows that they are refused",
	"ST-09": "no command yet revokes everything issued before a given time",
	"Q-09":  "the whole suite runs with the race detector and in random order: make race, .ci/run",
	"RL-18": "PostgreSQL stops when there is no space for its log, which is the immediate restart of RL-05",
	"RL-21": "the cluster manager has to prevent two primaries, as docs/reliability.md says",
	"RL-41": "nothing is released, so there is no earlier version to run next to this one",
	"RL-45": "since Go 1.24 crypto/rand ends the process if the system has no entropy",
}
