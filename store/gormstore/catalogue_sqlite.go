package gormstore

func sqliteCatalogue() catalogue {
	return catalogue{
		migrations: []migration{
			{"0001", []step{{of: ofApplications, statements: firstApplicationsSQLite}, {of: ofCredentials, statements: firstCredentialsSQLite}}},
		},
		hasMigrations:      `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '{migrations}')`,
		applicationColumns: `SELECT name FROM pragma_table_info('{applications}')`,
		applicationIndices: `SELECT name FROM pragma_index_list('{applications}')`,
		uniqueKeys: `SELECT group_concat(name, ' ') FROM (
	SELECT l.seq, i.name FROM pragma_index_list(@name) l JOIN pragma_index_info(l.name) i WHERE l."unique" AND NOT l.partial ORDER BY l.seq, i.name
) GROUP BY seq`,
		// The file, which is empty for a database in memory.
		identity:      `SELECT coalesce(file, '') FROM pragma_database_list WHERE name = 'main'`,
		checkSettings: checkSQLiteSettings,
	}
}
