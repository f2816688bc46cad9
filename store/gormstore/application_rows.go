package gormstore

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/oauthkit/oauthkit"
)

// applicationRows is the table of applications with the columns of the host's type.
type applicationRows struct {
	*database
	schema *schema.Schema
	model  any // a zero application
	// selectOne is GORM's statement for one application, including conditions of the
	// host's type such as soft deletion. It is built once because almost every request
	// needs it.
	selectOne string
	finder    *finder // nil if only GORM can read the host's type
}

// newApplicationRows reads the columns from the type of model, a pointer to a zero
// application.
func newApplicationRows(d *database, model any) (*applicationRows, error) {
	if err := checkEmbedding(reflect.TypeOf(model).Elem()); err != nil {
		return nil, err
	}
	statement := &gorm.Statement{DB: d.db}
	if err := statement.ParseWithSpecialTableName(model, d.prefix+"applications"); err != nil {
		return nil, fmt.Errorf("gormstore: GORM cannot store the application type %T: %w", model, err)
	}
	t := &applicationRows{database: d, schema: statement.Schema, model: model}
	if err := t.checkModel(); err != nil {
		return nil, err
	}
	dry := d.db.Session(&gorm.Session{DryRun: true}).Table(d.prefix+"applications").Where("client_id = ?", "").Find(model)
	if dry.Error != nil {
		return nil, dry.Error
	}
	t.selectOne = dry.Statement.SQL.String()
	t.finder = t.newFinder()
	return t, nil
}

// toPrimary is the setting that makes GORM's plug-in for replicas read from the primary.
const toPrimary = "gorm:db_resolver:write"

// query begins a query of applications at the primary. A replica could still have the
// previous secret of an application.
func (t *applicationRows) query(ctx context.Context) *gorm.DB {
	return t.db.WithContext(ctx).Table(t.schema.Table).Set(toPrimary, struct{}{})
}

// change executes run in a transaction on the table. It may execute run several times.
func (t *applicationRows) change(ctx context.Context, run func(tx *gorm.DB) error) error {
	return t.attempt(ctx, true, func() error { return t.query(ctx).Transaction(run, t.dialect.transactionOptions()...) })
}

// at returns tx with now as the time that GORM writes to columns such as updated_at.
func at(tx *gorm.DB, now time.Time) *gorm.DB {
	now = now.UTC().Truncate(time.Microsecond)
	return tx.Session(&gorm.Session{NowFunc: func() time.Time { return now }})
}

// abstractColumns returns the columns of AbstractApplication, which the migrations
// create.
func (t *applicationRows) abstractColumns() ([]string, error) {
	statement := &gorm.Statement{DB: t.db}
	if err := statement.ParseWithSpecialTableName(&oauthkit.AbstractApplication{}, t.prefix+"applications"); err != nil {
		return nil, err
	}
	return statement.Schema.DBNames, nil
}

// addColumns adds the missing columns of the host's type.
func (t *applicationRows) addColumns(tx *gorm.DB) error {
	existing, err := t.queryStrings(tx.Statement.Context, tx.Statement.ConnPool, t.dialect.applicationColumns, arguments{})
	if err != nil {
		return err
	}
	if len(existing) == 0 {
		return errNoApplications
	}
	for _, field := range t.missing(existing) {
		if err := t.addColumn(tx, field); err != nil {
			return fmt.Errorf("adding the column %s to the applications: %w", field.DBName, err)
		}
		if err := t.fillColumn(tx, field); err != nil {
			return fmt.Errorf("filling the column %s of the applications: %w", field.DBName, err)
		}
	}
	return nil
}

// addIndices adds the missing indices of the host's type. The table is locked.
func (t *applicationRows) addIndices(tx *gorm.DB) error {
	for _, index := range t.hostIndices() {
		if tx.Table(t.schema.Table).Migrator().HasIndex(t.model, index.Name) {
			continue
		}
		statement, err := t.createIndex(index)
		if err != nil {
			return err
		}
		if err := tx.Exec(stripConcurrently(statement)).Error; err != nil {
			return t.indexFailed(index, err)
		}
	}
	return nil
}

// createIndex returns the statement that creates an index of the host's type.
func (t *applicationRows) createIndex(index *schema.Index) (string, error) {
	recorder, tx := t.recording()
	if err := tx.Table(t.schema.Table).Migrator().CreateIndex(t.model, index.Name); err != nil {
		return "", err
	}
	return strings.Join(recorder.statements, ";\n"), nil
}

