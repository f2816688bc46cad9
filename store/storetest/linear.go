package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/oauthkit/oauthkit"
)

func linearRules() []rule {
	return []rule{{
		"concurrent calls are answered as if they had run one after the other",
		"a token is valid after its revocation was visible, or disappears after it was valid",
		testLinear,
	}}
}

// The history is of one code: several callers redeem it, revoke its Authorization, and
// read each other's access tokens.

// call is the call of one caller.
type call struct {
	act    string // redeem, revoke or check
	caller int    // the owner of the access token
}

// codeState is a state of the model: everything there is to know about the code.
type codeState struct {
	winner  int // the caller that redeemed it, or 0
	revoked bool
}

// Results of calls.
const (
	resultDone     = "done"
	resultReplayed = "replayed"
	resultRevoked  = "revoked"
	resultAbsent   = "absent"
	resultLive     = "live"
	resultNothing  = "nothing to do"
)

// step reports whether a call may have this result in a state, and returns the next
// state.
func step(state codeState, asked call, result string) (bool, codeState) {
	switch asked.act {
	case "redeem":
		switch result {
		case resultDone:
			return state.winner == 0 && !state.revoked, codeState{winner: asked.caller}
		case resultReplayed:
			return state.winner != 0, state
		default:
			return result == resultRevoked && state.revoked, state
		}
	case "revoke":
		if result == resultDone {
			return !state.revoked, codeState{winner: state.winner, revoked: true}
		}
		return result == resultNothing && state.revoked, state
	default:
		switch {
		case state.winner != asked.caller:
			return result == resultAbsent, state
		case state.revoked:
			return result == resultRevoked, state
		default:
			return result == resultLive, state
		}
	}
}

func testLinear(t *trial) {
	model := porcupine.Model{
		Init: func() any { return codeState{} },
		Step: func(state, asked, result any) (bool, any) {
			return step(state.(codeState), asked.(call), result.(string))
		},
	}
	const histories = 30
	for range histories {
		history := t.history()
		if porcupine.CheckOperationsTimeout(model, history, 5*time.Second) == porcupine.Illegal {
			t.Errorf("got a history that no sequential order explains:%s", describe(history))
		}
	}
}

// history runs five concurrent callers and returns their results. Its clock is the
// order of all calls and returns.
func (t *trial) history() []porcupine.Operation {
	const callers, each = 5, 4
	code := t.mustSaveCode()
	tokens := t.tokensOfEach(callers, code.Authorization)
	plans := [callers][each]string{
		{"redeem", "check", "check", "check"},
		{"check", "redeem", "check", "redeem"},
		{"redeem", "redeem", "revoke", "check"},
		{"check", "check", "revoke", "redeem"},
		{"check", "revoke", "check", "check"},
	}
	var clock atomic.Int64
	history := make([]porcupine.Operation, callers*each)
	for _, err := range t.race(callers, func(i int) error {
		for k, act := range plans[i] {
			asked := call{act: act, caller: i + 1}
			if act == "check" {
				asked.caller = (i+k)%callers + 1
			}
			operation := porcupine.Operation{ClientId: i, Input: asked, Call: clock.Add(1)}
			result, err := t.ask(t.side(i), asked, code, tokens[asked.caller-1])
			if err != nil {
				return err
			}
			operation.Output, operation.Return = result, clock.Add(1)
			history[i*each+k] = operation
		}
		return nil
	}) {
		t.mustSucceed("an act at the same time as others", err)
	}
	return history
}

func (t *trial) ask(store Store, asked call, code *oauthkit.AuthorizationCode, tokens oauthkit.Tokens) (string, error) {
	switch asked.act {
	case "redeem":
		switch err := store.RedeemCode(t.ctx, code.Hash, tokens, t.now); {
		case errors.Is(err, oauthkit.ErrReplayed):
			return resultReplayed, nil
		case errors.Is(err, oauthkit.ErrRevoked):
			return resultRevoked, nil
		default:
			return resultDone, err
		}
	case "revoke":
		changed, err := store.RevokeAuthorization(t.ctx, code.Authorization.ID, t.revocation())
		if !changed {
			return resultNothing, err
		}
		return resultDone, err
	default:
		switch token, err := store.AccessToken(t.ctx, tokens.Access.Hash); {
		case errors.Is(err, oauthkit.ErrNotFound):
			return resultAbsent, nil
		case err != nil:
			return "", err
		case !token.Authorization.RevokedAt.IsZero():
			return resultRevoked, nil
		default:
			return resultLive, nil
		}
	}
}

func describe(history []porcupine.Operation) (text string) {
	for _, operation := range history {
		asked := operation.Input.(call)
		text += fmt.Sprintf("\n\t%3d to %3d: caller %d, %s token %d: %s",
			operation.Call, operation.Return, operation.ClientId+1, asked.act, asked.caller, operation.Output)
	}
	return text
}
