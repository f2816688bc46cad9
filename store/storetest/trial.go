package storetest

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// trial runs one rule against one store. It creates test data and reports failures.
type trial struct {
	rapid.TB
	Store
	second Store
	ctx    context.Context
	now    time.Time
	client string // the client_id of a stored application
	add    func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error
	fill   func(app oauthkit.Application, with *oauthkit.AbstractApplication) // nil: fillAbstract

	hold holding // if nil, no lock outlives an act

	// Both instances by their optional interfaces, or nil.
	users, secondUsers oauthkit.AuthorizationManager
	apps, secondApps   oauthkit.ApplicationManager
}

func newTrial(ctx context.Context, tb rapid.TB, subject Subject) *trial {
	t := &trial{
		TB:     tb,
		Store:  subject.Store,
		second: subject.Second,
		ctx:    ctx,
		now:    time.Date(2026, time.March, 29, 1, 59, 59, 123456000, time.UTC),
		add:    subject.AddApplication,
		fill:   subject.Fill,
		hold:   subject.Hold,
	}
	if t.second == nil {
		t.second = t.Store
	}
	t.users, _ = t.Store.(oauthkit.AuthorizationManager)
	t.secondUsers, _ = t.second.(oauthkit.AuthorizationManager)
	t.apps, _ = t.Store.(oauthkit.ApplicationManager)
	t.secondApps, _ = t.second.(oauthkit.ApplicationManager)
	t.client = t.application()
	return t
}

// application stores a new application and returns its client_id.
func (t *trial) application() string {
	t.Helper()
	app := &oauthkit.AbstractApplication{ClientID: secret.NewID(), ClientType: oauthkit.Confidential}
	t.mustSucceed("AddApplication", t.add(t.ctx, app, t.now))
	return app.ClientID
}

// authorization returns an Authorization of a new user that is not saved.
func (t *trial) authorization() *oauthkit.Authorization {
	return &oauthkit.Authorization{
		ID:        secret.NewID(),
		ClientID:  t.client,
		Subject:   "user-" + secret.NewID(),
		Scopes:    oauthkit.Scopes{"openid", "read"},
		Resources: oauthkit.URIs{"https://api.example/read?all=%20", "urn:example:api"},
		AuthTime:  t.now.Add(-time.Hour),
		ACR:       "urn:example:gold",
		AMR:       []string{"pwd", "otp"},
		SessionID: "session",
		Params:    map[string]string{"nonce": "n-0S6_WzA2Mj"},
		CreatedAt: t.now,
		ExpiresAt: t.now.Add(90 * 24 * time.Hour),
	}
}

// tokens returns new tokens for an Authorization that are not saved.
func (t *trial) tokens(authorization *oauthkit.Authorization) oauthkit.Tokens {
	return oauthkit.Tokens{Access: t.accessToken(authorization), Refresh: t.refreshToken(authorization)}
}

func (t *trial) accessToken(authorization *oauthkit.Authorization) *oauthkit.AccessToken {
	return &oauthkit.AccessToken{
		Hash:          newHash(),
		Authorization: authorization,
		Scopes:        authorization.Scopes,
		Resources:     authorization.Resources,
		IssuedAt:      t.now,
		ExpiresAt:     t.now.Add(10 * time.Minute),
	}
}

func (t *trial) refreshToken(authorization *oauthkit.Authorization) *oauthkit.RefreshToken {
	return &oauthkit.RefreshToken{
		Hash:          newHash(),
		Authorization: authorization,
		IssuedAt:      t.now,
		ExpiresAt:     t.now.Add(30 * 24 * time.Hour),
	}
}

// rotation returns a Rotation at the time of the trial, for stores without a clock.
func (t *trial) rotation(hash string, successors oauthkit.Tokens, sealed []byte) oauthkit.Rotation {
	return oauthkit.Rotation{Hash: hash, Successors: successors, Sealed: sealed, Window: 30 * time.Second, Now: at(t.now)}
}

