package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
)

// useApplication learns the columns of the host's application from a pointer to a zero one.
func (d *database) useApplication(model any) error {
	statement := &gorm.Statement{DB: d.db}
	if err := statement.ParseWithSpecialTableName(model, d.prefix+"applications"); err != nil {
		return fmt.Errorf("gormstore: GORM cannot store the application's type %T: %w", model, err)
	}
	if statement.Schema.FieldsByDBName["client_id"] == nil {
		return fmt.Errorf("gormstore: the application's type %T has no column client_id", model)
	}
	for _, field := range statement.Schema.Fields {
		if field.Unique {
			return fmt.Errorf("gormstore: the field %s of %T is tagged unique, which cannot be added to a table; use uniqueIndex", field.Name, model)
		}
	}
	d.model, d.application = model, statement.Schema
	if err := d.checkHidden(); err != nil {
		return err
	}
	dry := d.db.Session(&gorm.Session{DryRun: true}).Table(d.prefix+"applications").Where("client_id = ?", "").Find(model)
	d.selectApplication = dry.Statement.SQL.String()
	return dry.Error
}

// checkHidden refuses a field of the host's that takes a column of AbstractApplication away from it: what is stored in it would
// not be what the library asks, such as whether the application is disabled.
func (d *database) checkHidden() error {
	if app, ok := d.model.(oauthkit.Application); !ok || oauthkit.Abstract(app) == nil || d.application.ModelType == reflect.TypeFor[oauthkit.AbstractApplication]() {
		return nil
	}
	columns, err := d.abstractColumns()
	if err != nil {
		return err
	}
	for _, column := range columns {
		field := d.application.FieldsByDBName[column]
		if at := len(field.BindNames) - 2; at < 0 || field.BindNames[at] != "AbstractApplication" {
			return fmt.Errorf("gormstore: the field %s of %T has the column %s, which is AbstractApplication's; give it another", field.Name, d.model, column)
		}
	}
	return nil
}

// abstractColumns returns the columns that the migrations make: those of AbstractApplication.
func (d *database) abstractColumns() ([]string, error) {
	statement := &gorm.Statement{DB: d.db}
	if err := statement.ParseWithSpecialTableName(&oauthkit.AbstractApplication{}, d.prefix+"applications"); err != nil {
		return nil, err
	}
	return statement.Schema.DBNames, nil
}

// extendApplications adds what the host's application has and the table has not.
func (d *database) extendApplications(tx *gorm.DB) error {
	existing, err := d.ids(tx.Statement.Context, tx.Statement.ConnPool, d.dialect.applicationColumns())
	if err != nil {
		return err
	}
	if len(existing) == 0 {
		return errors.New("the table of applications is gone")
	}
	for _, field := range d.missing(existing) {
		if err := d.addColumn(tx, field); err != nil {
			return fmt.Errorf("adding the column %s to the applications: %w", field.DBName, err)
		}
		if err := d.fillColumn(tx, field); err != nil {
			return fmt.Errorf("filling the column %s of the applications: %w", field.DBName, err)
		}
	}
	migrator := tx.Table(d.application.Table).Migrator()
	for _, name := range d.hostIndices() {
		if migrator.HasIndex(d.model, name) {
			continue
		}
		if err := migrator.CreateIndex(d.model, name); err != nil {
			return fmt.Errorf("adding the index %s to the applications: %w", name, err)
		}
	}
	return nil
}

// missing returns the fields of the host's application that are no column yet.
func (d *database) missing(existing []string) []*schema.Field {
	var missing []*schema.Field
	for _, name := range d.application.DBNames {
		field := d.application.FieldsByDBName[name]
		if !slices.Contains(existing, name) && !field.IgnoreMigration {
			missing = append(missing, field)
		}
	}
	return missing
}

// addColumn adds a field's column. Without a default in the field's tag it may be NULL, even where the tag says that it may
// not: no database adds another one to a table that has rows.
func (d *database) addColumn(tx *gorm.DB, field *schema.Field) error {
	column := *field
	column.NotNull = field.NotNull && field.HasDefaultValue
	return tx.Exec("ALTER TABLE ? ADD ? ?", clause.Table{Name: d.application.Table}, clause.Column{Name: field.DBName},
		tx.Migrator().FullDataTypeOf(&column)).Error
}

// fillColumn gives the applications that there are the field's zero value, by which the host's queries will look for it.
func (d *database) fillColumn(tx *gorm.DB, field *schema.Field) error {
	zero, _ := field.ValueOf(tx.Statement.Context, reflect.New(d.application.ModelType))
	if reflect.ValueOf(zero).Kind() == reflect.Pointer {
		return nil
	}
	column := clause.Column{Name: field.DBName}
	return tx.Exec("UPDATE ? SET ? = ? WHERE ? IS NULL", clause.Table{Name: d.application.Table}, column, zero, column).Error
}

// hostIndices returns the names of the indices in the tags of the host's own fields. Those of AbstractApplication are part
// of the migrations.
func (d *database) hostIndices() []string {
	var names []string
	for _, index := range d.application.ParseIndexes() {
		if index.Name != "" && !slices.ContainsFunc(index.Fields, func(option schema.IndexOption) bool { return option.DBName == "user_id" }) {
			names = append(names, index.Name)
		}
	}
	return names
}

// recorder is a database that executes nothing and remembers what it was told to.
type recorder struct {
	gorm.ConnPool
	statements []string
}

// ExecContext implements [gorm.ConnPool].
func (r *recorder) ExecContext(_ context.Context, statement string, _ ...any) (sql.Result, error) {
	r.statements = append(r.statements, statement)
	return nothing{}, nil
}

// nothing is the result of what was not executed.
type nothing struct{}

// LastInsertId implements [sql.Result].
func (nothing) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [sql.Result].
func (nothing) RowsAffected() (int64, error) { return 0, nil }

// extension returns the statements that extend a table of applications without rows by the host's own columns and indices.
func (d *database) extension() ([]string, error) {
	abstract, err := d.abstractColumns()
	if err != nil {
		return nil, err
	}
	recorder := &recorder{}
	tx := d.db.Session(&gorm.Session{NewDB: true, Context: context.Background()})
	tx.Statement.ConnPool = recorder
	for _, field := range d.missing(abstract) {
		if err := d.addColumn(tx, field); err != nil {
			return nil, err
		}
	}
	for _, name := range d.hostIndices() {
		if err := tx.Table(d.application.Table).Migrator().CreateIndex(d.model, name); err != nil {
			return nil, err
		}
	}
	return recorder.statements, nil
}
