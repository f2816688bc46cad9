package nemesis

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Invariant names a promise that the provider keeps during any fault.
type Invariant string

// The invariants of a history.
const (
	OneWinner    Invariant = "one winner"    // a code is redeemed at most once
	OneSuccessor Invariant = "one successor" // all answers to a refresh token have the same successor
	// No credential of a family is valid after an acknowledged revocation.
	RevokedIsFinal  Invariant = "revoked is final"
	TokenLives      Invariant = "token lives"          // an acknowledged token is valid until it expires or is revoked
	NothingCrosses  Invariant = "nothing crosses"      // an answer is for the client and user of the request
	AllowedAnswer   Invariant = "allowed answer"       // only expected statuses; the only 5xx is 503 with Retry-After
	FailureIsNotNo  Invariant = "failure is not no"    // valid credentials are never answered with 400 or 401
	EveryAnswer     Invariant = "every request ends"   // with an answer, unless the case allows otherwise
	NoTokenIsShared Invariant = "no token comes twice" // two families never get the same token or code
)

// Violation is an answer that breaks an Invariant.
type Violation struct {
	Invariant Invariant
	Text      string
}

func (v Violation) String() string { return string(v.Invariant) + ": " + v.Text }

// Tolerance lists the exceptions that a case allows.
type Tolerance struct {
	// NoAnswer allows requests without an answer, because the case kills instances or
	// closes connections of clients.
	NoAnswer bool
	// Lifetime is the lifetime of access tokens. Older tokens need not be valid. If
	// 0, it is ten minutes.
	Lifetime time.Duration
	// Loss allows acknowledged tokens and revocations to be lost, as with
	// asynchronous replication.
	Loss bool
	// Ended allows access_denied in answer to an authorization request, because the
	// case revokes the user or the application concurrently.
	Ended bool
}

// retryWindow is the time within which a retry must get the first answer again. The
// provider's window is longer, by the maximum time of a request.
const retryWindow = 20 * time.Second

// maxUses is the number of requests with one refresh token that succeed: the first
// and five retries.
const maxUses = 6

