package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

// model is what a store has to know, so that its answers to any sequence of acts can be foretold: nothing but who belongs to
// whom, and what was used or revoked.
type model struct {
	authorizations []*modelAuthorization
	consents       map[string]oauthkit.Consent // by subject
	interactions   []*modelInteraction
	codes          []*modelCredential
	refreshTokens  []*modelCredential
	accessTokens   []*modelCredential
}

type modelAuthorization struct {
	value     *oauthkit.Authorization // as it was saved
	consentID string
	revokedAt time.Time
}

type modelInteraction struct {
	hash     string
	consumed bool
}

type modelCredential struct {
	hash          string
	authorization *modelAuthorization
	consumedAt    time.Time
	sealed        string // with a refresh token
}

// consume returns the errors that consuming a credential may be answered with, and consumes it if that is none.
func (c *modelCredential) consume(now time.Time) []error {
	var allowed []error
	if !c.consumedAt.IsZero() {
		allowed = append(allowed, oauthkit.ErrReplayed)
	}
	if !c.authorization.revokedAt.IsZero() {
		allowed = append(allowed, oauthkit.ErrRevoked)
	}
	if allowed == nil {
		c.consumedAt = now
		return []error{nil}
	}
	return allowed
}

// saved notes the tokens that an act has saved.
func (m *model) saved(authorization *modelAuthorization, tokens oauthkit.Tokens) {
	m.accessTokens = append(m.accessTokens, &modelCredential{hash: tokens.Access.Hash, authorization: authorization})
	if tokens.Refresh != nil {
		m.refreshTokens = append(m.refreshTokens, &modelCredential{hash: tokens.Refresh.Hash, authorization: authorization})
	}
}

// sealed notes what is sealed with a refresh token from now on, and that nothing is with those before it.
func (m *model) sealed(token *modelCredential, sealed string) {
	for _, earlier := range m.refreshTokens {
		if earlier.authorization == token.authorization {
			earlier.sealed = ""
		}
	}
	token.sealed = sealed
}

// saveCode returns the errors that SaveCode may be answered with, and takes the approval over if that is none. Interaction
// is the one to consume; nil: there is none.
func (m *model) saveCode(approval *oauthkit.Approval, interaction *modelInteraction, code *oauthkit.AuthorizationCode) []error {
	var allowed []error
	if interaction != nil && interaction.consumed {
		allowed = append(allowed, oauthkit.ErrReplayed)
	}
	if approval.Consent != nil && approval.ConsentUse != oauthkit.ConsentNew && m.consents[approval.Consent.Subject].ID != approval.Consent.ID {
		allowed = append(allowed, oauthkit.ErrRevoked)
	}
	if allowed != nil {
		return allowed
	}
	authorization := &modelAuthorization{value: approval.Authorization}
	if approval.Consent != nil {
		authorization.consentID = m.consent(approval).ID
	}
	if interaction != nil {
		interaction.consumed = true
	}
	m.authorizations = append(m.authorizations, authorization)
	m.codes = append(m.codes, &modelCredential{hash: code.Hash, authorization: authorization})
	return []error{nil}
}

// consent takes over the consent of an approval, and returns what is remembered then.
func (m *model) consent(approval *oauthkit.Approval) oauthkit.Consent {
	consent, remembered := m.consents[approval.Consent.Subject]
	switch {
	case !remembered:
		consent = *approval.Consent
	case approval.ConsentUse != oauthkit.ConsentRemembered:
		consent.Scopes, consent.UpdatedAt = approval.Consent.Scopes, approval.Consent.UpdatedAt
		consent.ApplicationDigest, consent.ResourceScopes = approval.Consent.ApplicationDigest, approval.Consent.ResourceScopes
	}
	m.consents[consent.Subject] = consent
	return consent
}

// revokeConsent returns the ids of what was not revoked before.
func (m *model) revokeConsent(subject string, now time.Time) (ids []string) {
	delete(m.consents, subject)
	for _, authorization := range m.authorizations {
		if authorization.value.Subject == subject && authorization.revokedAt.IsZero() {
			authorization.revokedAt = now
			ids = append(ids, authorization.value.ID)
		}
	}
	return ids
}
