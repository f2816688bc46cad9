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

// isDuplicate reports whether err is the violation of a unique index.
func (d *database) isDuplicate(err error) bool {
	translator, ok := d.db.Dialector.(gorm.ErrorTranslator)
	return err != nil && ok && errors.Is(translator.Translate(err), gorm.ErrDuplicatedKey)
}

// uniqueProblems returns [oauthkit.Problems] for the fields whose values another
// application has, if err is the violation of a unique index. Otherwise it returns err.
// Call it after the transaction, since PostgreSQL refuses further statements within it.
func (t *applicationRows) uniqueProblems(ctx context.Context, app oauthkit.Application, err error) error {
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

// isTaken reports whether another application, possibly one that the host's type hides,
// has the values of app in a unique index.
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

// whereSame selects rows that have the value of app in one part of an index, a column
// or an expression. The UNION with an empty selection of the column gives the value the
// column's type. NULL equals nothing, as in the index.
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

// fieldName returns the name of a field in problems: its JSON name or else its column
// name.
func fieldName(field *schema.Field) string {
	if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return field.DBName
}

// columnsOf returns the columns of an index as text.
func columnsOf(index *schema.Index) string {
	names := make([]string, len(index.Fields))
	for i, option := range index.Fields {
		names[i] = option.DBName
	}
	return strings.Join(names, ", ")
}
