package nemesis

import (
	"slices"
	"testing"
	"time"
)

// validHistory has a family of alice from its code to its revocation, and a family of
// an application itself.
func validHistory() []*Op {
	at := func(step int, op Op) *Op {
		op.Start, op.End = time.Duration(step)*time.Second, time.Duration(step)*time.Second+time.Second/2
		if op.Status == 0 {
			op.Status = 200
		}
		if op.ClientID == "" {
			op.Family, op.ClientID, op.Subject, op.Scope = 1, "web", "alice", "read"
		}
		if op.Active {
			op.GotClient, op.GotSubject, op.GotScope = op.ClientID, op.Subject, op.Scope
		}
		return &op
	}
	return []*Op{
		at(0, Op{Kind: Authorize, Code: "code", Status: 302}),
		at(1, Op{Kind: Redeem, Presented: "code", Access: "access 1", Refresh: "refresh 1"}),
		at(2, Op{Kind: Introspect, Presented: "access 1", Active: true}),
		at(3, Op{Kind: Refresh, Presented: "refresh 1", Status: 503, RetryAfter: true}),
		at(4, Op{Kind: Refresh, Presented: "refresh 1", Access: "access 2", Refresh: "refresh 2"}),
		at(5, Op{Kind: Refresh, Presented: "refresh 1", Access: "access 2", Refresh: "refresh 2"}),
		at(6, Op{Kind: Introspect, Presented: "access 2", Active: true}),
		at(7, Op{Kind: Revoke, Presented: "refresh 2"}),
		at(8, Op{Kind: Introspect, Presented: "access 1"}),
		at(9, Op{Kind: Refresh, Presented: "refresh 2", Status: 400, Error: "invalid_grant"}),
		at(0, Op{Kind: Issue, Family: 2, ClientID: "machine", Access: "access 3"}),
		at(1, Op{Kind: Introspect, Family: 2, ClientID: "machine", Presented: "access 3", Active: true}),
	}
}

// The steps of validHistory.
const (
	stepCode = iota
	stepRedeem
	stepActive
	stepUnavailable
	stepRefresh
	stepRepeat
	stepActiveAgain
	stepRevoke
	stepInactive
	stepRefused
	stepIssue
	stepIssued
)

