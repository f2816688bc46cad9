package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// mustSucceed ends the trial if err is not nil.
func (t *trial) mustSucceed(act string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got error %q, want none", act, err)
	}
}

// wantError reports an error that is none of the wanted ones. They are nil or the
// contract's errors, of which err may wrap only one.
func (t *trial) wantError(act string, err error, wanted ...error) {
	t.Helper()
	if answer, ok := answerOf(err); !ok || !slices.Contains(wanted, answer) {
		t.Errorf("%s: got error %v, want exactly one of %v", act, err, wanted)
	}
}

// wantFailure reports an error that is nil or wraps one of the contract's errors.
func (t *trial) wantFailure(act string, err error) {
	t.Helper()
	if answer, ok := answerOf(err); ok {
		t.Errorf("%s: got %v, want an error outside the contract", act, answer)
	}
}

// answerOf returns the one of the contract's errors that err wraps. It reports false if
// err wraps none or several.
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

// The next five functions return a stored row, or end the trial.

func (t *trial) storedCode(hash string) *oauthkit.AuthorizationCode {
	t.Helper()
	code, err := t.Code(t.ctx, hash)
	t.mustSucceed("Code", err)
	return code
}

func (t *trial) storedAccessToken(hash string) *oauthkit.AccessToken {
	t.Helper()
	token, err := t.AccessToken(t.ctx, hash)
	t.mustSucceed("AccessToken", err)
	return token
}

func (t *trial) storedRefreshToken(hash string) *oauthkit.RefreshToken {
	t.Helper()
	token, err := t.RefreshToken(t.ctx, hash)
	t.mustSucceed("RefreshToken", err)
	return token
}

func (t *trial) storedConsent(of *oauthkit.Consent) *oauthkit.Consent {
	t.Helper()
	consent, err := t.Consent(t.ctx, of.ClientID, of.Subject)
	t.mustSucceed("Consent", err)
	return consent
}

func (t *trial) storedInteraction(hash string) *oauthkit.Interaction {
	t.Helper()
	interaction, err := t.Interaction(t.ctx, hash)
	t.mustSucceed("Interaction", err)
	return interaction
}

// The next four functions report rows of an act that should have saved none.

func (t *trial) wantNoTokens(tokens oauthkit.Tokens) {
	t.Helper()
	_, err := t.AccessToken(t.ctx, tokens.Access.Hash)
	t.wantError("AccessToken, of tokens that must not be saved", err, oauthkit.ErrNotFound)
	if tokens.Refresh != nil {
		_, err = t.RefreshToken(t.ctx, tokens.Refresh.Hash)
		t.wantError("RefreshToken, of tokens that must not be saved", err, oauthkit.ErrNotFound)
	}
}

func (t *trial) wantNoCode(code *oauthkit.AuthorizationCode) {
	t.Helper()
	_, err := t.Code(t.ctx, code.Hash)
	t.wantError("Code, of a row that must not be saved", err, oauthkit.ErrNotFound)
	t.wantNoAuthorization(code.Authorization)
}

// wantNoAuthorization revokes the Authorization, since the contract has no other way to
// look for one.
func (t *trial) wantNoAuthorization(authorization *oauthkit.Authorization) {
	t.Helper()
	changed, err := t.RevokeAuthorization(t.ctx, authorization.ID, t.revocation())
	t.mustSucceed("RevokeAuthorization", err)
	if changed {
		t.Errorf("RevokeAuthorization, of one that should not have been saved: got true, want false")
	}
}

func (t *trial) wantNoConsent(of *oauthkit.Consent) {
	t.Helper()
	_, err := t.Consent(t.ctx, of.ClientID, of.Subject)
	t.wantError("Consent, of a row that must not exist", err, oauthkit.ErrNotFound)
}

// mustRevoke revokes an Authorization that is not revoked.
func (t *trial) mustRevoke(authorization *oauthkit.Authorization) {
	t.Helper()
	changed, err := t.RevokeAuthorization(t.ctx, authorization.ID, t.revocation())
	t.mustSucceed("RevokeAuthorization", err)
	if !changed {
		t.Errorf("RevokeAuthorization, first call: got false, want true")
	}
}

// wantEqual reports every field in which got differs from want.
func (t *trial) wantEqual(what string, got, want any) {
	t.Helper()
	for _, difference := range differences(what, got, want) {
		t.Errorf("%s", difference)
	}
}

// wantConsumed is wantEqual for a consumed refresh token, whose ConsumedAt only the
// store knows.
func (t *trial) wantConsumed(what string, got, want *oauthkit.RefreshToken) {
	t.Helper()
	if got.ConsumedAt.IsZero() {
		t.Errorf("%s: got an unconsumed token, want a consumed one", what)
	}
	expected := *want
	expected.ConsumedAt = got.ConsumedAt
	t.wantEqual(what, got, &expected)
}

// differences compares as the contract requires: equal instants are equal times, and an
// empty list equals nil. It names the field of each difference.
func differences(name string, got, want any) []string {
	return differ(name, reflect.ValueOf(got), reflect.ValueOf(want))
}

func differ(name string, got, want reflect.Value) []string {
	if !got.IsValid() || !want.IsValid() || got.Type() != want.Type() {
		return []string{fmt.Sprintf("%s: got a %T, want a %T", name, got, want)}
	}
	switch got.Kind() {
	case reflect.Pointer:
		if got.IsNil() || want.IsNil() {
			return unless(got.IsNil() == want.IsNil(), name, got, want)
		}
		return differ(name, got.Elem(), want.Elem())
	case reflect.Struct:
		if instant, ok := got.Interface().(time.Time); ok {
			return unless(instant.Equal(want.Interface().(time.Time)), name, got, want)
		}
		var found []string
		for i := range got.NumField() {
			if field := got.Type().Field(i); field.IsExported() {
				found = append(found, differ(name+"."+field.Name, got.Field(i), want.Field(i))...)
			}
		}
		return found
	case reflect.Slice, reflect.Map:
		bothEmpty := got.Len() == 0 && want.Len() == 0
		return unless(bothEmpty || reflect.DeepEqual(got.Interface(), want.Interface()), name, got, want)
	default:
		return unless(got.Interface() == want.Interface(), name, got, want)
	}
}

func unless(same bool, name string, got, want reflect.Value) []string {
	if same {
		return nil
	}
	return []string{fmt.Sprintf("%s: got %.200q, want %.200q", name, fmt.Sprint(got), fmt.Sprint(want))}
}
