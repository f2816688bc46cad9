package gormstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// columns are columns of a table whose rows are read into a T and written from one. A
// statement names all of them at once, as [database.prepare] describes.
type columns[T any] []column[T]

// column is one of them.
type column[T any] struct {
	name  string
	value func(d *database, row *T) any // written to the column
	field func(row *T) any              // filled by Scan
	// known means that one row is found by the column. Its value is then not read,
	// because each column of a result costs allocations.
	known bool
}

// fields appends a field of row for each column.
func (c columns[T]) fields(fields []any, row *T) []any {
	for _, column := range c {
		fields = append(fields, column.field(row))
	}
	return fields
}

// rest appends a field of row for each column that is not known.
func (c columns[T]) rest(fields []any, row *T) []any {
	for _, column := range c {
		if !column.known {
			fields = append(fields, column.field(row))
		}
	}
	return fields
}

// known is a text column by which rows are found.
func known[T any](name string, field func(row *T) *string) column[T] {
	found := plain(name, field)
	found.known = true
	return found
}

// plain is a column that the drivers read and write.
func plain[T any, V string | int | bool | []byte](name string, field func(row *T) *V) column[T] {
	return column[T]{
		name:  name,
		value: func(_ *database, row *T) any { return *field(row) },
		field: func(row *T) any { return field(row) },
	}
}

// uris is a column of URIs.
func uris[T any](name string, field func(row *T) *oauthkit.URIs) column[T] {
	return column[T]{
		name:  name,
		value: func(_ *database, row *T) any { return field(row).String() },
		field: func(row *T) any { return field(row) },
	}
}

// scopes is a column of scopes. An empty one is read as nil.
func scopes[T any](name string, field func(row *T) *oauthkit.Scopes) column[T] {
	return column[T]{
		name:  name,
		value: func(_ *database, row *T) any { return field(row).String() },
		field: func(row *T) any { return scopeList{field(row)} },
	}
}

// moment is a column of times.
func moment[T any](name string, field func(row *T) *time.Time) column[T] {
	return column[T]{
		name:  name,
		value: func(d *database, row *T) any { return d.stamp(*field(row)) },
		field: func(row *T) any { return timestamp{field(row)} },
	}
}

// optionalMoment is a column of times in which NULL is the zero time.
func optionalMoment[T any](name string, field func(row *T) *time.Time) column[T] {
	return column[T]{
		name:  name,
		value: func(d *database, row *T) any { return d.stampOrNull(*field(row)) },
		field: func(row *T) any { return timestamp{field(row)} },
	}
}

// document is a column of JSON.
func document[T, V any](name string, field func(row *T) *V) column[T] {
	return column[T]{
		name:  name,
		value: func(_ *database, row *T) any { return jsonText[V]{field(row)} },
		field: func(row *T) any { return jsonText[V]{field(row)} },
	}
}

// confirmation is a column of Confirmations in which NULL is zero, so that a credential
// without a key costs no allocation.
func confirmation[T any](field func(row *T) *oauthkit.Confirmation) column[T] {
	return column[T]{
		name: "confirmation",
		value: func(_ *database, row *T) any {
			if field(row).IsZero() {
				return nil
			}
			return field(row).String()
		},
		field: func(row *T) any { return field(row) },
	}
}

// timestamp reads a time: a timestamp of PostgreSQL, or microseconds since 1970 of
// SQLite. NULL is the zero time.
type timestamp struct{ field *time.Time }

// Scan implements [database/sql.Scanner].
func (t timestamp) Scan(column any) error {
	switch value := column.(type) {
	case nil:
		*t.field = time.Time{}
	case time.Time:
		*t.field = value.UTC()
	case int64:
		*t.field = time.UnixMicro(value).UTC()
	default:
		return fmt.Errorf("gormstore: cannot read a time from %T", column)
	}
	return nil
}

// scopeList reads scopes.
type scopeList struct{ field *oauthkit.Scopes }

// Scan implements [database/sql.Scanner].
func (s scopeList) Scan(column any) error {
	err := s.field.Scan(column)
	if len(*s.field) == 0 {
		*s.field = nil
	}
	return err
}

// jsonText reads and writes a value as JSON. A nil value is written as null. null and an
// empty object are read as nil without a parser, since most rows hold nothing else.
type jsonText[T any] struct{ field *T }

// Value implements [driver.Valuer].
func (j jsonText[T]) Value() (driver.Value, error) {
	text, err := json.Marshal(j.field)
	return string(text), err
}

// Scan implements [database/sql.Scanner].
func (j jsonText[T]) Scan(column any) error {
	switch value := column.(type) {
	case string:
		if value == "null" || value == "{}" {
			var none T
			*j.field = none
			return nil
		}
		return json.Unmarshal([]byte(value), j.field)
	case []byte:
		return json.Unmarshal(value, j.field)
	default:
		return fmt.Errorf("gormstore: cannot read JSON from %T", column)
	}
}

// authorizationColumns are those of the table except issued_at. It is the time at
// which the first tokens were issued, which consumes a code.
func authorizationColumns() columns[oauthkit.Authorization] {
	type row = oauthkit.Authorization
	return columns[row]{
		plain("id", func(r *row) *string { return &r.ID }),
		plain("client_id", func(r *row) *string { return &r.ClientID }),
		plain("consent_id", func(r *row) *string { return &r.ConsentID }),
		plain("subject", func(r *row) *string { return &r.Subject }),
		scopes("scopes", func(r *row) *oauthkit.Scopes { return &r.Scopes }),
		optionalMoment("auth_time", func(r *row) *time.Time { return &r.AuthTime }),
		plain("acr", func(r *row) *string { return &r.ACR }),
		document("amr", func(r *row) *[]string { return &r.AMR }),
		plain("session_id", func(r *row) *string { return &r.SessionID }),
		document("params", func(r *row) *map[string]string { return &r.Params }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
		optionalMoment("revoked_at", func(r *row) *time.Time { return &r.RevokedAt }),
		uris("resources", func(r *row) *oauthkit.URIs { return &r.Resources }),
	}
}

// readCredential reads the one row of a statement: the rest of the columns of a
// credential, then further fields, then the columns of its Authorization.
func readCredential[T any](
	ctx context.Context, d *database, text, hash string, columns columns[T], row *T, a *oauthkit.Authorization, further ...any,
) error {
	fields := columns.rest(make([]any, 0, maxFields), row)
	fields = d.tables.authorizations.fields(append(fields, further...), a)
	return d.queryRow(ctx, d.pool(), text, arguments{hash: hash}, fields...)
}

// maxFields is the number of fields of a credential together with its Authorization.
const maxFields = 24
