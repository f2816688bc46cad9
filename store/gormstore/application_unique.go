package gormstore

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
)

// isDuplicate reports whether the database has refused a second row with the same value of a unique column.
func (d *database) isDuplicate(err error) bool {
	translator, ok := d.db.Dialector.(gorm.ErrorTranslator)
	return err != nil && ok && errors.Is(translator.Translate(err), gorm.ErrDuplicatedKey)
}

// refused returns the [oauthkit.Problems] at whose fields app has what another application has already, if that is why the
// database has refused app; otherwise it returns err. The change is undone by then: within it PostgreSQL answers nothing more.
func (t *applicationRows) refused(ctx context.Context, app oauthkit.Application, err error) error {
	if !t.isDuplicate(err) {
		return err
	}
	var problems oauthkit.Problems
	for _, index := range t.hostIndices() {
		if index.Class != "UNIQUE" {
			continue
		}
		taken, failure := t.isTaken(ctx, app, index)
		if failure != nil {
			return errors.Join(err, failure)
		}
		if taken {
			for _, option := range index.Fields {
				problems.Add(fieldName(option.Field), "is used by another application")
			}
		}
	}
	if len(problems) == 0 {
		return err
	}
	return problems
}

// isTaken reports whether another application, be it one that the host hides, has the values that app has in a unique index.
func (t *applicationRows) isTaken(ctx context.Context, app oauthkit.Application, index *schema.Index) (bool, error) {
	query := t.query(ctx).Where("client_id <> ?", app.GetID())
	if index.Where != "" {
		query = query.Where(index.Where)
	}
	for _, option := range index.Fields {
		query = t.whereSame(query, option, app)
	}
	var others int64
	err := query.Count(&others).Error
	return others > 0, err
}

// whereSame asks for rows that have in a part of an index, a column or an expression of it, what app has there. Beside the column,
// none of whose rows are taken, the value of app gets the column's type. NULL is the same as nothing, as in the index.
func (t *applicationRows) whereSame(query *gorm.DB, part schema.IndexOption, app oauthkit.Application) *gorm.DB {
	value, _ := part.ValueOf(query.Statement.Context, reflect.ValueOf(app))
	column := clause.Column{Name: part.DBName}
	var indexed any = column
	if part.Expression != "" {
		indexed = clause.Expr{SQL: part.Expression}
	}
	condition := "? = (SELECT ? FROM (SELECT ? FROM ? WHERE 1 = 0 UNION ALL SELECT ?) AS own)"
	if part.Collate != "" {
		condition += " COLLATE " + part.Collate
	}
	return query.Where(condition, indexed, indexed, column, clause.Table{Name: t.schema.Table}, value)
}

// fieldName returns the name by which problems name a field: in JSON where its tag says one, otherwise that of its column.
func fieldName(field *schema.Field) string {
	if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return field.DBName
}

// columnsOf returns the columns of an index, for people.
func columnsOf(index *schema.Index) string {
	names := make([]string, len(index.Fields))
	for i, option := range index.Fields {
		names[i] = option.DBName
	}
	return strings.Join(names, ", ")
}
