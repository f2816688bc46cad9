package gormstore

// A row of application_scopes without a scope restricts the application to the scopes
// of its other rows.
const firstApplicationsSQLite = `CREATE TABLE {applications} (
	client_id text PRIMARY KEY NOT NULL,
	user_id text NOT NULL DEFAULT '',
	name text NOT NULL DEFAULT '',
	client_type text NOT NULL DEFAULT '',
	grant_types text NOT NULL DEFAULT '',
	response_types text,
	pkce text,
	redirect_uris text NOT NULL DEFAULT '',
	post_logout_redirect_uris text NOT NULL DEFAULT '',
	backchannel_logout_uri text,
	backchannel_logout_session_required boolean,
	frontchannel_logout_uri text,
	frontchannel_logout_session_required boolean,
	allowed_origins text NOT NULL DEFAULT '',
	scopes text NOT NULL DEFAULT '',
	client_secret text NOT NULL DEFAULT '',
	previous_secret text NOT NULL DEFAULT '',
	previous_secret_expires_at datetime,
	token_endpoint_auth_method text NOT NULL DEFAULT '',
	client_jwks text NOT NULL DEFAULT '',
	client_jwks_uri text NOT NULL DEFAULT '',
	algorithm text NOT NULL DEFAULT '',
	id_token_claims boolean,
	omit_iss_in_errors boolean,
	default_max_age bigint,
	resources text,
	default_resources text,
	skip_authorization boolean NOT NULL DEFAULT false,
	require_pushed_authorization_requests boolean NOT NULL DEFAULT false,
	verified boolean NOT NULL DEFAULT false,
	disabled boolean NOT NULL DEFAULT false,
	registration_source text NOT NULL DEFAULT '',
	cimd_expires_at datetime,
	created_at datetime,
	updated_at datetime
);
CREATE INDEX {applications}_user_id ON {applications} (user_id);
CREATE TABLE {scopes} (
	name TEXT PRIMARY KEY,
	description TEXT NOT NULL,
	is_default INTEGER NOT NULL
) STRICT;
CREATE TABLE {application_scopes} (
	client_id TEXT NOT NULL,
	scope TEXT NOT NULL,
	is_default INTEGER NOT NULL,
	PRIMARY KEY (client_id, scope)
) STRICT`

// firstCredentialsSQLite stores times as microseconds since 1970. In the table of
// applications, GORM and the host define how they are stored.
const firstCredentialsSQLite = `CREATE TABLE {authorizations} (
	id TEXT PRIMARY KEY,
	client_id TEXT NOT NULL,
	consent_id TEXT NOT NULL,
	subject TEXT NOT NULL,
	scopes TEXT NOT NULL,
	resources TEXT NOT NULL,
	auth_time INTEGER,
	acr TEXT NOT NULL,
	amr TEXT NOT NULL,
	session_id TEXT NOT NULL,
	params TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	issued_at INTEGER,
	revoked_at INTEGER
) STRICT;
CREATE INDEX {authorizations}_valid ON {authorizations} (client_id, subject, id) WHERE revoked_at IS NULL;
CREATE INDEX {authorizations}_expires_at ON {authorizations} (expires_at);
CREATE INDEX {authorizations}_subject ON {authorizations} (subject, client_id, created_at DESC, id DESC, expires_at)
	WHERE revoked_at IS NULL AND issued_at IS NOT NULL AND subject <> '';
CREATE INDEX {authorizations}_waiting ON {authorizations} (subject) WHERE revoked_at IS NULL AND issued_at IS NULL;
CREATE TABLE {consents} (
	id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	subject TEXT NOT NULL,
	scopes TEXT NOT NULL,
	resource_scopes TEXT NOT NULL,
	application_digest TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (client_id, subject)
) STRICT;
CREATE INDEX {consents}_subject ON {consents} (subject, client_id);
CREATE TABLE {interactions} (
	hash TEXT PRIMARY KEY,
	browser_hash TEXT NOT NULL,
	subject TEXT NOT NULL,
	sealed BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	consumed_at INTEGER
) STRICT;
CREATE INDEX {interactions}_expires_at ON {interactions} (expires_at);
CREATE INDEX {interactions}_browser ON {interactions} (browser_hash, created_at DESC) WHERE consumed_at IS NULL;
CREATE INDEX {interactions}_subject ON {interactions} (subject, created_at DESC) WHERE consumed_at IS NULL;
CREATE TABLE {secrets} (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;
CREATE TABLE {authorization_codes} (
	hash TEXT PRIMARY KEY,
	authorization_id TEXT NOT NULL,
	redirect_uri TEXT NOT NULL,
	code_challenge TEXT NOT NULL,
	code_challenge_method TEXT NOT NULL,
	confirmation TEXT,
	issued_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX {authorization_codes}_authorization_id ON {authorization_codes} (authorization_id);
CREATE INDEX {authorization_codes}_expires_at ON {authorization_codes} (expires_at);
CREATE TABLE {access_tokens} (
	hash TEXT PRIMARY KEY,
	authorization_id TEXT NOT NULL,
	scopes TEXT NOT NULL,
	resources TEXT NOT NULL,
	confirmation TEXT,
	issued_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX {access_tokens}_expires_at ON {access_tokens} (expires_at);
CREATE INDEX {access_tokens}_last ON {access_tokens} (authorization_id, issued_at);
CREATE TABLE {refresh_tokens} (
	hash TEXT PRIMARY KEY,
	authorization_id TEXT NOT NULL,
	confirmation TEXT,
	issued_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	consumed_at INTEGER,
	sealed BLOB,
	sealed_until INTEGER,
	repeats INTEGER NOT NULL DEFAULT 0,
	repeated_generations INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX {refresh_tokens}_expires_at ON {refresh_tokens} (expires_at);
CREATE INDEX {refresh_tokens}_sealed ON {refresh_tokens} (authorization_id, sealed_until) WHERE sealed IS NOT NULL;
CREATE INDEX {refresh_tokens}_live ON {refresh_tokens} (authorization_id, issued_at) WHERE consumed_at IS NULL;
CREATE TABLE {endings} (
	name TEXT NOT NULL,
	id TEXT NOT NULL,
	expires_at INTEGER,
	PRIMARY KEY (name, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {endings}_expires_at ON {endings} (expires_at);
CREATE TABLE {notices} (
	id TEXT PRIMARY KEY,
	receiver TEXT NOT NULL,
	kind TEXT NOT NULL,
	client_id TEXT NOT NULL,
	subject TEXT NOT NULL,
	session_id TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	UNIQUE (receiver, client_id, subject, session_id)
) STRICT;
CREATE INDEX {notices}_receiver ON {notices} (receiver, due_at);
CREATE INDEX {notices}_due_at ON {notices} (due_at);
CREATE TABLE {signing_keys} (
	id TEXT PRIMARY KEY,
	algorithm TEXT NOT NULL,
	generation INTEGER NOT NULL,
	private BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	active_at INTEGER NOT NULL,
	UNIQUE (algorithm, generation)
) STRICT`
