package gormstore

func postgresCatalogue() catalogue {
	return catalogue{
		migrations: []migration{
			{"0001", []step{{of: ofApplications, statements: firstApplicationsPostgres}, {of: ofCredentials, statements: firstCredentialsPostgres}}},
		},
		hasMigrations: `SELECT to_regclass('{migrations}') IS NOT NULL`,
		// The cast finds the table as every other statement does, by the search path.
		applicationColumns: `SELECT attname FROM pg_attribute WHERE attrelid = '{applications}'::regclass AND attnum > 0 AND NOT attisdropped`,
		applicationIndices: `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = '{applications}'::regclass AND i.indisvalid`,
		// Indices of a part of the rows or of expressions are left out, and those
		// that are checked late or not at all.
		uniqueKeys: `SELECT string_agg(a.attname, ' ' ORDER BY a.attname)
FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = to_regclass(@name) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
	AND k.position <= i.indnkeyatts
GROUP BY i.indexrelid`,
		// The server since its start, the database, and the table that the search
		// path finds.
		identity: `SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time())::text, current_database(),
	to_regclass('{migrations}')::oid::text)`,
		checkSettings: checkPostgresSettings,
	}
}
