package gormstore

import (
	"context"
	"encoding/json"
	"slices"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// The mark of an ended session stays for a day, by which every request has ended that
// began in it. A sid is a hash, and contains no space.
const (
	markSession = `INSERT INTO {endings} (name, id, expires_at)
VALUES ('session:' || @session::text || ' ' || @subject::text, '', clock_timestamp() + interval '1 day')
ON CONFLICT (name, id) DO UPDATE SET expires_at = excluded.expires_at`
	forgetInteractions = `WITH held AS (
	SELECT hash FROM {interactions} WHERE browser_hash = @hash AND subject = @subject AND consumed_at IS NULL ORDER BY hash FOR UPDATE
) DELETE FROM {interactions} WHERE hash IN (SELECT hash FROM held)`

	// members reads the two indices on subject.
	members = `WHERE id IN (SELECT id FROM {authorizations} WHERE subject = @subject` + signedIn + `
	UNION ALL SELECT id FROM {authorizations} WHERE subject = @subject AND revoked_at IS NULL AND issued_at IS NULL)
AND session_id = @session AND revoked_at IS NULL`
	selectMembers = `SELECT id FROM {authorizations} ` + members + ` LIMIT 1`
	// endMembers revokes the Authorizations of a session, and clears the session of those
	// that stay.
	endMembers = `WITH held AS (SELECT id FROM {authorizations} ` + members + ` ORDER BY id FOR UPDATE)
UPDATE {authorizations} SET
	revoked_at = CASE WHEN ` + isKept + ` THEN NULL ELSE @now::timestamptz END,
	session_id = CASE WHEN ` + isKept + ` THEN '' ELSE session_id END
WHERE id IN (SELECT id FROM held) RETURNING client_id, revoked_at IS NOT NULL`
	isKept = `@keep_all OR (@keep::text <> '' AND strpos(' ' || scopes || ' ', ' ' || @keep::text || ' ') > 0)`
)

// EndSession implements [oauthkit.Store]. The mark refuses acts that begin after the
// transaction. An act that began before it cannot see the mark, and the transaction may
// not see its row, so EndSession waits until those acts have ended, and ends what they
// saved.
func (c *Credentials) EndSession(ctx context.Context, end oauthkit.SessionEnd) (oauthkit.SessionEndResult, error) {
	ended, err := c.endSession(ctx, end)
	if err != nil {
		return oauthkit.SessionEndResult{}, storeError("ending a session", err)
	}
	return ended, nil
}

func (c *Credentials) endSession(ctx context.Context, end oauthkit.SessionEnd) (ended oauthkit.SessionEndResult, err error) {
	a := sessionArguments(end)
	ended, err = c.endOnce(ctx, a, func(ctx context.Context, tx gorm.ConnPool) error {
		if _, err := c.execute(ctx, tx, markSession, a); err != nil || a.hash == "" {
			return err
		}
		_, err := c.execute(ctx, tx, forgetInteractions, a)
		return err
	})
	if err == nil {
		err = c.dialect.awaitActs(ctx, c.database, func() error { return nil })
	}
	var late []string
	if err == nil {
		late, err = c.queryBounded(ctx, selectMembers, a)
	}
	if err != nil || len(late) == 0 {
		return ended, err
	}
	more, err := c.endOnce(ctx, a, func(context.Context, gorm.ConnPool) error { return nil })
	ended.Revoked += more.Revoked
	ended.ClientIDs = append(ended.ClientIDs, more.ClientIDs...)
	slices.Sort(ended.ClientIDs)
	ended.ClientIDs = slices.Compact(ended.ClientIDs)
	return ended, err
}

func sessionArguments(end oauthkit.SessionEnd) arguments {
	notice := noted(end.Revocation, oauthkit.NoticeSessionEnded)
	if notice == nil {
		notice = &noticeArguments{}
	}
	notice.session, notice.keep, notice.keepAll = end.ID, end.Keep, end.KeepAll
	return arguments{subject: end.Subject, hash: end.BrowserHash, now: end.Now, notice: notice}
}

// endOnce ends the Authorizations that it sees, in one transaction that begins with
// another act. It has a deadline of its own, because ctx may have none.
func (c *Credentials) endOnce(
	ctx context.Context, a arguments, begin func(ctx context.Context, tx gorm.ConnPool) error,
) (ended oauthkit.SessionEndResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	err = c.inTransaction(ctx, func(tx gorm.ConnPool) error {
		ended = oauthkit.SessionEndResult{}
		if err := begin(ctx, tx); err != nil {
			return err
		}
		err := c.queryRows(ctx, tx, endMembers, a, func(scan func(...any) error) error {
			var clientID string
			var revoked bool
			err := scan(&clientID, &revoked)
			ended.ClientIDs = append(ended.ClientIDs, clientID)
			if revoked {
				ended.Revoked++
			}
			return err
		})
		slices.Sort(ended.ClientIDs)
		ended.ClientIDs = slices.Compact(ended.ClientIDs)
		if err != nil || a.notice.receivers == "" || len(ended.ClientIDs) == 0 {
			return err
		}
		list, err := json.Marshal(ended.ClientIDs)
		if err != nil {
			return err
		}
		noting := a
		noting.ids = string(list)
		_, err = c.execute(ctx, tx, noteSession, noting)
		return err
	})
	return ended, err
}
