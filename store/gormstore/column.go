package gormstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// This file reads columns into fields, and writes those that the drivers cannot.

// moment reads a time: a timestamp of PostgreSQL, microseconds since 1970 of SQLite. NULL is the zero time.
type moment struct{ field *time.Time }

// Scan implements [database/sql.Scanner].
func (m moment) Scan(column any) error {
	switch value := column.(type) {
	case nil:
		*m.field = time.Time{}
	case time.Time:
		*m.field = value.UTC()
	case int64:
		*m.field = time.UnixMicro(value).UTC()
	default:
		return fmt.Errorf("gormstore: %T in a column of times", column)
	}
	return nil
}

// words reads a list of scopes. An empty column is nil.
type words struct{ field *oauthkit.Scopes }

// Scan implements [database/sql.Scanner].
func (w words) Scan(column any) error {
	err := w.field.Scan(column)
	if len(*w.field) == 0 {
		*w.field = nil
	}
	return err
}

// document reads and writes a value as JSON. A nil value is written as null, and null and an empty object are
// read as nil without a parser, since most rows hold no more.
type document[T any] struct{ field *T }

// Value implements [driver.Valuer].
func (d document[T]) Value() (driver.Value, error) {
	text, err := json.Marshal(d.field)
	return string(text), err
}

// Scan implements [database/sql.Scanner].
func (d document[T]) Scan(column any) error {
	switch value := column.(type) {
	case string:
		if value == "null" || value == "{}" {
			var none T
			*d.field = none
			return nil
		}
		return json.Unmarshal([]byte(value), d.field)
	case []byte:
		return json.Unmarshal(value, d.field)
	default:
		return fmt.Errorf("gormstore: %T in a column of JSON", column)
	}
}

// bytesOrNull writes no bytes as NULL.
func bytesOrNull(value []byte) any {
	if len(value) == 0 {
		return nil
	}
	return value
}