// indexFailed describes why an index of the host's type could not be created.
func (t *applicationRows) indexFailed(index *schema.Index, err error) error {
	if t.isDuplicate(err) {
		return fmt.Errorf("the index %s is unique, but several applications have the same value in %s: set distinct values in a function "+
			"passed to Migrate, or drop the column if it exists and make the field a pointer, so that missing values are NULL: %w", index.Name, columnsOf(index), err)
	}
	return fmt.Errorf("adding the index %s to the applications: %w", index.Name, err)
}

// isDue reports whether a column or an index of the host's type is missing, or a column
// is not filled.
func (t *applicationRows) isDue(ctx context.Context, done []string) (bool, error) {
	existing, err := t.queryStrings(ctx, t.pool(), t.dialect.applicationColumns, arguments{})
	if err != nil {
		return false, err
	}
	unfilled := func(mark string) bool { return strings.HasPrefix(mark, unfilled) }
	if len(existing) == 0 || len(t.missing(existing)) > 0 || slices.ContainsFunc(done, unfilled) {
		return true, nil
	}
	indices, err := t.queryStrings(ctx, t.pool(), t.dialect.applicationIndices, arguments{})
	if err != nil {
		return false, err
	}
	absent := func(index *schema.Index) bool { return !slices.Contains(indices, index.Name) }
	return slices.ContainsFunc(t.hostIndices(), absent), nil
}

// missing returns the fields of the host's type without a column.
func (t *applicationRows) missing(existing []string) []*schema.Field {
	var missing []*schema.Field
	for _, name := range t.schema.DBNames {
		field := t.schema.FieldsByDBName[name]
		if !slices.Contains(existing, name) && !field.IgnoreMigration {
			missing = append(missing, field)
		}
	}
	return missing
}

// addColumn adds the column of a field. If the tag has no default, the column is
// nullable even with the tag "not null", because a database cannot add a NOT NULL
// column without a default to a table with rows.
func (t *applicationRows) addColumn(tx *gorm.DB, field *schema.Field) error {
	column := *field
	column.NotNull = field.NotNull && field.HasDefaultValue
	return tx.Exec("ALTER TABLE ? ADD ? ?", clause.Table{Name: t.schema.Table}, clause.Column{Name: field.DBName},
		tx.Migrator().FullDataTypeOf(&column)).Error
}

// fillColumn sets the column of existing applications to the field's zero value, which
// the host's queries expect.
func (t *applicationRows) fillColumn(tx *gorm.DB, field *schema.Field) error {
	zero, _ := field.ValueOf(tx.Statement.Context, reflect.New(t.schema.ModelType))
	if reflect.ValueOf(zero).Kind() == reflect.Pointer {
		return nil
	}
	column := clause.Column{Name: field.DBName}
	return tx.Exec("UPDATE ? SET ? = ? WHERE ? IS NULL", clause.Table{Name: t.schema.Table}, column, zero, column).Error
}

// hostIndices returns the indices in the tags of the host's fields. The migrations
// create those of AbstractApplication.
func (t *applicationRows) hostIndices() []*schema.Index {
	return slices.DeleteFunc(t.schema.ParseIndexes(), func(index *schema.Index) bool {
		return index.Name == "" || slices.ContainsFunc(index.Fields, func(option schema.IndexOption) bool { return option.DBName == "user_id" })
	})
}

// recorder records statements instead of executing them.
type recorder struct {
	gorm.ConnPool
	statements []string
}

// ExecContext implements [gorm.ConnPool].
func (r *recorder) ExecContext(_ context.Context, statement string, _ ...any) (sql.Result, error) {
	r.statements = append(r.statements, statement)
	return nothing{}, nil
}

// nothing is the result of a recorded statement.
type nothing struct{}

// LastInsertId implements [sql.Result].
func (nothing) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [sql.Result].
func (nothing) RowsAffected() (int64, error) { return 0, nil }

// recording returns a database that records statements instead of executing them.
func (t *applicationRows) recording() (*recorder, *gorm.DB) {
	recorder := &recorder{}
	tx := t.db.Session(&gorm.Session{NewDB: true, Context: context.Background()})
	tx.Statement.ConnPool = recorder
	return recorder, tx
}

// extension returns the statements that add the host's own columns and indices to an
// empty table of applications.
func (t *applicationRows) extension() ([]string, error) {
	abstract, err := t.abstractColumns()
	if err != nil {
		return nil, err
	}
	recorder, tx := t.recording()
	for _, field := range t.missing(abstract) {
		if err := t.addColumn(tx, field); err != nil {
			return nil, err
		}
	}
	statements := recorder.statements
	for _, index := range t.hostIndices() {
		statement, err := t.createIndex(index)
		if err != nil {
			return nil, err
		}
		statements = append(statements, stripConcurrently(statement))
	}
	return statements, nil
}
