package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

// model is the state from which the result of any act can be predicted: which rows
// belong together, and which are consumed or revoked.
type model struct {
	authorizations []*modelAuthorization
	consents       map[string]oauthkit.Consent // by subject
	interactions   []*modelInteraction
	codes          []*modelCredential
	refreshTokens  []*modelCredential
	accessTokens   []*modelCredential
}

type modelAuthorization struct {
	value     *oauthkit.Authorization // as saved
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

// consume returns the errors that consuming the credential may return. If there are
// none, it consumes the credential.
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

// save records the tokens that an act saved.
func (m *model) save(authorization *modelAuthorization, tokens oauthkit.Tokens) {
	m.accessTokens = append(m.accessTokens, &modelCredential{hash: tokens.Access.Hash, authorization: authorization})
	if tokens.Refresh != nil {
		m.refreshTokens = append(m.refreshTokens, &modelCredential{hash: tokens.Refresh.Hash, authorization: authorization})
	}
}

// seal records the sealed response of a refresh token and removes those of earlier
// tokens.
func (m *model) seal(token *modelCredential, sealed string) {
	for _, earlier := range m.refreshTokens {
		if earlier.authorization == token.authorization {
			earlier.sealed = ""
		}
	}
	token.sealed = sealed
}

// saveCode returns the errors that SaveCode may return. If there are none, it records
// the approval. A nil interaction means that there is none to consume.
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

// consent records the Consent of an approval and returns the stored one.
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

// revokeConsent returns the ids of the newly revoked Authorizations.
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