// repeat returns a Repeat at the time of the trial, for stores without a clock.
func (t *trial) repeat(token, successor *oauthkit.RefreshToken) oauthkit.Repeat {
	return oauthkit.Repeat{Hash: token.Hash, Successor: successor.Hash, Limit: 5, Now: at(t.now)}
}

// revocation returns a Revocation at the time of the trial without receivers.
func (t *trial) revocation() oauthkit.Revocation { return oauthkit.Revocation{Now: t.now} }

// at returns a clock that is fixed at now.
func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// code returns a code for an Authorization that is not saved.
func (t *trial) code(authorization *oauthkit.Authorization) *oauthkit.AuthorizationCode {
	return &oauthkit.AuthorizationCode{
		Hash:                newHash(),
		Authorization:       authorization,
		RedirectURI:         "https://client.example/callback",
		CodeChallenge:       "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		CodeChallengeMethod: "S256",
		IssuedAt:            t.now,
		ExpiresAt:           t.now.Add(time.Minute),
	}
}

// consent returns a Consent for an Authorization that is not saved.
func (t *trial) consent(authorization *oauthkit.Authorization) *oauthkit.Consent {
	return &oauthkit.Consent{
		ID:        secret.NewID(),
		ClientID:  authorization.ClientID,
		Subject:   authorization.Subject,
		Scopes:    authorization.Scopes,
		CreatedAt: t.now,
		UpdatedAt: t.now,

		ResourceScopes:    map[string]oauthkit.Scopes{"https://api.example/": {"read"}},
		ApplicationDigest: newHash(),
	}
}

func (t *trial) interaction() *oauthkit.Interaction {
	return &oauthkit.Interaction{
		Hash:        newHash(),
		BrowserHash: newHash(),
		Subject:     "user-" + secret.NewID(),
		Sealed:      []byte("\x01\x00sealed\xff"),
		CreatedAt:   t.now,
		ExpiresAt:   t.now.Add(10 * time.Minute),
	}
}

func newHash() string { return secret.Hash(secret.NewID()) }

// mustSaveTokens saves a new Authorization with tokens.
func (t *trial) mustSaveTokens() oauthkit.Tokens {
	t.Helper()
	authorization := t.authorization()
	tokens := t.tokens(authorization)
	t.mustSucceed("SaveTokens", t.SaveTokens(t.ctx, authorization, tokens))
	return tokens
}

// mustSaveCode saves a new Authorization with a code and without a Consent.
func (t *trial) mustSaveCode() *oauthkit.AuthorizationCode {
	t.Helper()
	authorization := t.authorization()
	code := t.code(authorization)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: code}))
	return code
}

// mustSaveConsent saves a new Authorization with a code and a new Consent.
func (t *trial) mustSaveConsent() (*oauthkit.Consent, *oauthkit.AuthorizationCode) {
	t.Helper()
	authorization := t.authorization()
	consent, code := t.consent(authorization), t.code(authorization)
	approval := &oauthkit.Approval{Authorization: authorization, Consent: consent, ConsentUse: oauthkit.ConsentNew, Code: code}
	t.mustSucceed("SaveApproval with new consent", t.SaveApproval(t.ctx, approval))
	return consent, code
}

// mustRedeem redeems a code and returns the tokens.
func (t *trial) mustRedeem(code *oauthkit.AuthorizationCode) oauthkit.Tokens {
	t.Helper()
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	return tokens
}

func (t *trial) mustSaveInteraction() *oauthkit.Interaction {
	t.Helper()
	interaction := t.interaction()
	t.mustSucceed("SaveInteraction", t.SaveInteraction(t.ctx, interaction, interactionLimit))
	return interaction
}

// interactionLimit exceeds the number of interactions that a rule saves for one user,
// except in rules about the limit.
const interactionLimit = 100
