package gormstore

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// SaveApproval implements [oauthkit.Store].
func (c *Credentials) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	a := arguments{
		hash: approval.InteractionHash, authorization: approval.Authorization, consent: approval.Consent,
		code: approval.Code,
	}
	if approval.Tokens != nil {
		a.access, a.refresh = approval.Tokens.Access, approval.Tokens.Refresh
	}
	consentID, err := c.dialect.saveApproval(ctx, c.database, approval.ConsentUse, a)
	if err != nil {
		return storeError("saving an approval", err)
	}
	approval.Authorization.ConsentID = consentID
	return nil
}

// An approval changes nothing unless the application and the user may have new
// Authorizations, the Interaction is not consumed and the consent exists. The row has
// the id of the consent and the first of these conditions that failed. There is a
// statement for each set of credentials, so that none sends arguments of rows that it
// does not save.
const (
	saveApprovalPostgres       = decidePostgres + unissuedPostgres + decidedPostgres
	saveApprovalCodePostgres   = decidePostgres + unissuedPostgres + insertCodePostgres + decidedPostgres
	saveApprovalTokensPostgres = decidePostgres + issuedPostgres + `, ` + insertTokens + decidedPostgres
	saveApprovalBothPostgres   = decidePostgres + unissuedPostgres + insertCodePostgres + `, ` + insertTokens + decidedPostgres

	decidePostgres = `WITH waiting AS (
	SELECT hash FROM {interactions} WHERE hash = @hash AND consumed_at IS NULL FOR UPDATE
), ended AS (
	SELECT 1 FROM {endings}
	WHERE name IN ` + marksPostgres + ` AND ` + markInForce + `
), ready AS (
	SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ended) AND (@hash = '' OR EXISTS (SELECT 1 FROM waiting))
), given AS (
	` + insertConsent + `SELECT @[consent] FROM ready WHERE @consent_use = 'given'` + orReplace + `
), widened AS (
	UPDATE {consents} SET scopes = @consent.scopes, updated_at = @consent.updated_at,
		application_digest = @consent.application_digest, resource_scopes = @consent.resource_scopes
	WHERE id = @consent.id AND client_id = @consent.client_id AND subject = @consent.subject
	AND @consent_use = 'widened' AND EXISTS (SELECT 1 FROM ready) RETURNING id
), remembered AS (
	SELECT id FROM {consents} WHERE id = @consent.id AND client_id = @consent.client_id AND subject = @consent.subject
	AND @consent_use = 'remembered' AND EXISTS (SELECT 1 FROM ready) FOR SHARE
), consent AS (
	SELECT id FROM given UNION ALL SELECT id FROM widened UNION ALL SELECT id FROM remembered
	UNION ALL SELECT '' FROM ready WHERE @consent_use = 'none'
), consumed AS (
	UPDATE {interactions} SET consumed_at = @authorization.created_at WHERE hash = @hash AND EXISTS (SELECT 1 FROM consent)
), `
	unissuedPostgres = `accepted AS (
	INSERT INTO {authorizations} ([authorization]) SELECT @[authorization consent_id=consent.id] FROM consent RETURNING id, consent_id
)`
	issuedPostgres = `accepted AS (
	INSERT INTO {authorizations} ([authorization], issued_at)
	SELECT @[authorization consent_id=consent.id], @access.issued_at FROM consent RETURNING id, consent_id
)`
	insertCodePostgres = `, code AS (
	INSERT INTO {authorization_codes} ([code], authorization_id) SELECT @[code], accepted.id FROM accepted
)`
	decidedPostgres = `
SELECT (SELECT consent_id FROM accepted), CASE
	WHEN EXISTS (SELECT 1 FROM ended) THEN 'ended' WHEN EXISTS (SELECT 1 FROM ready) THEN 'no consent'
	WHEN EXISTS (SELECT 1 FROM {interactions} WHERE hash = @hash) THEN 'consumed' ELSE '' END`
)

