package storetest

import (
	"errors"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// done ends the trial unless an act succeeded.
func (t *trial) done(act string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got error %q, want none", act, err)
	}
}

// answered notes when an act was not answered with one of the errors that are wanted: nil, ErrNotFound, ErrReplayed,
// ErrRevoked, ErrExhausted, ErrEnded, ErrConflict or ErrTooMany, and only that one.
func (t *trial) answered(act string, err error, wanted ...error) {
	t.Helper()
	if answer, ok := answerOf(err); !ok || !slices.Contains(wanted, answer) {
		t.Errorf("%s: got error %v, want exactly one of %v", act, err, wanted)
	}
}

// failed notes when an act did not fail. Failing is neither success nor an answer.
func (t *trial) failed(act string, err error) {
	t.Helper()
	if answer, ok := answerOf(err); ok {
		t.Errorf("%s: got answer %v, want an error that is no answer", act, answer)
	}
}

// answerOf returns which answer an error is. It is none when it wraps no sentinel, or more than one.
func answerOf(err error) (answer error, ok bool) {
	if err == nil {
		return nil, true
	}
	for _, sentinel := range []error{oauthkit.ErrNotFound, oauthkit.ErrReplayed, oauthkit.ErrRevoked, oauthkit.ErrExhausted, oauthkit.ErrEnded, oauthkit.ErrConflict, oauthkit.ErrTooMany} {
		if errors.Is(err, sentinel) {
			if answer != nil {
				return nil, false
			}
			answer = sentinel
		}
	}
	return answer, answer != nil
}

// The next five return what is stored, or end the trial.

func (t *trial) storedCode(hash string) *oauthkit.AuthorizationCode {
	t.Helper()
	code, err := t.Code(t.ctx, hash)
	t.done("Code", err)
	return code
}

func (t *trial) storedAccessToken(hash string) *oauthkit.AccessToken {
	t.Helper()
	token, err := t.AccessToken(t.ctx, hash)
	t.done("AccessToken", err)
	return token
}

func (t *trial) storedRefreshToken(hash string) *oauthkit.RefreshToken {
	t.Helper()
	token, err := t.RefreshToken(t.ctx, hash)
	t.done("RefreshToken", err)
	return token
}

func (t *trial) storedConsent(of *oauthkit.Consent) *oauthkit.Consent {
	t.Helper()
	consent, err := t.Consent(t.ctx, of.ClientID, of.Subject)
	t.done("Consent", err)
	return consent
}

func (t *trial) storedInteraction(hash string) *oauthkit.Interaction {
	t.Helper()
	interaction, err := t.Interaction(t.ctx, hash)
	t.done("Interaction", err)
	return interaction
}

// The next four note what an act has left behind that should have done nothing.

func (t *trial) noTokens(tokens oauthkit.Tokens) {
	t.Helper()
	_, err := t.AccessToken(t.ctx, tokens.Access.Hash)
	t.answered("AccessToken, of tokens that should not have been saved", err, oauthkit.ErrNotFound)
	if tokens.Refresh != nil {
		_, err = t.RefreshToken(t.ctx, tokens.Refresh.Hash)
		t.answered("RefreshToken, of tokens that should not have been saved", err, oauthkit.ErrNotFound)
	}
}

func (t *trial) noCode(code *oauthkit.AuthorizationCode) {
	t.Helper()
	_, err := t.Code(t.ctx, code.Hash)
	t.answered("Code, of one that should not have been saved", err, oauthkit.ErrNotFound)
	t.noAuthorization(code.Authorization)
}

// noAuthorization asks in the only way there is.
func (t *trial) noAuthorization(authorization *oauthkit.Authorization) {
	t.Helper()
	changed, err := t.RevokeAuthorization(t.ctx, authorization.ID, t.now)
	t.done("RevokeAuthorization", err)
	if changed {
		t.Errorf("RevokeAuthorization, of one that should not have been saved: got true, want false")
	}
}

func (t *trial) noConsent(of *oauthkit.Consent) {
	t.Helper()
	_, err := t.Consent(t.ctx, of.ClientID, of.Subject)
	t.answered("Consent, of one that should not be there", err, oauthkit.ErrNotFound)
}

// revoked revokes an Authorization that is not revoked.
func (t *trial) revoked(authorization *oauthkit.Authorization) {
	t.Helper()
	changed, err := t.RevokeAuthorization(t.ctx, authorization.ID, t.now)
	t.done("RevokeAuthorization", err)
	if !changed {
		t.Errorf("RevokeAuthorization, of one that was not revoked: got false, want true")
	}
}

// same notes every field in which got differs from want.
func (t *trial) same(what string, got, want any) {
	t.Helper()
	for _, difference := range differences(what, got, want) {
		t.Errorf("%s", difference)
	}
}

// sameConsumed is same for a refresh token that is consumed: at which time, only the store knows.
func (t *trial) sameConsumed(what string, got, want *oauthkit.RefreshToken) {
	t.Helper()
	if got.ConsumedAt.IsZero() {
		t.Errorf("%s: got one that is not consumed, want it consumed", what)
	}
	expected := *want
	expected.ConsumedAt = got.ConsumedAt
	t.same(what, got, &expected)
}
