package storetest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func machineRules() []rule {
	return []rule{{
		"any sequence of acts returns the results that the contract requires",
		"a combination of acts fails that no other rule tests",
		func(t *trial) { rapid.Check(t.TB, t.runMachine) },
	}}
}

// machine draws acts of two users of one application and compares each result with the
// model.
type machine struct {
	*trial
	model    *model
	subjects []string
}

// runMachine runs one sequence. Its names are unique, so sequences can share a store.
func (t *trial) runMachine(draw *rapid.T) {
	own := *t
	own.TB = draw
	m := &machine{
		trial:    &own,
		model:    &model{consents: map[string]oauthkit.Consent{}},
		subjects: []string{secret.NewID(), secret.NewID()},
	}
	draw.Repeat(map[string]func(*rapid.T){
		"SaveTokens":          m.saveTokens,
		"SaveInteraction":     m.saveInteraction,
		"SaveApproval":        m.saveApproval,
		"RedeemCode":          m.redeemCode,
		"RotateRefreshToken":  m.rotateRefreshToken,
		"RevokeAuthorization": m.revokeAuthorization,
		"RevokeConsent":       m.revokeConsent,
		"ConsumeInteraction":  m.consumeInteraction,
	})
	m.compare()
}

// pick draws an item of the list, or skips the act if the list is empty.
func pick[Item any](draw *rapid.T, label string, list []Item) Item {
	if len(list) == 0 {
		draw.Skip("no row to act on")
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(draw, label)]
}

// newAuthorization returns an Authorization of one of the two users. Each act is one
// second later than the previous one.
func (m *machine) newAuthorization(draw *rapid.T) *oauthkit.Authorization {
	m.now = m.now.Add(time.Second)
	authorization := m.authorization()
	authorization.Subject = pick(draw, "subject", m.subjects)
	return authorization
}

func (m *machine) newTokens(draw *rapid.T, authorization *oauthkit.Authorization) oauthkit.Tokens {
	m.now = m.now.Add(time.Second)
	tokens := m.tokens(authorization)
	if rapid.Bool().Draw(draw, "without refresh token") {
		tokens.Refresh = nil
	}
	return tokens
}

func (m *machine) saveTokens(draw *rapid.T) {
	authorization := m.newAuthorization(draw)
	tokens := m.newTokens(draw, authorization)
	m.mustSucceed("SaveTokens", m.SaveTokens(m.ctx, authorization, tokens))
	saved := &modelAuthorization{value: authorization}
	m.model.authorizations = append(m.model.authorizations, saved)
	m.model.save(saved, tokens)
}

func (m *machine) saveInteraction(*rapid.T) {
	m.model.interactions = append(m.model.interactions, &modelInteraction{hash: m.mustSaveInteraction().Hash})
}

func (m *machine) saveApproval(draw *rapid.T) {
	authorization := m.newAuthorization(draw)
	approval := &oauthkit.Approval{Authorization: authorization}
	if rapid.Bool().Draw(draw, "with code") {
		approval.Code = m.code(authorization)
	}
	if rapid.Bool().Draw(draw, "with tokens") {
		tokens := m.newTokens(draw, authorization)
		approval.Tokens = &tokens
	}
	if rapid.Bool().Draw(draw, "with consent") {
		m.putUnderConsent(draw, approval)
	}
	var interaction *modelInteraction
	if rapid.Bool().Draw(draw, "with interaction") {
		interaction = pick(draw, "interaction", m.model.interactions)
		approval.InteractionHash = interaction.hash
	}
	err := m.SaveApproval(m.ctx, approval)
	m.wantError("SaveApproval", err, m.model.saveApproval(approval, interaction)...)
	m.compareConsent(authorization.Subject)
}

// putUnderConsent draws a new Consent or, if one is stored, possibly one that is
// remembered or widened.
func (m *machine) putUnderConsent(draw *rapid.T, approval *oauthkit.Approval) {
	uses := []oauthkit.ConsentUse{oauthkit.ConsentRemembered, oauthkit.ConsentNew, oauthkit.ConsentWidened}
	approval.ConsentUse = rapid.SampledFrom(uses).Draw(draw, "use")
	approval.Consent = m.consent(approval.Authorization)
	approval.Consent.Scopes = rapid.SampledFrom([]oauthkit.Scopes{{"read"}, {"write"}, {"read", "write"}}).Draw(draw, "scopes")
	remembered, exists := m.model.consents[approval.Consent.Subject]
	if exists && approval.ConsentUse != oauthkit.ConsentNew {
		approval.Consent.ID = remembered.ID
	}
}

