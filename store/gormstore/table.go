package gormstore

// table is what has to be known about one of the library's tables in order to check it.
type table struct {
	name string
	keys []string // each the columns, in the order of the alphabet, that no two rows have alike
}

// applicationTables are those that are in the database of the applications.
func applicationTables() []table {
	return []table{
		{"applications", []string{"client_id"}},
		{"scopes", []string{"name"}},
		{"application_scopes", []string{"client_id scope"}},
	}
}

// credentialTables are those that are in the database of what is issued.
func credentialTables() []table {
	return []table{
		{"authorizations", []string{"id"}},
		{"consents", []string{"client_id subject"}},
		{"interactions", []string{"hash"}},
		{"secrets", []string{"name"}},
		{"authorization_codes", []string{"hash"}},
		{"access_tokens", []string{"hash"}},
		{"refresh_tokens", []string{"hash"}},
		{"endings", []string{"id name"}},
		{"signing_keys", []string{"id", "algorithm generation"}},
	}
}

// uniqueKeys leaves out indices of a part of the rows, of expressions, and those that are checked late or not at all.
func (postgresDialect) uniqueKeys() string {
	return `SELECT string_agg(a.attname, ' ' ORDER BY a.attname)
FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
	AND k.position <= i.indnkeyatts
GROUP BY i.indexrelid`
}

func (sqliteDialect) uniqueKeys() string {
	return `SELECT group_concat(name, ' ') FROM (
	SELECT l.seq, i.name FROM pragma_index_list($1) l JOIN pragma_index_info(l.name) i WHERE l."unique" AND NOT l.partial ORDER BY l.seq, i.name
) GROUP BY seq`
}

// identity is the server since its start, the database, and the table that the search path leads to.
func (postgresDialect) identity() string {
	return `SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time())::text, current_database(), to_regclass('{migrations}')::oid::text)`
}

func (sqliteDialect) identity() string {
	return `SELECT coalesce(file, '') FROM pragma_database_list WHERE name = 'main'`
}