// TestCheck shows that the checker accepts valid histories and detects each kind of
// violation.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(ops []*Op) []*Op
		allowed Tolerance
		want    []Invariant
	}{
		{"valid history", func(ops []*Op) []*Op { return ops }, Tolerance{}, nil},
		{"a code is redeemed twice", func(ops []*Op) []*Op {
			again := *ops[stepRedeem]
			again.Access, again.Refresh, again.Start = "access 9", "refresh 9", again.Start+time.Millisecond
			return append(ops, &again)
		}, Tolerance{}, []Invariant{OneWinner}},
		{"a refresh token has two successors", func(ops []*Op) []*Op {
			ops[stepRepeat].Refresh = "refresh 9"
			return ops
		}, Tolerance{}, []Invariant{OneSuccessor}},
		{"a revoked access token is active", func(ops []*Op) []*Op {
			ops[stepInactive] = later(ops[stepActive], ops[stepInactive].Start)
			return ops
		}, Tolerance{}, []Invariant{RevokedIsFinal}},
		{"a revoked refresh token works", func(ops []*Op) []*Op {
			ops[stepRefused].Status, ops[stepRefused].Error, ops[stepRefused].Refresh = 200, "", "refresh 9"
			return ops
		}, Tolerance{}, []Invariant{RevokedIsFinal}},
		{"a replayed code does not revoke its family", func(ops []*Op) []*Op {
			replay := later(ops[stepRedeem], 1600*time.Millisecond)
			replay.Status, replay.Error, replay.Access, replay.Refresh = 400, "invalid_grant", "", ""
			replay.End = 1700 * time.Millisecond
			return append(ops[:stepUnavailable:stepUnavailable], replay)
		}, Tolerance{}, []Invariant{RevokedIsFinal}},
		{"an acknowledged access token is lost", func(ops []*Op) []*Op {
			ops[stepActive].Active = false
			return ops
		}, Tolerance{}, []Invariant{TokenLives}},
		{"an acknowledged token of an application is lost", func(ops []*Op) []*Op {
			ops[stepIssued].Active = false
			return ops
		}, Tolerance{}, []Invariant{TokenLives}},
		{"an acknowledged refresh token is refused", func(ops []*Op) []*Op {
			ops[stepRefresh].Status, ops[stepRefresh].Error = 400, "invalid_grant"
			return ops[:stepRepeat]
		}, Tolerance{}, []Invariant{TokenLives}},
		{"too many retries of a refresh are refused", func(ops []*Op) []*Op {
			for range maxUses - 2 {
				again := *ops[stepRepeat]
				again.Status, again.Error, again.Access, again.Refresh = 400, "invalid_grant", "", ""
				ops = append(ops, &again)
			}
			return ops
		}, Tolerance{}, nil},
		{"a lost token where loss is allowed", func(ops []*Op) []*Op {
			ops[stepActive].Active = false
			return ops
		}, Tolerance{Loss: true}, nil},
		{"a refused authorization request where users are revoked", func(ops []*Op) []*Op {
			ops[0].Code, ops[0].Error = "", "access_denied"
			return ops[:1]
		}, Tolerance{Ended: true}, nil},
		{"a refused authorization request where nothing is revoked", func(ops []*Op) []*Op {
			ops[0].Code, ops[0].Error = "", "access_denied"
			return ops[:1]
		}, Tolerance{}, []Invariant{AllowedAnswer}},
		{"a token is inactive when it has expired", func(ops []*Op) []*Op {
			ops[stepActive].Active = false
			return ops
		}, Tolerance{Lifetime: time.Second}, nil},
		{"a token is inactive once a revocation without an answer has begun", func(ops []*Op) []*Op {
			ops[stepRevoke].Status = 0
			return ops
		}, Tolerance{NoAnswer: true}, nil},
		{"a late repeat of a refresh is a replay", func(ops []*Op) []*Op {
			ops[stepRepeat] = later(ops[stepRepeat], time.Hour)
			ops[stepRepeat].Status, ops[stepRepeat].Error, ops[stepRepeat].Refresh = 400, "invalid_grant", ""
			return slices.Delete(ops, stepRevoke, stepIssue)
		}, Tolerance{Lifetime: 2 * time.Hour}, nil},
		{"a lost token before a late repeat", func(ops []*Op) []*Op {
			ops[stepRepeat] = later(ops[stepRepeat], time.Hour)
			ops[stepRepeat].Status, ops[stepRepeat].Error, ops[stepRepeat].Refresh = 400, "invalid_grant", ""
			ops[stepActiveAgain].Active = false
			return ops
		}, Tolerance{}, []Invariant{TokenLives}},
		{"the answer is about another user", func(ops []*Op) []*Op {
			ops[stepActive].GotSubject = "bob"
			return ops
		}, Tolerance{}, []Invariant{NothingCrosses}},
		{"the answer is about another client", func(ops []*Op) []*Op {
			ops[stepIssued].GotClient = "web"
			return ops
		}, Tolerance{}, []Invariant{NothingCrosses}},
		{"the answer has another scope", func(ops []*Op) []*Op {
			ops[stepActive].GotScope = "read write"
			return ops
		}, Tolerance{}, []Invariant{NothingCrosses}},
		{"two families get one token", func(ops []*Op) []*Op {
			ops[stepIssue].Access, ops[stepIssued].Presented = "access 1", "access 1"
			return ops
		}, Tolerance{}, []Invariant{NoTokenIsShared}},
		{"503 without Retry-After", func(ops []*Op) []*Op {
			ops[stepUnavailable].RetryAfter = false
			return ops
		}, Tolerance{}, []Invariant{AllowedAnswer}},
		{"500", func(ops []*Op) []*Op {
			ops[stepUnavailable].Status = 500
			return ops
		}, Tolerance{}, []Invariant{AllowedAnswer}},
		{"an authorization ends on an error page", func(ops []*Op) []*Op {
			ops[stepCode].Code, ops[stepCode].Status = "", 400
			return ops
		}, Tolerance{}, []Invariant{AllowedAnswer}},
		{"a valid client gets invalid_client", func(ops []*Op) []*Op {
			ops[stepIssue].Status, ops[stepIssue].Error, ops[stepIssue].Access = 401, "invalid_client", ""
			return ops
		}, Tolerance{}, []Invariant{FailureIsNotNo}},
		{"a refresh gets invalid_client", func(ops []*Op) []*Op {
			ops[stepUnavailable].Status, ops[stepUnavailable].Error = 401, "invalid_client"
			return ops
		}, Tolerance{}, []Invariant{FailureIsNotNo}},
		{"a request has no answer", func(ops []*Op) []*Op {
			ops[stepUnavailable].Status = 0
			return ops
		}, Tolerance{}, []Invariant{EveryAnswer}},
		{"a request has no answer because its client hung up", func(ops []*Op) []*Op {
			ops[stepUnavailable].Status, ops[stepUnavailable].Abandoned = 0, true
			return ops
		}, Tolerance{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []Invariant
			violations := Check(test.change(validHistory()), test.allowed)
			for _, violation := range violations {
				if !slices.Contains(got, violation.Invariant) {
					got = append(got, violation.Invariant)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", violations, test.want)
			}
		})
	}
}

// later returns a copy of a request with another start.
func later(op *Op, start time.Duration) *Op {
	copied := *op
	copied.Start, copied.End = start, start+op.End-op.Start
	return &copied
}