func (m *machine) redeemCode(draw *rapid.T) {
	code := pick(draw, "code", m.model.codes)
	tokens := m.newTokens(draw, code.authorization.value)
	err := m.RedeemCode(m.ctx, code.hash, tokens, m.now)
	m.checkConsumed("RedeemCode", err, code, tokens)
}

func (m *machine) rotateRefreshToken(draw *rapid.T) {
	token := pick(draw, "refresh token", m.model.refreshTokens)
	tokens := m.newTokens(draw, token.authorization.value)
	err := m.RotateRefreshToken(m.ctx, m.rotation(token.hash, tokens, []byte(token.hash)))
	m.checkConsumed("RotateRefreshToken", err, token, tokens)
	if err == nil {
		m.model.seal(token, token.hash)
	}
}

func (m *machine) checkConsumed(act string, err error, credential *modelCredential, tokens oauthkit.Tokens) {
	m.wantError(act, err, credential.consume(m.now)...)
	if err == nil {
		m.model.save(credential.authorization, tokens)
	} else {
		m.wantNoTokens(tokens)
	}
}

func (m *machine) revokeAuthorization(draw *rapid.T) {
	authorization := pick(draw, "authorization", m.model.authorizations)
	m.now = m.now.Add(time.Second)
	changed, err := m.RevokeAuthorization(m.ctx, authorization.value.ID, m.revocation())
	m.mustSucceed("RevokeAuthorization", err)
	m.wantEqual("RevokeAuthorization", changed, authorization.revokedAt.IsZero())
	if changed {
		authorization.revokedAt = m.now
	}
}

func (m *machine) revokeConsent(draw *rapid.T) {
	m.now = m.now.Add(time.Second)
	subject := pick(draw, "subject", m.subjects)
	ids, err := m.RevokeConsent(m.ctx, m.client, subject, m.revocation())
	m.mustSucceed("RevokeConsent", err)
	want := m.model.revokeConsent(subject, m.now)
	slices.Sort(ids)
	slices.Sort(want)
	m.wantEqual("RevokeConsent", ids, want)
}

func (m *machine) consumeInteraction(draw *rapid.T) {
	interaction := pick(draw, "interaction", m.model.interactions)
	want := []error{nil}
	if interaction.consumed {
		want = []error{oauthkit.ErrReplayed}
	}
	m.wantError("ConsumeInteraction", m.ConsumeInteraction(m.ctx, interaction.hash, m.now), want...)
	interaction.consumed = true
}

// compare compares all stored rows with the model.
func (m *machine) compare() {
	for _, subject := range m.subjects {
		m.compareConsent(subject)
	}
	for _, interaction := range m.model.interactions {
		m.wantEqual("Interaction, consumed", !m.storedInteraction(interaction.hash).ConsumedAt.IsZero(), interaction.consumed)
	}
	for _, want := range m.model.codes {
		code := m.storedCode(want.hash)
		m.compareCredential("Code", code.ConsumedAt, code.Authorization, want)
	}
	for _, want := range m.model.refreshTokens {
		token := m.storedRefreshToken(want.hash)
		m.wantEqual("RefreshToken, consumed", token.ConsumedAt.IsZero(), want.consumedAt.IsZero())
		m.compareCredential("RefreshToken", want.consumedAt, token.Authorization, want)
		if want.authorization.revokedAt.IsZero() {
			m.wantEqual("RefreshToken.Sealed", string(token.Sealed), want.sealed)
		}
	}
	for _, want := range m.model.accessTokens {
		m.compareCredential("AccessToken", time.Time{}, m.storedAccessToken(want.hash).Authorization, want)
	}
}

func (m *machine) compareConsent(subject string) {
	consent, err := m.Consent(m.ctx, m.client, subject)
	want, remembered := m.model.consents[subject]
	if !remembered {
		m.wantError("Consent", err, oauthkit.ErrNotFound)
		return
	}
	m.mustSucceed("Consent", err)
	m.wantEqual("Consent", consent, &want)
}

func (m *machine) compareCredential(what string, consumedAt time.Time, got *oauthkit.Authorization, want *modelCredential) {
	m.wantEqual(what+".ConsumedAt", consumedAt, want.consumedAt)
	authorization := *want.authorization.value
	authorization.ConsentID, authorization.RevokedAt = want.authorization.consentID, want.authorization.revokedAt
	m.wantEqual(what+".Authorization", got, &authorization)
}

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

// saveApproval returns the errors that SaveApproval may return. If there are none, it
// records the approval. A nil interaction means that there is none to consume.
func (m *model) saveApproval(approval *oauthkit.Approval, interaction *modelInteraction) []error {
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
	if approval.Code != nil {
		m.codes = append(m.codes, &modelCredential{hash: approval.Code.Hash, authorization: authorization})
	}
	if approval.Tokens != nil {
		m.save(authorization, *approval.Tokens)
	}
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
