package attacktest

// inapplicable are the rows of testdata/catalogue.txt that cannot be tested, since what they attack does not exist. Whoever
// builds it deletes the row here and writes the test.
var inapplicable = map[string]string{
	"A-09":  "response_mode=form_post does not exist; A-08 shows that it is refused",
	"C-19":  "DPoP (RFC 9449) does not exist",
	"F-18":  "DPoP (RFC 9449) does not exist",
	"I-19":  "a token has 256 random bits: no number of requests finds one, and how many are answered at once is bounded (RL-38)",
	"N-02":  "applications cannot register themselves (RFC 7591); N-01 shows that there is no such endpoint",
	"N-08":  "applications cannot manage themselves (RFC 7592); M-01 shows that only their owners can",
	"N-11":  "software statements (RFC 7591 §2.3) are part of dynamic registration, which does not exist; N-06 shows that unknown members mean nothing",
	"N-14":  "whoever registers is a user of the host, who is known; ApplicationsConfig.MayRegister is where a host counts",
	"T-26":  "a secret has 256 random bits and is checked in a microsecond; passwords, which can be guessed, are Q-01",
	"T-27":  "token exchange (RFC 8693) and JWT bearer grants (RFC 7523) do not exist; T-06 shows that they are refused",
	"U-09":  "DPoP (RFC 9449) does not exist",
	"ST-09": "there is no command yet that revokes everything issued before a time",
	"Q-09":  "the whole suite runs with the race detector and in random order: make race, .ci/run",
	"RL-18": "PostgreSQL ends itself when its own log has no room, which is its immediate restart, RL-05",
	"RL-21": "whether there are two primaries is the cluster manager's to decide; docs/reliability.md says so",
	"RL-41": "nothing is released, so there is no earlier version to run beside",
	"RL-45": "crypto/rand ends the process since Go 1.24 where the system has no entropy",
}
