package gormstore

import (
	"time"

	"github.com/oauthkit/oauthkit"
)

// arguments are the arguments of a statement, which sets those that it names.
type arguments struct {
	hash, successor                  string // of a credential or an Interaction
	id, clientID, subject, consentID string
	name, value                      string
	ids                              string // a JSON array
	consentUse                       string
	now                              time.Time
	before, kept                     time.Time // of Cleanup
	limit                            int
	lock                             int64
	sealed                           []byte
	window                           time.Duration // in which the sealed response can be repeated

	authorization *oauthkit.Authorization
	code          *oauthkit.AuthorizationCode
	access        *oauthkit.AccessToken
	refresh       *oauthkit.RefreshToken
	consent       *oauthkit.Consent
	interaction   *oauthkit.Interaction
	key           *oauthkit.SigningKey
	scope         *Scope
}

// parameter returns the value of a named argument as it is stored. It takes the
// arguments by value: then a call of a statement does not allocate them.
type parameter func(d *database, a arguments) any

// parameters are the names that a statement can have after "@", with the columns of
// tables.
type parameters struct {
	named   map[string]parameter
	columns map[string][]string // the columns of a row, by its name
}

// newParameters returns all of them. A row that is nil has NULL in each of its columns.
func newParameters(t tables) parameters {
	p := parameters{
		named: map[string]parameter{
			"hash":         func(_ *database, a arguments) any { return a.hash },
			"successor":    func(_ *database, a arguments) any { return a.successor },
			"id":           func(_ *database, a arguments) any { return a.id },
			"client_id":    func(_ *database, a arguments) any { return a.clientID },
			"subject":      func(_ *database, a arguments) any { return a.subject },
			"consent_id":   func(_ *database, a arguments) any { return a.consentID },
			"name":         func(_ *database, a arguments) any { return a.name },
			"value":        func(_ *database, a arguments) any { return a.value },
			"ids":          func(_ *database, a arguments) any { return a.ids },
			"consent_use":  func(_ *database, a arguments) any { return a.consentUse },
			"now":          func(d *database, a arguments) any { return d.stamp(a.now) },
			"before":       func(d *database, a arguments) any { return d.stamp(a.before) },
			"kept":         func(d *database, a arguments) any { return d.stamp(a.kept) },
			"limit":        func(_ *database, a arguments) any { return a.limit },
			"lock":         func(_ *database, a arguments) any { return a.lock },
			"sealed":       func(_ *database, a arguments) any { return bytesOrNull(a.sealed) },
			"sealed_until": func(d *database, a arguments) any { return d.stamp(a.now.Add(a.window)) },
			"window":       func(_ *database, a arguments) any { return windowOrNull(a) },
		},
		columns: map[string][]string{},
	}
	addRow(p, "authorization", t.authorizations, func(a arguments) *oauthkit.Authorization { return a.authorization })
	addRow(p, "code", t.codes, func(a arguments) *oauthkit.AuthorizationCode { return a.code })
	addRow(p, "access", t.accessTokens, func(a arguments) *oauthkit.AccessToken { return a.access })
	addRow(p, "refresh", t.refreshTokens, func(a arguments) *oauthkit.RefreshToken { return a.refresh })
	addRow(p, "consent", t.consents, func(a arguments) *oauthkit.Consent { return a.consent })
	addRow(p, "interaction", t.interactions, func(a arguments) *oauthkit.Interaction { return a.interaction })
	addRow(p, "key", t.signingKeys, func(a arguments) *oauthkit.SigningKey { return a.key })
	addRow(p, "scope", t.scopes, func(a arguments) *Scope { return a.scope })
	return p
}

// addRow adds the columns of a row, each as "row.column".
func addRow[T any](p parameters, name string, columns columns[T], row func(a arguments) *T) {
	for _, column := range columns {
		p.columns[name] = append(p.columns[name], column.name)
		p.named[name+"."+column.name] = func(d *database, a arguments) any {
			if row := row(a); row != nil {
				return column.value(d, row)
			}
			return nil
		}
	}
}

// windowOrNull returns microseconds, or NULL if nothing is sealed.
func windowOrNull(a arguments) any {
	if len(a.sealed) == 0 {
		return nil
	}
	return a.window.Microseconds()
}

// bytesOrNull returns NULL for no bytes.
func bytesOrNull(value []byte) any {
	if len(value) == 0 {
		return nil
	}
	return value
}

// tables are the columns of the tables whose rows are read or written as a whole.
type tables struct {
	authorizations columns[oauthkit.Authorization]
	codes          columns[oauthkit.AuthorizationCode]
	accessTokens   columns[oauthkit.AccessToken]
	refreshTokens  columns[oauthkit.RefreshToken]
	consents       columns[oauthkit.Consent]
	interactions   columns[oauthkit.Interaction]
	signingKeys    columns[oauthkit.SigningKey]
	scopes         columns[Scope]
}

func newTables() tables {
	return tables{
		authorizationColumns(), codeColumns(), accessTokenColumns(), refreshTokenColumns(),
		consentColumns(), interactionColumns(), signingKeyColumns(), scopeColumns(),
	}
}
