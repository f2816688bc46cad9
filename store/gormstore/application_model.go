package gormstore

import (
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
)

// This file refuses types of applications that GORM would store differently than
// declared, or not at all.

// checkEmbedding refuses a struct that embeds a pointer to AbstractApplication, which
// would be nil in a new application.
func checkEmbedding(model reflect.Type) error {
	embedded, ok := model.FieldByName(abstractName)
	if !ok {
		return nil
	}
	at := model
	for _, i := range embedded.Index {
		field := at.Field(i)
		if at = field.Type; at.Kind() == reflect.Pointer {
			return fmt.Errorf("gormstore: the application type %v embeds the pointer %v, which would be nil in a new application; embed %v",
				model, at, at.Elem())
		}
	}
	return nil
}

// abstractName is the name of the field of an embedded AbstractApplication.
const abstractName = "AbstractApplication"

// checkModel refuses tags that work only if GORM creates the table, because the
// migrations create this one.
func (t *applicationRows) checkModel() error {
	if t.schema.FieldsByDBName["client_id"] == nil {
		return fmt.Errorf("gormstore: the application type %T has no column client_id", t.model)
	}
	for _, field := range t.schema.Fields {
		if field.Unique {
			return fmt.Errorf("gormstore: the field %s of %T has the tag unique, which cannot be added to an existing table; use uniqueIndex", field.Name, t.model)
		}
		if field.PrimaryKey && field.DBName != "client_id" {
			return fmt.Errorf("gormstore: the field %s of %T is a primary key, but only client_id can be one: tag client_id primaryKey and %s uniqueIndex; gorm.Model cannot be embedded",
				field.Name, t.model, field.Name)
		}
	}
	if name := t.ownTableName(); name != t.schema.Table {
		return fmt.Errorf("gormstore: the method TableName of %T returns %q, but Config.TablePrefix makes it %q: remove the method or return the same name",
			t.model, name, t.schema.Table)
	}
	return t.checkHidden()
}

// ownTableName returns the table name that the host's type declares in either of GORM's
// two ways, or else the name of the table.
func (t *applicationRows) ownTableName() string {
	switch model := t.model.(type) {
	case schema.Tabler:
		return model.TableName()
	case schema.TablerWithNamer:
		return model.TableName(t.db.NamingStrategy)
	default:
		return t.schema.Table
	}
}

// checkHidden refuses a field of the host's type with a column of AbstractApplication.
// The field would be stored in place of the one that the library reads, for example
// Disabled.
func (t *applicationRows) checkHidden() error {
	if app, ok := t.model.(oauthkit.Application); !ok || oauthkit.Abstract(app) == nil || t.schema.ModelType == reflect.TypeFor[oauthkit.AbstractApplication]() {
		return nil
	}
	columns, err := t.abstractColumns()
	if err != nil {
		return err
	}
	for _, column := range columns {
		field := t.schema.FieldsByDBName[column]
		if at := len(field.BindNames) - 2; at < 0 || field.BindNames[at] != abstractName {
			return fmt.Errorf("gormstore: the field %s of %T has the column %s of AbstractApplication; choose another column", field.Name, t.model, column)
		}
	}
	return nil
}
