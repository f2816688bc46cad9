package gormstore

import (
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
)

// This file refuses types of applications that would be stored in another way than they say, or not at all.

// checkEmbedding refuses a struct that embeds AbstractApplication through a pointer: in a new application it would be nil.
func checkEmbedding(model reflect.Type) error {
	embedded, ok := model.FieldByName(abstractName)
	if !ok {
		return nil
	}
	at := model
	for _, i := range embedded.Index {
		field := at.Field(i)
		if at = field.Type; at.Kind() == reflect.Pointer {
			return fmt.Errorf("gormstore: the application's type %v embeds %v, a pointer that would be nil in a new application; write %v, without the star",
				model, at, at.Elem())
		}
	}
	return nil
}

// abstractName is the name of the field in which a struct embeds AbstractApplication.
const abstractName = "AbstractApplication"

// checkModel refuses what GORM does with a table that it makes itself, while this one is made by the migrations.
func (t *applicationRows) checkModel() error {
	if t.schema.FieldsByDBName["client_id"] == nil {
		return fmt.Errorf("gormstore: the application's type %T has no column client_id", t.model)
	}
	for _, field := range t.schema.Fields {
		if field.Unique {
			return fmt.Errorf("gormstore: the field %s of %T is tagged unique, which cannot be added to a table; use uniqueIndex", field.Name, t.model)
		}
		if field.PrimaryKey && field.DBName != "client_id" {
			return fmt.Errorf("gormstore: the field %s of %T is a primary key, and the table's is client_id alone: tag that one primaryKey, and %s uniqueIndex; gorm.Model cannot be embedded",
				field.Name, t.model, field.Name)
		}
	}
	if name := t.ownTableName(); name != t.schema.Table {
		return fmt.Errorf("gormstore: the method TableName of %T says %q, and applications are in %q, after Config.TablePrefix: remove the method or have it say the same",
			t.model, name, t.schema.Table)
	}
	return t.checkHidden()
}

// ownTableName returns what the host's type says that its table is called, in either of GORM's two ways. Without a word it is called
// as it is.
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

// checkHidden refuses a field of the host's that takes a column of AbstractApplication away from it: what is stored in it would
// not be what the library asks, such as whether the application is disabled.
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
			return fmt.Errorf("gormstore: the field %s of %T has the column %s, which is AbstractApplication's; give it another", field.Name, t.model, column)
		}
	}
	return nil
}