// Check returns the violations in a history.
func Check(ops []*Op, allowed Tolerance) []Violation {
	if allowed.Lifetime == 0 {
		allowed.Lifetime = 10 * time.Minute
	}
	c := &checker{allowed: allowed, owners: map[string]int{}}
	families := map[int][]*Op{}
	for _, op := range ops {
		c.answer(op)
		c.crosses(op)
		if op.Family != 0 {
			families[op.Family] = append(families[op.Family], op)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(families)) {
		c.family(families[number])
	}
	return c.violations
}

type checker struct {
	allowed    Tolerance
	owners     map[string]int // the family of each token and code
	violations []Violation
}

func (c *checker) report(invariant Invariant, op *Op, format string, args ...any) {
	about := fmt.Sprintf("%s of family %d at %v: ", op.Kind, op.Family, op.Start.Round(time.Millisecond))
	c.violations = append(c.violations, Violation{invariant, about + fmt.Sprintf(format, args...)})
}

// answer checks the status of an answer.
func (c *checker) answer(op *Op) {
	switch {
	case op.Status == 0:
		if !c.allowed.NoAnswer && !op.Abandoned {
			c.report(EveryAnswer, op, "got no answer after %v", op.End-op.Start)
		}
	case op.Status == http.StatusServiceUnavailable:
		if !op.RetryAfter {
			c.report(AllowedAnswer, op, "got 503 without Retry-After")
		}
	case op.Status >= 500:
		c.report(AllowedAnswer, op, "got %d", op.Status)
	case op.Kind == Redeem || op.Kind == Refresh:
		if op.Status != 200 && (op.Status != 400 || op.Error != "invalid_grant") {
			c.report(FailureIsNotNo, op, "got %d %s", op.Status, op.Error)
		}
	case op.Kind == Authorize:
		if op.Code == "" && (!c.allowed.Ended || op.Error != "access_denied") {
			c.report(AllowedAnswer, op, "got %d %s and no code", op.Status, op.Error)
		}
	case op.Status != 200:
		c.report(FailureIsNotNo, op, "got %d %s", op.Status, op.Error)
	}
}

// crosses checks that an answer belongs to the family of its request.
func (c *checker) crosses(op *Op) {
	if op.Active && (op.GotClient != op.ClientID || op.GotSubject != op.Subject || op.Scope != "" && op.GotScope != op.Scope) {
		c.report(NothingCrosses, op, "got client %q, subject %q, scope %q; want %q, %q, %q",
			op.GotClient, op.GotSubject, op.GotScope, op.ClientID, op.Subject, op.Scope)
	}
	for _, credential := range []string{op.Access, op.Refresh, op.Code} {
		if credential == "" {
			continue
		}
		if owner, known := c.owners[credential]; known && owner != op.Family {
			c.report(NoTokenIsShared, op, "got a credential of family %d", owner)
		}
		c.owners[credential] = op.Family
	}
}

// family checks the requests of one Authorization against each other.
func (c *checker) family(ops []*Op) {
	slices.SortStableFunc(ops, func(a, b *Op) int { return int(a.Start - b.Start) })
	c.oneWinner(ops)
	c.oneSuccessor(ops)
	if c.allowed.Loss {
		return
	}
	c.finality(ops)
	c.life(ops)
}

func (c *checker) oneWinner(ops []*Op) {
	won := map[string]*Op{}
	for _, op := range ops {
		if op.Kind != Redeem || !op.ok() {
			continue
		}
		if first := won[op.Presented]; first != nil {
			c.report(OneWinner, op, "the code was redeemed at %v as well", first.Start)
		}
		won[op.Presented] = op
	}
}

func (c *checker) oneSuccessor(ops []*Op) {
	successors := map[string]string{}
	for _, op := range ops {
		if op.Kind != Refresh || !op.ok() {
			continue
		}
		if first := successors[op.Presented]; first != "" && first != op.Refresh {
			c.report(OneSuccessor, op, "got another successor than before")
		}
		successors[op.Presented] = op.Refresh
	}
}

// finality checks that no credential of the family is valid after an acknowledged
// revocation. A refused code revokes the family, too, because clients present each
// code only for its application and in time.
func (c *checker) finality(ops []*Op) {
	var ended *Op
	for _, op := range ops {
		ends := op.Kind == Revoke && op.Status == 200 || op.Kind == Redeem && op.Error == "invalid_grant"
		if ends && (ended == nil || op.End < ended.End) {
			ended = op
		}
	}
	if ended == nil {
		return
	}
	for _, op := range ops {
		works := op.Active || op.ok() && (op.Kind == Redeem || op.Kind == Refresh)
		if works && op.Start > ended.End {
			c.report(RevokedIsFinal, op, "it works, although the %s at %v was answered %d", ended.Kind, ended.End, ended.Status)
		}
	}
}

// life checks that acknowledged credentials are valid until a request may have
// revoked them.
func (c *checker) life(ops []*Op) {
	acknowledged := map[string]*Op{}
	for _, op := range ops {
		if op.ok() && (op.Kind == Issue || op.Kind == Redeem || op.Kind == Refresh) {
			for _, token := range []string{op.Access, op.Refresh} {
				if first := acknowledged[token]; first == nil || op.End < first.End {
					acknowledged[token] = op
				}
			}
		}
	}
	delete(acknowledged, "")
	uses := map[string]int{}
	for _, op := range ops {
		if op.Kind == Refresh {
			uses[op.Presented]++
		}
	}
	end := endOf(ops)
	for _, op := range ops {
		given := acknowledged[op.Presented]
		if given == nil || given.End > op.Start || end <= op.End {
			continue
		}
		young := op.End < given.Start+c.allowed.Lifetime
		switch {
		case op.Kind == Introspect && op.Status == 200 && !op.Active && young:
			c.report(TokenLives, op, "the access token given at %v is not active", given.End)
		case op.Kind == Refresh && op.Error == "invalid_grant" && uses[op.Presented] <= maxUses:
			c.report(TokenLives, op, "the refresh token given at %v is refused", given.End)
		}
	}
}

// endOf returns the start of the first request that may have revoked the family,
// whether or not it was answered: a revocation, a second use of the code, or a use of
// a refresh token long after its first use or after a use of its successor.
func endOf(ops []*Op) time.Duration {
	const never = time.Duration(1<<63 - 1)
	end := never
	firstUse, predecessor := map[string]time.Duration{}, map[string]string{}
	for _, op := range ops {
		if op.Kind == Refresh && op.Refresh != "" {
			predecessor[op.Refresh] = op.Presented
		}
	}
	superseded := map[string]time.Duration{} // the first use of the successor
	for _, op := range ops {
		switch op.Kind {
		case Revoke:
			end = min(end, op.Start)
		case Redeem:
			if _, used := firstUse[op.Presented]; used {
				end = min(end, op.Start)
			}
		case Refresh:
			if first, used := firstUse[op.Presented]; used && op.End > first+retryWindow {
				end = min(end, op.Start)
			}
			if _, done := superseded[op.Presented]; done {
				end = min(end, op.Start)
			}
			if before := predecessor[op.Presented]; before != "" {
				superseded[before] = op.Start
			}
		}
		if _, used := firstUse[op.Presented]; !used {
			firstUse[op.Presented] = op.Start
		}
	}
	return end
}
