package gormstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/oauthkit/oauthkit"
)

func noticeColumns() columns[oauthkit.Notice] {
	type row = oauthkit.Notice
	return columns[row]{
		plain("id", func(r *row) *string { return &r.ID }),
		plain("receiver", func(r *row) *string { return &r.Receiver }),
		{
			name:  "kind",
			value: func(_ *database, r *row) any { return string(r.Kind) },
			field: func(r *row) any { return (*string)(&r.Kind) },
		},
		plain("client_id", func(r *row) *string { return &r.ClientID }),
		plain("subject", func(r *row) *string { return &r.Subject }),
		plain("session_id", func(r *row) *string { return &r.SessionID }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		plain("attempts", func(r *row) *int { return &r.Attempts }),
		moment("due_at", func(r *row) *time.Time { return &r.DueAt }),
	}
}

// noticeArguments are the arguments of statements about notices and sessions.
type noticeArguments struct {
	receivers string // a JSON array
	kind      oauthkit.NoticeKind
	session   string // the sid
	keep      string // the scope of Authorizations that a session keeps
	keepAll   bool
	until     time.Time
	attempts  int
}

// noted returns the arguments of an act that saves notices of a kind. It returns nil if
// there is no receiver.
func noted(revocation oauthkit.Revocation, kind oauthkit.NoticeKind) *noticeArguments {
	if len(revocation.Receivers) == 0 {
		return nil
	}
	list, err := json.Marshal(revocation.Receivers)
	if err != nil { // impossible for a list of texts
		list = []byte("[]")
	}
	return &noticeArguments{receivers: string(list), kind: kind}
}

// A notice about the same as an older one replaces it, under another id, so that the end
// of the older delivery does not remove it. The columns client_id, subject and session_id
// of the rows about stand between these two. Every act locks the rows of notices last and
// in this order, so that none waits for each other.
const (
	insertNotices = `INSERT INTO {notices} ([notice])
	SELECT gen_random_uuid()::text, receiver.value, @kind::text, about.client_id, about.subject, about.session_id,
		@now::timestamptz, 0, @now::timestamptz
	FROM `
	forReceivers = ` AS about CROSS JOIN json_array_elements_text(@receivers::text::json) AS receiver (value)
	ORDER BY receiver.value, about.client_id, about.subject, about.session_id
	ON CONFLICT (receiver, client_id, subject, session_id) DO UPDATE SET
		id = excluded.id, kind = excluded.kind, created_at = excluded.created_at, attempts = 0, due_at = excluded.due_at`

	// noteConsent is about the sessions @ids of a user at an application.
	noteConsent = insertNotices + `(SELECT @client_id::text AS client_id, @subject::text AS subject, listed.value AS session_id
		FROM json_array_elements_text(@ids::text::json) AS listed (value))` + forReceivers
	// noteSession is about a session at the applications @ids.
	noteSession = insertNotices + `(SELECT listed.value AS client_id, @subject::text AS subject, @session::text AS session_id
		FROM json_array_elements_text(@ids::text::json) AS listed (value))` + forReceivers

	// These are about an Authorization, and about those of a batch.
	aboutOne  = `SELECT client_id, subject, session_id FROM `
	aboutAll  = `SELECT DISTINCT client_id, subject, session_id FROM `
	ofSession = ` AND subject <> '' AND session_id <> ''`
	ofAnyUser = ` AND subject <> ''`
)

const (
	claimNotices = `WITH due AS (
	SELECT id FROM {notices} WHERE receiver = @name AND due_at <= @now ORDER BY due_at LIMIT @limit FOR UPDATE SKIP LOCKED
) UPDATE {notices} SET attempts = attempts + 1, due_at = @until WHERE id IN (SELECT id FROM due) RETURNING [notice]`
	removeNotice   = `DELETE FROM {notices} WHERE id = @id`
	postponeNotice = `UPDATE {notices} SET due_at = @until WHERE id = @id AND attempts = @attempts`
)

// ClaimNotices implements [oauthkit.NoticeStore].
func (c *Credentials) ClaimNotices(ctx context.Context, claim oauthkit.NoticeClaim) ([]*oauthkit.Notice, error) {
	if claim.Limit <= 0 {
		return nil, storeError("claiming notices", ctx.Err())
	}
	var claimed []*oauthkit.Notice
	a := arguments{name: claim.Receiver, now: claim.Now, limit: claim.Limit, notice: &noticeArguments{until: claim.Until}}
	err := c.queryRows(ctx, c.pool(), claimNotices, a, func(scan func(...any) error) error {
		notice := &oauthkit.Notice{}
		claimed = append(claimed, notice)
		return scan(c.tables.notices.fields(make([]any, 0, maxFields), notice)...)
	})
	if err != nil {
		return nil, storeError("claiming notices", err)
	}
	return claimed, nil
}

// RemoveNotice implements [oauthkit.NoticeStore].
func (c *Credentials) RemoveNotice(ctx context.Context, id string) error {
	_, err := c.execute(ctx, c.pool(), removeNotice, arguments{id: id})
	return storeError("removing a notice", err)
}

// PostponeNotice implements [oauthkit.NoticeStore].
func (c *Credentials) PostponeNotice(ctx context.Context, id string, attempts int, due time.Time) error {
	a := arguments{id: id, notice: &noticeArguments{until: due, attempts: attempts}}
	_, err := c.execute(ctx, c.pool(), postponeNotice, a)
	return storeError("postponing a notice", err)
}