func (postgresDialect) saveApproval(ctx context.Context, d *database, use oauthkit.ConsentUse, a arguments) (string, error) {
	statement := saveApprovalPostgres
	switch {
	case a.code != nil && a.access != nil:
		statement = saveApprovalBothPostgres
	case a.code != nil:
		statement = saveApprovalCodePostgres
	case a.access != nil:
		statement = saveApprovalTokensPostgres
	}
	a.consentUse = consentUse(use, a.consent)
	var consentID sql.NullString
	var reason string
	err := d.queryRow(ctx, d.pool(), statement, a, &consentID, &reason)
	switch {
	case err != nil:
		return "", err
	case consentID.Valid:
		return consentID.String, nil
	case reason == "ended":
		return "", oauthkit.ErrEnded
	case reason == "no consent":
		return "", oauthkit.ErrRevoked
	case reason == "consumed":
		return "", oauthkit.ErrReplayed
	default:
		return "", oauthkit.ErrNotFound
	}
}

// consentUse returns the name of a use in decidePostgres.
func consentUse(use oauthkit.ConsentUse, consent *oauthkit.Consent) string {
	switch {
	case consent == nil:
		return "none"
	case use == oauthkit.ConsentNew:
		return "given"
	case use == oauthkit.ConsentWidened:
		return "widened"
	default:
		return "remembered"
	}
}

// The statements for each use of a consent return its id if it exists afterwards.
const (
	giveConsentSQLite  = insertConsent + `VALUES (@[consent])` + orReplace
	widenConsentSQLite = `UPDATE {consents} SET scopes = @consent.scopes, updated_at = @consent.updated_at,
	application_digest = @consent.application_digest, resource_scopes = @consent.resource_scopes
WHERE id = @consent.id AND client_id = @consent.client_id AND subject = @consent.subject RETURNING id`
	holdConsentSQLite = `UPDATE {consents} SET id = id
WHERE id = @consent.id AND client_id = @consent.client_id AND subject = @consent.subject RETURNING id`
)

func (s sqliteDialect) saveApproval(ctx context.Context, d *database, use oauthkit.ConsentUse, a arguments) (consentID string, err error) {
	a.id = a.authorization.ID
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if a.hash != "" {
			if err := d.consumeInteraction(ctx, tx, a.hash, a.authorization.CreatedAt); err != nil {
				return err
			}
		}
		if a.consentID, err = s.useConsent(ctx, d, tx, use, a); err != nil {
			return err
		}
		return s.insertApproved(ctx, d, tx, a)
	})
	return a.consentID, err
}

// insertApproved saves an Authorization with its credentials. It has not issued
// tokens as long as a code waits to be redeemed.
func (s sqliteDialect) insertApproved(ctx context.Context, d *database, tx gorm.ConnPool, a arguments) error {
	authorization := a
	if a.code != nil {
		authorization.access = nil
	}
	err := s.insertAuthorization(ctx, d, tx, authorization)
	if err == nil && a.code != nil {
		_, err = d.execute(ctx, tx, insertCodeSQLite, a)
	}
	if err == nil && a.access != nil {
		err = s.insertTokens(ctx, d, tx, a)
	}
	return err
}

// useConsent gives, widens or holds the consent, and returns the id of the one that the
// approval stands under.
func (sqliteDialect) useConsent(ctx context.Context, d *database, tx gorm.ConnPool, use oauthkit.ConsentUse, a arguments) (id string, err error) {
	if a.consent == nil {
		return "", nil
	}
	statement := holdConsentSQLite
	switch use {
	case oauthkit.ConsentNew:
		statement = giveConsentSQLite
	case oauthkit.ConsentWidened:
		statement = widenConsentSQLite
	}
	err = d.queryRow(ctx, tx, statement, a, &id)
	if errors.Is(err, oauthkit.ErrNotFound) {
		err = oauthkit.ErrRevoked
	}
	return id, err
}
