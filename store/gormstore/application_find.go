package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// finder reads one application, as almost every request does. GORM's own way allocates
// several values for each column; a finder reads texts, truth values and values with a
// Scan method into the fields of the application.
type finder struct {
	text   string // selects the columns of the fields, in their order
	fields []found
}

// found is a field of an application and the way to read it.
type found struct {
	*schema.Field
	kind readKind
}

// readKind is a way to read a field.
type readKind int

const (
	readByGORM readKind = iota // any type, NULL included
	readText
	readBool
	readByScan
)

// newFinder returns nil if only GORM can read the type: it has a hook AfterFind, or a
// field with a serializer.
func (t *applicationRows) newFinder() *finder {
	if t.schema.AfterFind {
		return nil
	}
	f := &finder{}
	var columns []string
	for _, field := range t.schema.Fields {
		if field.DBName == "" || !field.Readable {
			continue
		}
		if field.Serializer != nil {
			return nil
		}
		columns = append(columns, field.DBName)
		f.fields = append(f.fields, found{field, kindOf(field.FieldType)})
	}
	dry := t.db.Session(&gorm.Session{DryRun: true}).Table(t.schema.Table).Select(columns).Where("client_id = ?", "").Find(t.model)
	if dry.Error != nil {
		return nil
	}
	f.text = dry.Statement.SQL.String()
	return f
}

// kindOf returns the way to read a field of a type. A Scan method is used if it accepts
// NULL, which GORM would not pass to it.
func kindOf(field reflect.Type) readKind {
	if scanner, ok := reflect.New(field).Interface().(sql.Scanner); ok {
		if scanner.Scan(nil) == nil {
			return readByScan
		}
		return readByGORM
	}
	switch field.Kind() {
	case reflect.String:
		return readText
	case reflect.Bool:
		return readBool
	default:
		return readByGORM
	}
}

// find reads the application with this client_id into the struct app, and reports whether
// there is one.
func (f *finder) find(ctx context.Context, pool gorm.ConnPool, clientID string, app reflect.Value) (bool, error) {
	destinations := make([]any, len(f.fields))
	for i, field := range f.fields {
		destinations[i] = field.destination(ctx, app)
	}
	err := pool.QueryRowContext(ctx, f.text, clientID).Scan(destinations...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	for i, field := range f.fields {
		if field.kind != readByGORM {
			continue
		}
		if err == nil {
			err = field.Set(ctx, app, destinations[i])
		}
		field.NewValuePool.Put(destinations[i])
	}
	return err == nil, err
}

// destination returns the argument for Scan.
func (f found) destination(ctx context.Context, app reflect.Value) any {
	if f.kind == readByGORM {
		return f.NewValuePool.Get()
	}
	pointer := f.ReflectValueOf(ctx, app).Addr()
	switch f.kind {
	case readText:
		return textField{pointer.Convert(reflect.TypeFor[*string]()).Interface().(*string)}
	case readBool:
		return boolField{pointer.Convert(reflect.TypeFor[*bool]()).Interface().(*bool)}
	default:
		return pointer.Interface()
	}
}

// textField reads a text. NULL is the empty text, as with GORM.
type textField struct{ field *string }

// Scan implements [database/sql.Scanner].
func (t textField) Scan(column any) error {
	switch text := column.(type) {
	case nil:
		*t.field = ""
	case string:
		*t.field = text
	case []byte:
		*t.field = string(text)
	default:
		return fmt.Errorf("gormstore: cannot read a text from %T", column)
	}
	return nil
}

// boolField reads a truth value. NULL is false, as with GORM.
type boolField struct{ field *bool }

// Scan implements [database/sql.Scanner].
func (b boolField) Scan(column any) error {
	switch value := column.(type) {
	case nil:
		*b.field = false
	case bool:
		*b.field = value
	case int64:
		*b.field = value != 0
	default:
		return fmt.Errorf("gormstore: cannot read a truth value from %T", column)
	}
	return nil
}
