package gormstore

// A row of application_scopes without a scope restricts the application to the scopes
// of its other rows.
const firstApplicationsPostgres = `CREATE TABLE {applications} (
	client_id varchar(255) PRIMARY KEY,
	user_id varchar(255) NOT NULL DEFAULT '',
	name varchar(255) NOT NULL DEFAULT '',
	client_type varchar(32) NOT NULL DEFAULT '',
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
	client_secret varchar(255) NOT NULL DEFAULT '',
	previous_secret varchar(255) NOT NULL DEFAULT '',
	previous_secret_expires_at timestamptz(6),
	token_endpoint_auth_method varchar(255) NOT NULL DEFAULT '',
	client_jwks text NOT NULL DEFAULT '',
	client_jwks_uri varchar(500) NOT NULL DEFAULT '',
	algorithm varchar(8) NOT NULL DEFAULT '',
	id_token_claims boolean,
	omit_iss_in_errors boolean,
	default_max_age bigint,
	resources text,
	default_resources text,
	skip_authorization boolean NOT NULL DEFAULT false,
	require_pushed_authorization_requests boolean NOT NULL DEFAULT false,
	verified boolean NOT NULL DEFAULT false,
	disabled boolean NOT NULL DEFAULT false,
	registration_source varchar(16) NOT NULL DEFAULT '',
	cimd_expires_at timestamptz(6),
	created_at timestamptz(6),
	updated_at timestamptz(6)
);
CREATE INDEX {applications}_user_id ON {applications} (user_id);
CREATE TABLE {scopes} (
	name text PRIMARY KEY,
	description text NOT NULL,
	is_default boolean NOT NULL
);
CREATE TABLE {application_scopes} (
	client_id text NOT NULL,
	scope text NOT NULL,
	is_default boolean NOT NULL,
	PRIMARY KEY (client_id, scope)
)`

// firstCredentialsPostgres has no foreign keys: an Authorization and its credentials
// are inserted together and removed by their expiry, and applications may be removed
// at any time or be in another database. Hashes, ids and lists are text without a
// limit, because the library limits their length.
const firstCredentialsPostgres = `CREATE TABLE {authorizations} (
	id text PRIMARY KEY,
	client_id text NOT NULL,
	consent_id text NOT NULL,
	subject text NOT NULL,
	scopes text NOT NULL,
	resources text NOT NULL,
	auth_time timestamptz(6),
	acr text NOT NULL,
	amr text NOT NULL,
	session_id text NOT NULL,
	params text NOT NULL,
	created_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL,
	issued_at timestamptz(6),
	revoked_at timestamptz(6)
);
CREATE INDEX {authorizations}_valid ON {authorizations} (client_id, subject, id) WHERE revoked_at IS NULL;
CREATE INDEX {authorizations}_expires_at ON {authorizations} (expires_at);
CREATE INDEX {authorizations}_subject ON {authorizations} (subject, client_id, created_at DESC, id DESC, expires_at)
	WHERE revoked_at IS NULL AND issued_at IS NOT NULL AND subject <> '';
CREATE INDEX {authorizations}_waiting ON {authorizations} (subject) WHERE revoked_at IS NULL AND issued_at IS NULL;
CREATE TABLE {consents} (
	id text NOT NULL,
	client_id text NOT NULL,
	subject text NOT NULL,
	scopes text NOT NULL,
	resource_scopes text NOT NULL,
	application_digest text NOT NULL,
	created_at timestamptz(6) NOT NULL,
	updated_at timestamptz(6) NOT NULL,
	PRIMARY KEY (client_id, subject)
);
CREATE INDEX {consents}_subject ON {consents} (subject, client_id);
CREATE TABLE {interactions} (
	hash text PRIMARY KEY,
	browser_hash text NOT NULL,
	subject text NOT NULL,
	sealed bytea NOT NULL,
	created_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL,
	consumed_at timestamptz(6)
);
CREATE INDEX {interactions}_expires_at ON {interactions} (expires_at);
CREATE INDEX {interactions}_browser ON {interactions} (browser_hash, created_at DESC) WHERE consumed_at IS NULL;
CREATE INDEX {interactions}_subject ON {interactions} (subject, created_at DESC) WHERE consumed_at IS NULL;
CREATE TABLE {secrets} (
	name text PRIMARY KEY,
	value text NOT NULL
);
CREATE TABLE {authorization_codes} (
	hash text PRIMARY KEY,
	authorization_id text NOT NULL,
	redirect_uri text NOT NULL,
	code_challenge text NOT NULL,
	code_challenge_method text NOT NULL,
	confirmation text,
	issued_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL
);
CREATE INDEX {authorization_codes}_authorization_id ON {authorization_codes} (authorization_id);
CREATE INDEX {authorization_codes}_expires_at ON {authorization_codes} (expires_at);
CREATE TABLE {access_tokens} (
	hash text PRIMARY KEY,
	authorization_id text NOT NULL,
	scopes text NOT NULL,
	resources text NOT NULL,
	confirmation text,
	issued_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL
);
CREATE INDEX {access_tokens}_expires_at ON {access_tokens} (expires_at);
CREATE INDEX {access_tokens}_last ON {access_tokens} (authorization_id, issued_at);
CREATE TABLE {refresh_tokens} (
	hash text PRIMARY KEY,
	authorization_id text NOT NULL,
	confirmation text,
	issued_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL,
	consumed_at timestamptz(6),
	sealed bytea,
	sealed_until timestamptz(6),
	repeats integer NOT NULL DEFAULT 0,
	repeated_generations integer NOT NULL DEFAULT 0
);
CREATE INDEX {refresh_tokens}_expires_at ON {refresh_tokens} (expires_at);
CREATE INDEX {refresh_tokens}_sealed ON {refresh_tokens} (authorization_id, sealed_until) WHERE sealed IS NOT NULL;
CREATE INDEX {refresh_tokens}_live ON {refresh_tokens} (authorization_id, issued_at) WHERE consumed_at IS NULL;
CREATE TABLE {endings} (
	name text NOT NULL,
	id text NOT NULL,
	expires_at timestamptz(6),
	PRIMARY KEY (name, id)
);
CREATE INDEX {endings}_expires_at ON {endings} (expires_at);
CREATE TABLE {notices} (
	id text PRIMARY KEY,
	receiver text NOT NULL,
	kind text NOT NULL,
	client_id text NOT NULL,
	subject text NOT NULL,
	session_id text NOT NULL,
	created_at timestamptz(6) NOT NULL,
	attempts integer NOT NULL,
	due_at timestamptz(6) NOT NULL,
	UNIQUE (receiver, client_id, subject, session_id)
);
CREATE INDEX {notices}_receiver ON {notices} (receiver, due_at);
CREATE INDEX {notices}_due_at ON {notices} (due_at);
CREATE TABLE {signing_keys} (
	id text PRIMARY KEY,
	algorithm text NOT NULL,
	generation bigint NOT NULL,
	private bytea NOT NULL,
	created_at timestamptz(6) NOT NULL,
	active_at timestamptz(6) NOT NULL,
	UNIQUE (algorithm, generation)
)`
